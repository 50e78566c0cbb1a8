"""Films without masks whose masks an earlier localizer draws (self-training; Noisy Student, Xie et
al. 2020): the teacher sees a film as it is, at several sides, the student sees it moved and with
another exposure.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from cxr.anatomy import DEVICES, OPACITIES, TARGETS
from cxr.checkpoints import fingerprint
from cxr.devices import has_bf16
from cxr.findings import Study
from cxr.images import Preprocess
from cxr.localization import Localizer
from train.common.image_cache import pack_key, pack_studies
from train.localizer.mask_data import Answers
from train.localizer.prompts import TextBank
from train.localizer.validation import predict

SIDES = (192, 224, 256)  # pixels at which the teacher looks; its maps are averaged
CHUNK = 8  # films in memory at a time


class PseudoLabelData(Answers):
    """Films with the teacher's soft masks; devices are left out, and a film read as normal shows no
    opacity whatever the teacher says.
    """

    def __init__(
        self,
        studies: Sequence[Study],
        view: Preprocess,
        cache: Path,
        teacher: str,
        text: str,
        bank: TextBank,
        device: torch.device,
        anatomy: bool = False,
    ) -> None:
        """anatomy: leave the opacities out as well."""
        self._left_out = (DEVICES, *(OPACITIES if anatomy else ()))
        kept, films, _ = pack_studies(studies, view, cache)
        self.films, self._studies = films, kept
        key = "\0".join(
            [
                fingerprint(teacher),
                str(SIDES),
                str(TARGETS),
                pack_key([study.image for study in kept], view),
            ]
        )
        file = cache / f"taught-{hashlib.sha256(key.encode()).hexdigest()[:20]}.npy"
        if not file.exists():
            model = Localizer.load(teacher, text).model.to(device)
            _draw(model, films, bank, device, file)
        self._maps = np.load(file, mmap_mode="r")

    def _target(self, row: int, target: str) -> np.ndarray | None:
        if target in OPACITIES and self._studies[row].findings.get("no finding") == 1:
            return np.zeros_like(self.films[row])
        if target in self._left_out:
            return None
        return np.asarray(self._maps[row, TARGETS.index(target)])


def _draw(
    model: torch.nn.Module, films: np.ndarray, bank: TextBank, device: torch.device, file: Path
) -> None:
    """Write uint8 [N, T, S, S], the teacher's maps of TARGETS; the file appears whole."""
    partial = file.with_suffix(f".{os.getpid()}.partial.npy")
    shape = (len(films), len(TARGETS), *films.shape[1:])
    maps = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
    sides = [side if side < films.shape[1] else None for side in SIDES if side <= films.shape[1]]
    for first in tqdm(range(0, len(films), CHUNK), desc="drawing masks", unit="x8"):
        part = films[first : first + CHUNK]
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            seen = [predict(model, part, bank, device, side) for side in sides or [None]]
        maps[first : first + CHUNK] = (np.mean(seen, 0) * 255).round()
    maps.flush()
    del maps
    os.replace(partial, file)

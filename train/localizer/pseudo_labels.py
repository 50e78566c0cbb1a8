"""Images without masks, for which an earlier localizer predicts them (self-training).

Source: Noisy Student, Xie et al. 2020. The teacher sees an image as it is, at several sides; the
student sees it moved and with another exposure.
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

TEACHER_SIZES = (192, 224, 256)  # sides in pixels; the teacher's maps are averaged over them
CHUNK = 8  # images in memory at a time


class PseudoLabelData(Answers):
    """Images with the teacher's soft masks.

    Devices are left out, and an image read as normal shows no opacity whatever the teacher says.
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
        """Predict the masks, or find those of an earlier run.

        Args:
            studies: N studies.
            view: How images are squared.
            cache: Where images and masks are kept.
            teacher: Folder or address of a localizer.
            text: That of its text encoder.
            bank: Embedded prompts of all targets.
            device: Where the teacher computes.
            anatomy: Leave the opacities out as well.
        """
        self._left_out = (DEVICES, *(OPACITIES if anatomy else ()))
        kept, images, _ = pack_studies(studies, view, cache)
        self.images, self._studies = images, kept
        key = "\0".join(
            [
                fingerprint(teacher),
                str(TEACHER_SIZES),
                str(TARGETS),
                pack_key([study.image for study in kept], view),
            ]
        )
        file = cache / f"pseudo-labels-{hashlib.sha256(key.encode()).hexdigest()[:20]}.npy"
        if not file.exists():
            model = Localizer.load(teacher, text).model.to(device)
            _predict_all(model, images, bank, device, file)
        self._maps = np.load(file, mmap_mode="r")

    def _target(self, row: int, target: str) -> np.ndarray | None:
        if target in OPACITIES and self._studies[row].findings.get("no finding") == 1:
            return np.zeros_like(self.images[row])
        if target in self._left_out:
            return None
        return np.asarray(self._maps[row, TARGETS.index(target)])


def _predict_all(
    model: torch.nn.Module, images: np.ndarray, bank: TextBank, device: torch.device, file: Path
) -> None:
    """Write uint8 [N, T, S, S], the teacher's maps of TARGETS; the file appears whole."""
    partial = file.with_suffix(f".{os.getpid()}.partial.npy")
    shape = (len(images), len(TARGETS), *images.shape[1:])
    maps = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
    sides = [
        side if side < images.shape[1] else None
        for side in TEACHER_SIZES
        if side <= images.shape[1]
    ]
    for first in tqdm(range(0, len(images), CHUNK), desc="predicting masks", unit="x8"):
        part = images[first : first + CHUNK]
        with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
            seen = [predict(model, part, bank, device, side) for side in sides or [None]]
        maps[first : first + CHUNK] = (np.mean(seen, 0) * 255).round()
    maps.flush()
    del maps
    os.replace(partial, file)

"""findings.safetensors: what heads read of a gallery's images; it may be missing.

Calibrated log odds of each finding, float16 [N, F] in the order of studies.parquet; the names of
the findings and the sha256 of the heads stand in the file's header.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.gallery.format import LOGITS

_REMEDY = "make it again: python -m cxr gallery findings"


@dataclass(frozen=True, eq=False)
class FindingLogits:
    """What heads read of N images.

    Attributes:
        findings: F names.
        heads: sha256 of the heads.
        values: calibrated log odds, float16 [N, F]; of no image before they are read.
    """

    findings: tuple[str, ...]
    heads: str
    values: np.ndarray

    @classmethod
    def empty(cls, findings: Sequence[str], heads: str) -> FindingLogits:
        """Those of no image yet."""
        return cls(tuple(findings), heads, np.empty((0, len(findings)), np.float16))


def write_logits(folder: Path, logits: FindingLogits) -> None:
    """Write the file of a gallery."""
    from safetensors.numpy import save

    header = {"findings": json.dumps(logits.findings), "heads": logits.heads}
    values = np.ascontiguousarray(logits.values, np.float16)
    # Written as bytes, since save_file makes a file that its owner alone may read.
    (folder / LOGITS).write_bytes(save({"logits": values}, metadata=header))


def read_logits(folder: Path, count: int) -> FindingLogits | None:
    """Read the file of a gallery; None where it has none.

    Args:
        folder: of the gallery.
        count: N, its studies.

    Raises:
        ValueError: the file is damaged, or speaks of other images.
    """
    path = folder / LOGITS
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            header, values = file.metadata() or {}, file.get_tensor("logits")
        found = FindingLogits(tuple(json.loads(header["findings"])), header["heads"], values)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"expected finding logits in {path}, could not read them ({error}); {_REMEDY} {folder}"
        ) from error
    if values.shape != (count, len(found.findings)) or not np.isfinite(values).all():
        raise ValueError(
            f"expected finite [{count}, {len(found.findings)}] in {path}, got "
            f"{list(values.shape)}; {_REMEDY} {folder}"
        )
    return found

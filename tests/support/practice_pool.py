"""A pool of studies for practice: known findings, known outlines, drawn from numbers."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from cxr.findings import Study
from cxr.practice.pool import Pool, Readers
from cxr.practice.truth import Region

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
SHOWN = ("pleural effusion", "atelectasis", "pneumothorax", "mass", "nodule", "edema")
SQUARE = ((0.2, 0.2), (0.4, 0.2), (0.4, 0.4), (0.2, 0.4))


def study(number: int, finding: str, source: str = "drawn", label_source: str = "mined") -> Study:
    findings = dict.fromkeys(("no finding", *SHOWN), 0) | {finding: 1}
    return Study(
        f"secret {finding} {number}",
        source,
        f"p{number}",
        Path(f"{number}.png"),
        "PA" if number % 2 else "AP",
        "F" if number % 3 else "M",
        30 + number % 50,
        findings,
        label_source=label_source,
    )


def make_pool(each: int = 12, normals: int = 60, source: str = "drawn") -> Pool:
    """`each` verified studies of every finding in SHOWN with one outline, and normal ones."""
    names = [name for name in SHOWN for _ in range(each)] + ["no finding"] * normals
    studies = [study(i, name, source, "expert") for i, name in enumerate(names)]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(studies), 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    readers = {
        row: Readers(dict(one.findings), {one.positive[0]: (Region(SQUARE, "drawn"),)})
        for row, one in enumerate(studies)
        if one.positive
    }
    pool = Pool.of(studies, vectors, "salt", readers)
    pool.difficulty[:] = rng.normal(0, 0.7, len(studies))
    return pool

"""Is a generated film a copy of one that the generator was trained on?

originals.safetensors in a generator's checkpoint holds, for every training film, its retrieval
embedding along the 64 directions in which these embeddings vary most, in 8 bits: enough to measure
how near a film comes, far too little to make a picture from. A film is no copy when it stays
farther from all of them than films of different patients come to each other: one film in a hundred
is nearer to another patient's, and such pairs are for the most part one film published twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.metrics import nearest_distance

FILE = "originals.safetensors"
DIRECTIONS = 64
DOUBLES = 0.01  # share of the films whose nearest film of another patient may be the same film


@dataclass(frozen=True)
class CopyCheck:
    """Distance of a film to the nearest training film, and the least that is no copy; Euclidean,
    between projected unit embeddings.
    """

    distance: float
    limit: float

    @property
    def is_copy(self) -> bool:
        """Whether the film is nearer to a training film than films of two patients come."""
        return self.distance < self.limit


@dataclass(frozen=True, eq=False)
class TrainingImageIndex:
    """The training films' embeddings, projected. encoder: sha256 of the retrieval checkpoint."""

    mean: np.ndarray  # float32 [D]
    directions: np.ndarray  # float32 [K, D]
    rows: np.ndarray  # int8 [N, K]
    step: float  # size of one of the 8 bits' steps
    limit: float
    encoder: str

    def check(self, embeddings: np.ndarray, encoder: str) -> list[CopyCheck]:
        """For each film how near it comes to a training film.

        embeddings: float32 [M, D], unit rows, as Retriever.encode_images gives them. encoder:
        sha256 of that retriever's checkpoint (Retriever.encoder). Raises ValueError for another
        encoder than the training films were embedded with, or another shape.
        """
        if encoder != self.encoder:
            raise ValueError(
                f"expected embeddings of encoder {self.encoder[:12]}, got {encoder[:12]}'s; "
                "run: python -m train.evaluate generator --write"
            )
        embeddings = np.asarray(embeddings, np.float32)
        if embeddings.ndim != 2 or embeddings.shape[1] != len(self.mean):
            raise ValueError(
                f"expected embeddings [M, {len(self.mean)}], got {list(embeddings.shape)}"
            )
        projected = (embeddings - self.mean) @ self.directions.T
        distance, _ = nearest_distance(projected, self.rows.astype(np.float32) * self.step)
        return [CopyCheck(float(one), self.limit) for one in distance]


def project_training_images(
    embeddings: np.ndarray, patients: Sequence[str], encoder: str, directions: int = DIRECTIONS
) -> TrainingImageIndex:
    """Fingerprints of training films.

    embeddings: float32 [N, D], unit rows; patients: N names, "" where not known, with at least two
    different ones; encoder: sha256 of what embedded them. The limit is `copy_limit` of the
    distances between a film and the 8-bit rows of other patients. Raises ValueError otherwise.
    """
    embeddings = np.asarray(embeddings, np.float32)
    names = np.asarray(patients)
    if embeddings.ndim != 2 or len(embeddings) != len(patients) or len({*patients} - {""}) < 2:
        raise ValueError(
            f"expected embeddings [N, D] of N films of two patients or more, got "
            f"{list(embeddings.shape)} and {len({*patients} - {''})} patients"
        )
    mean = embeddings.mean(0)
    _, _, axes = np.linalg.svd(embeddings - mean, full_matrices=False)
    axes = axes[:directions]
    projected = (embeddings - mean) @ axes.T
    step = float(np.abs(projected).max() / 127) or 1.0
    rows = np.round(projected / step).astype(np.int8)
    known = np.flatnonzero(names != "")
    other = names[known][:, None] != names[known][None]
    coarse = rows[known].astype(np.float32) * step
    distance, _ = nearest_distance(projected[known], coarse, other)
    return TrainingImageIndex(mean, axes, rows, step, copy_limit(distance), encoder)


def copy_limit(distances: np.ndarray) -> float:
    """The distance that one film in a hundred stays below; of a few films, that of the nearest.
    distances: float [N], of each film to the nearest of another patient.
    """
    return float(np.quantile(distances, DOUBLES, method="lower"))


def has_training_index(folder: Path) -> bool:
    """Whether a checkpoint holds fingerprints of its training films."""
    return (folder / FILE).is_file()


def save_training_index(originals: TrainingImageIndex, folder: Path) -> None:
    """Write originals.safetensors; directions and mean in half precision."""
    from safetensors.numpy import save_file

    about = {"step": originals.step, "limit": originals.limit, "encoder": originals.encoder}
    save_file(
        {
            "mean": originals.mean.astype(np.float16),
            "rows": originals.rows,
            "directions": originals.directions.astype(np.float16),
        },
        folder / FILE,
        {"about": json.dumps(about)},
    )


def load_training_index(folder: Path) -> TrainingImageIndex:
    """Read what save_training_index wrote. Raises ValueError for a missing or damaged file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / FILE, "numpy") as file:
            about = json.loads(file.metadata()["about"])
            mean, rows, axes = (file.get_tensor(n) for n in ("mean", "rows", "directions"))
        return TrainingImageIndex(
            mean.astype(np.float32),
            axes.astype(np.float32),
            rows,
            about["step"],
            about["limit"],
            about["encoder"],
        )
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected fingerprints of training films in {folder / FILE}, could not read them "
            f"({error}); copy the checkpoint again"
        ) from error

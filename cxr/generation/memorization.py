"""Is a generated image a copy of one that the generator was trained on?

originals.safetensors in a generator's checkpoint holds, for every training image, its retrieval
embedding along the 64 directions in which these embeddings vary most, in 8 bits: enough to measure
how near an image comes, far too little to reconstruct one. An image is no copy when it stays
farther from all of them than images of different patients come to each other: one image in a
hundred is nearer to another patient's, and such pairs are mostly one image published twice.
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
DOUBLES = 0.01  # share of the images whose nearest image of another patient may be the same image


@dataclass(frozen=True)
class CopyCheck:
    """Whether an image is a copy.

    Attributes:
        distance: to the nearest training image, Euclidean, between projected unit embeddings.
        limit: the least distance that is no copy.
    """

    distance: float
    limit: float

    @property
    def is_copy(self) -> bool:
        """Whether the image is nearer to a training image than images of two patients come."""
        return self.distance < self.limit


@dataclass(frozen=True, eq=False)
class TrainingImageIndex:
    """The training images' embeddings, projected.

    Attributes:
        mean: float32 [D], of the embeddings.
        directions: float32 [K, D], unit rows.
        rows: int8 [N, K], the projections in units of `step`.
        step: of the quantization.
        limit: the least distance that is no copy.
        encoder: sha256 of the retrieval checkpoint.
    """

    mean: np.ndarray
    directions: np.ndarray
    rows: np.ndarray
    step: float
    limit: float
    encoder: str

    def check(self, embeddings: np.ndarray, encoder: str) -> list[CopyCheck]:
        """Measure how near each image comes to a training image.

        Args:
            embeddings: float32 [M, D], unit rows, as Retriever.encode_images gives them.
            encoder: sha256 of that retriever's checkpoint (Retriever.encoder).

        Returns:
            M checks, in the order of the images.

        Raises:
            ValueError: another encoder than the training images were embedded with, or another
                shape.
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
    """Compute the fingerprints of training images.

    The limit is `copy_limit` of the distances between an image and the 8-bit rows of other
    patients.

    Args:
        embeddings: float32 [N, D], unit rows.
        patients: N names, "" where not known, with at least two different ones.
        encoder: sha256 of the checkpoint that embedded the images.
        directions: K, how many directions of largest variance are kept.

    Raises:
        ValueError: other shapes, or fewer than two patients.
    """
    embeddings = np.asarray(embeddings, np.float32)
    names = np.asarray(patients)
    if embeddings.ndim != 2 or len(embeddings) != len(patients) or len({*patients} - {""}) < 2:
        raise ValueError(
            f"expected embeddings [N, D] of N images of two patients or more, got "
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
    """Return the distance that one image in a hundred stays below; of a few, that of the nearest.

    Args:
        distances: float [N], of each image to the nearest of another patient.
    """
    return float(np.quantile(distances, DOUBLES, method="lower"))


def has_training_index(folder: Path) -> bool:
    """Whether a checkpoint holds fingerprints of its training images."""
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
            f"expected fingerprints of training images in {folder / FILE}, could not read them "
            f"({error}); copy the checkpoint again"
        ) from error

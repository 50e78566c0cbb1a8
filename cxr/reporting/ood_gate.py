"""Whether an image looks like an adult's frontal chest X-ray, and what it looks like instead.

Three signals: the kind that a linear head on the embedding sees, the Mahalanobis distance of the
embedding from frontal images (Lee et al. 2018), and the error with which a small autoencoder, which
knows frontal images alone, reconstructs the thumbnail. An image with hardly any contrast is blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import nn

from cxr.images import Preprocess
from cxr.retrieval import Retriever

FRONTAL = "frontal"
CHILD = "child"
BLANK = "blank"
FORMER_KINDS = (FRONTAL, "turned 90", "turned 180", "turned 270", "inverted", "part", "other")
KINDS = (*FORMER_KINDS, CHILD)  # a checkpoint that names no kinds knows FORMER_KINDS
THUMBNAIL = Preprocess(64, 0.0, 1.0, 1)  # what the autoencoder sees
BLANK_SPREAD = 4.0  # grey levels of 255 between the 5th and the 95th percentile of a thumbnail
WARNING = "This does not look like a frontal chest X-ray"
CHILD_WARNING = (
    "This looks like a child's film. What is told here was learned almost only from adults' films, "
    "and a child's heart, thymus and lungs look different."
)
PHOTOGRAPH = (
    "A photograph of a film is read best when it is taken from the front, without glare, with the "
    "film alone in the picture"
)
REASONS = {
    "turned 90": "it seems to lie on its side: turn it a quarter clockwise",
    "turned 180": "it seems to stand on its head: turn it by half",
    "turned 270": "it seems to lie on its side: turn it a quarter anticlockwise",
    "inverted": "black and white seem to be exchanged: invert it",
    "part": f"it seems to show only a part of a chest, or another part of the body. {PHOTOGRAPH}",
    "other": f"it seems to show something else. {PHOTOGRAPH}",
    BLANK: "it is almost of one grey",
    "": "it is unlike the films that the model knows; side views, children and other parts of the "
    "body are out of its scope",
}


def warning_of(kind: str) -> str:
    """The sentence for a reader whose image is refused: of one of KINDS, BLANK or ""."""
    return CHILD_WARNING if kind == CHILD else f"{WARNING}: {REASONS[kind]}."


@dataclass(frozen=True)
class FilmFeatures:
    """What is computed from N images in one pass of the encoder.

    Attributes:
        embeddings: float32 [N, 512], unit rows.
        thumbnails: uint8 [N, 64, 64], row 0 at the top, aspect kept, black around.
        features: float [N, W], which linear heads read (cxr.retrieval.ImageEncoding).
    """

    embeddings: np.ndarray
    thumbnails: np.ndarray
    features: np.ndarray

    def __len__(self) -> int:
        return len(self.embeddings)

    def rows(self, index: np.ndarray | slice) -> FilmFeatures:
        """The same for some images. index: int64 [B], bool [N] or a slice."""
        return FilmFeatures(self.embeddings[index], self.thumbnails[index], self.features[index])

    @classmethod
    def joined(cls, parts: Sequence[FilmFeatures]) -> FilmFeatures:
        """Those of several lists of images, one after the other."""
        return cls(
            np.concatenate([part.embeddings for part in parts]),
            np.concatenate([part.thumbnails for part in parts]),
            np.concatenate([part.features for part in parts]),
        )


def film_features(retriever: Retriever, images: Sequence[Image.Image]) -> FilmFeatures:
    """Compute the features of N images of mode "L".

    Raises:
        ValueError: an image of another mode.
    """
    found = retriever.encode_with_features([retriever.prepare(image) for image in images])
    thumbnails = np.stack([THUMBNAIL.square(image) for image in images])
    return FilmFeatures(found.embeddings, thumbnails, found.features)


class ThumbnailAutoencoder(nn.Module):
    """Thumbnails through a narrow bottleneck without skips: it reconstructs X-rays alone well."""

    def __init__(self, code: int = 24, width: int = 16) -> None:
        super().__init__()
        sizes = (1, width, 2 * width, 4 * width)  # 64 -> 32 -> 16 -> 8 px
        down = [
            part for a, b in zip(sizes, sizes[1:]) for part in (nn.Conv2d(a, b, 4, 2, 1), nn.GELU())
        ]
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(sizes[-1] * 64, code))
        up = [
            part
            for a, b in zip(sizes[:0:-1], sizes[-2::-1])
            for part in (nn.ConvTranspose2d(a, b, 4, 2, 1), nn.GELU())
        ][:-1]
        self.decoder = nn.Sequential(
            nn.Linear(code, sizes[-1] * 64), nn.GELU(), nn.Unflatten(1, (sizes[-1], 8, 8)), *up
        )

    def forward(self, thumbnails: torch.Tensor) -> torch.Tensor:
        """Float [B, 1, 64, 64] standardized -> their reconstruction."""
        return self.decoder(self.encoder(thumbnails))


def standardize(thumbnails: np.ndarray) -> torch.Tensor:
    """uint8 [N, 64, 64] -> float32 [N, 1, 64, 64], each of mean 0 and spread 1."""
    values = torch.from_numpy(np.asarray(thumbnails, np.float32))
    mean, spread = values.mean((1, 2), keepdim=True), values.std((1, 2), keepdim=True)
    return ((values - mean) / spread.clamp(min=1.0)).unsqueeze(1)


@dataclass(frozen=True)
class OODResult:
    """What the gate says of an image.

    Attributes:
        in_domain: whether it looks like a frontal chest X-ray of an adult.
        kind: one of KINDS, BLANK, or "" when only the signals are unusual.
        warning: a sentence for the reader, "" when in_domain.
        signals: each by name, 1 is its limit.
    """

    in_domain: bool
    kind: str
    warning: str
    signals: dict[str, float]


@dataclass(frozen=True, eq=False)
class OODGate:
    """Of embeddings of D numbers and P principal axes.

    Attributes:
        head: float32 [D + 1, K], logits of the kinds, the last row added.
        centre: float32 [D].
        axes: float32 [P, D], each divided by its standard deviation.
        residual: the standard deviation of what they leave.
        limits: "kind" and, where CHILD is among the kinds, "child" (log odds of another kind, or
            of a child's film, against a frontal image), "distance" and "reconstruction"; above any
            of them an image is refused.
        autoencoder: in eval mode.
        kinds: K of KINDS, FRONTAL first.
    """

    head: np.ndarray
    centre: np.ndarray
    axes: np.ndarray
    residual: float
    limits: dict[str, float]
    autoencoder: ThumbnailAutoencoder
    kinds: tuple[str, ...] = KINDS

    def signals(self, features: FilmFeatures) -> dict[str, np.ndarray]:
        """Of N images what each of the limits is held against, float64 [N]; more is stranger."""
        logits = self.logits(features.embeddings)
        away = logits - logits[:, :1]
        others = [place for place, kind in enumerate(self.kinds) if kind not in (FRONTAL, CHILD)]
        found = {
            "kind": np.logaddexp.reduce(away[:, others], axis=1),
            "distance": self.distance(features.embeddings),
            "reconstruction": self.reconstruction(features.thumbnails),
        }
        return found | ({CHILD: away[:, self.kinds.index(CHILD)]} if CHILD in self.kinds else {})

    def logits(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings float [N, D] -> float64 [N, K] in the order of `kinds`."""
        return np.asarray(embeddings, np.float64) @ self.head[:-1] + self.head[-1]

    def distance(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings float [N, D] -> Mahalanobis distance float64 [N], about 1 for frontal images.

        Along the principal axes each by its own spread, what is left by one spread for all (as in
        probabilistic PCA, Tipping and Bishop 1999); divided by the root of D.
        """
        away = np.asarray(embeddings, np.float64) - self.centre
        along = away @ self.axes.T
        lengths = np.linalg.norm(self.axes, axis=1, keepdims=True)
        inside = (away @ (self.axes / lengths).T) ** 2
        left = np.maximum((away**2).sum(1) - inside.sum(1), 0) / self.residual**2
        return np.sqrt(((along**2).sum(1) + left) / away.shape[1])

    def reconstruction(self, thumbnails: np.ndarray) -> np.ndarray:
        """uint8 [N, 64, 64] -> mean squared error of the standardized pixels, float64 [N]."""
        pixels = standardize(thumbnails)
        with torch.inference_mode():
            error = (self.autoencoder(pixels) - pixels).pow(2).mean((1, 2, 3))
        return error.double().numpy()

    def refused(self, features: FilmFeatures) -> np.ndarray:
        """Which of N images are no frontal chest X-ray: bool [N]."""
        found = self.signals(features)
        return np.any([found[name] > limit for name, limit in self.limits.items()], axis=0) | (
            is_blank(features.thumbnails)
        )

    def judge(self, features: FilmFeatures) -> OODResult:
        """The verdict on one image. features: of one image."""
        found = self.signals(features)
        above = {
            name: round(float(found[name][0] - limit + 1), 3) for name, limit in self.limits.items()
        }
        if is_blank(features.thumbnails)[0]:
            return OODResult(False, BLANK, warning_of(BLANK), above)
        if max(above.values()) <= 1:
            return OODResult(True, FRONTAL, "", above)
        kind = self.kinds[int(self.logits(features.embeddings)[0].argmax())]
        if kind == FRONTAL:
            kind = CHILD if above.get(CHILD, 0) > 1 >= above["kind"] else ""
        return OODResult(False, kind, warning_of(kind), above)

    def tensors(self) -> dict[str, np.ndarray]:
        """Everything but the limits, by name, for a checkpoint."""
        network = {
            f"autoencoder.{name}": value.numpy()
            for name, value in self.autoencoder.state_dict().items()
        }
        return {
            "head": self.head,
            "centre": self.centre,
            "axes": self.axes,
            "residual": np.array([self.residual], np.float32),
            **network,
        }

    @classmethod
    def read(cls, config: Mapping, tensors: Mapping[str, np.ndarray]) -> OODGate:
        """What `tensors` and a config with "limits", "kinds" and "autoencoder" hold.

        Without "kinds" they are FORMER_KINDS. Raises ValueError when something is missing, does
        not fit together, or a kind is unknown.
        """
        try:
            kinds = tuple(config.get("kinds", FORMER_KINDS))
            if kinds[:1] != (FRONTAL,) or not set(kinds) <= set(KINDS):
                raise TypeError(f"kinds {', '.join(map(str, kinds))}")
            if tensors["head"].shape[1] != len(kinds):
                raise TypeError(f"{tensors['head'].shape[1]} logits for {len(kinds)} kinds")
            network = ThumbnailAutoencoder(**config["autoencoder"])
            start = "autoencoder."
            network.load_state_dict(
                {
                    name.removeprefix(start): torch.from_numpy(value)
                    for name, value in tensors.items()
                    if name.startswith(start)
                }
            )
            limits = {
                name: float(config["limits"][name])
                for name in ("kind", "distance", "reconstruction", *({CHILD} & set(kinds)))
            }
            return cls(
                tensors["head"],
                tensors["centre"],
                tensors["axes"],
                float(tensors["residual"][0]),
                limits,
                network.eval().requires_grad_(False),
                kinds,
            )
        except (KeyError, TypeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(
                f"expected a gate with its limits and autoencoder; got another ({reason}). "
                "Fit it again: python -m train.reporting"
            ) from error


def is_blank(thumbnails: np.ndarray) -> np.ndarray:
    """Whether there is hardly any contrast: uint8 [N, 64, 64] -> bool [N].

    Black padding, rows and columns that are zero throughout, does not count.
    """
    return np.array([_spread(thumbnail) < BLANK_SPREAD for thumbnail in thumbnails], bool)


def _spread(thumbnail: np.ndarray) -> float:
    content = thumbnail[thumbnail.any(1)][:, thumbnail.any(0)]
    if not content.size:
        return 0.0
    low, high = np.percentile(content, (5, 95))
    return float(high - low)

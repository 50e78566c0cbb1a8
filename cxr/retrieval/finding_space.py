"""Images compared by the findings that they seem to show, and not by view, age and sex.

Two readings give log odds of findings: heads on the features of the image encoder's middle blocks
(cxr.checkpoints.FindingClassifier, a copy of those that reports read by), and logistic probes on
the embedding, which also know "no finding" and stand alone where an image's features are not kept.
An image is what both say, each log odds standardized over images; two are as alike as the cosine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cxr.checkpoints import FindingClassifier

FILE = "findings.safetensors"  # beside the weights of a retrieval checkpoint
SHARED_FROM = 1.0  # standard deviations: from here on both images seem to show a finding
ENOUGH = 100  # images from which a gallery is standardized by its own mean and spread
_PROBES, _HEADS = ("directions", "bias"), ("directions", "offsets", "platt")


@dataclass(frozen=True, eq=False)
class FindingSpace:
    """Linear readings of findings.

    Attributes:
        names: F findings of the probes; "no finding" may be one.
        directions: float32 [F, D], of the probes.
        bias: float32 [F].
        heads: for H findings, on features; None for probes alone.
        usual: float32 [2, F + H], mean and spread of the log odds over other images, for a gallery
            too small for its own; None: 0 and 1.
    """

    names: tuple[str, ...]
    directions: np.ndarray
    bias: np.ndarray
    heads: FindingClassifier | None = None
    usual: np.ndarray | None = None

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings, real [N, D], unit rows -> the probes' probabilities, float32 [N, F]."""
        return 1 / (1 + np.exp(-self.log_odds(embeddings)))

    def log_odds(self, embeddings: np.ndarray, logits: np.ndarray | None = None) -> np.ndarray:
        """What the probes and, where they are known, the heads say.

        Args:
            embeddings: real [N, D], unit rows.
            logits: real [N, H], of the heads; None where they are not known.

        Returns:
            float32 [N, F + H], or [N, F].
        """
        probed = np.asarray(embeddings, np.float32) @ self.directions.T + self.bias
        return probed if logits is None else np.hstack((probed, np.asarray(logits, np.float32)))

    def standard(self, log_odds: np.ndarray) -> np.ndarray:
        """What a gallery's log odds, float32 [N, C], are standardized by.

        Returns:
            Mean and spread, float32 [2, C]: its own from ENOUGH images on, those of other images
            before.
        """
        columns = log_odds.shape[1]
        if len(log_odds) >= ENOUGH:
            return np.stack((log_odds.mean(0), log_odds.std(0).clip(1e-3)))
        if self.usual is not None:
            return self.usual[:, :columns]
        return np.stack((np.zeros(columns, np.float32), np.ones(columns, np.float32)))

    def shared(self, one: np.ndarray, other: np.ndarray) -> tuple[str, ...]:
        """Name the findings that two images both seem to show, the surest first.

        Args:
            one: standardized log odds of one image, float32 [C].
            other: those of the other image.
        """
        heads = () if self.heads is None else self.heads.findings
        columns: dict[str, list[int]] = {}
        for column, name in enumerate((*self.names, *heads)[: len(one)]):
            columns.setdefault(name, []).append(column)
        both = {name: float(min(one[at].mean(), other[at].mean())) for name, at in columns.items()}
        named = sorted(both, key=lambda name: -both[name])
        return tuple(name for name in named if both[name] >= SHARED_FROM)

    def save(self, folder: Path) -> Path:
        """Write the readings beside a checkpoint's weights and return the file."""
        from safetensors.numpy import save

        tensors: dict[str, np.ndarray] = {
            "directions": self.directions.astype(np.float16),
            "bias": self.bias.astype(np.float32),
        }
        header = {"findings": json.dumps(self.names)}
        if self.heads is not None:
            arrays = self.heads.tensors()
            tensors |= {f"heads.{name}": arrays[name].astype(np.float32) for name in _HEADS[1:]}
            tensors["heads.directions"] = arrays["directions"].astype(np.float16)
            header["heads"] = json.dumps(self.heads.findings)
        if self.usual is not None:
            tensors["usual"] = self.usual.astype(np.float32)
        (folder / FILE).write_bytes(save(tensors, metadata=header))
        return folder / FILE

    @classmethod
    def load(cls, folder: Path, dimension: int) -> FindingSpace | None:
        """Read what lies beside a checkpoint's weights; None where there is nothing.

        Args:
            folder: of the checkpoint.
            dimension: D, of its embeddings.

        Raises:
            ValueError: a damaged file, or probes of another dimension.
        """
        if not (folder / FILE).is_file():
            return None
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(folder / FILE, "np") as file:
                header = file.metadata() or {}
                arrays = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}
            names = tuple(json.loads(header.get("findings", "[]")))
            directions, bias = (arrays[name] for name in _PROBES)
            space = cls(names, directions, bias, usual=arrays.get("usual"))
            if known := tuple(json.loads(header.get("heads", "[]"))):
                parts = (arrays[f"heads.{name}"] for name in _HEADS)
                space = replace(space, heads=FindingClassifier(known, *parts))
        except (SafetensorError, OSError, KeyError, json.JSONDecodeError) as error:
            raise ValueError(
                f"expected readings of findings in {folder / FILE}, could not read them ({error}); "
                "copy the checkpoint again"
            ) from error
        count = len(names)
        fits = (space.directions.shape, space.bias.shape) == ((count, dimension), (count,))
        if not count or not fits or not all(np.isfinite(part).all() for part in arrays.values()):
            raise ValueError(
                f"expected finite probes [{count}, {dimension}] in {folder / FILE}, got "
                f"{list(space.directions.shape)}; fit them again with "
                "train.retrieval.search_settings"
            )
        return space


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows [N, C] at length 1; a row of zeros stays."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)


def fit_finding_space(
    embeddings: np.ndarray, labels: np.ndarray, names: Sequence[str], strength: float = 12.0
) -> FindingSpace:
    """Fit a probe for each finding by logistic regression.

    Args:
        embeddings: float32 [N, D], unit rows.
        labels: float [N, F], 1 present, 0 absent, NaN not known.
        names: the F findings; one that has fewer than two classes gets no probe.
        strength: inverse of the L2 penalty, for unit embeddings.
    """
    from sklearn.linear_model import LogisticRegression

    kept, directions, bias = [], [], []
    for column, name in enumerate(names):
        known = ~np.isnan(labels[:, column])
        target = labels[known, column] == 1
        if target.all() or not target.any():
            continue
        model = LogisticRegression(C=strength, max_iter=2000).fit(embeddings[known], target)
        kept.append(name)
        directions.append(model.coef_[0])
        bias.append(model.intercept_[0])
    return FindingSpace(tuple(kept), np.array(directions, np.float32), np.array(bias, np.float32))

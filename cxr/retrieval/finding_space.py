"""Images compared by the findings that they seem to show, and not by view, age and sex.

Logistic probes on the embedding give a probability for each finding. Two images are as alike as
their probabilities: the Bhattacharyya coefficient (1943) of each finding's two Bernoulli
distributions, averaged over the findings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILE = "findings.safetensors"  # beside the weights of a retrieval checkpoint
SHARED_FROM = 2.0  # times the mean probability: from here on both images seem to show a finding


@dataclass(frozen=True, eq=False)
class FindingSpace:
    """Linear probes of findings on the embedding.

    Attributes:
        names: F findings; "no finding" may be one.
        directions: float32 [F, D].
        bias: float32 [F].
        prior: float32 [F], the mean probability over the images that the probes were fitted on.
    """

    names: tuple[str, ...]
    directions: np.ndarray
    bias: np.ndarray
    prior: np.ndarray

    def probabilities(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings, real [N, D], unit rows -> probabilities, float32 [N, F] in (0, 1)."""
        logits = np.asarray(embeddings, np.float32) @ self.directions.T + self.bias
        return 1 / (1 + np.exp(-logits))

    def coordinates(self, embeddings: np.ndarray) -> np.ndarray:
        """Embeddings, real [N, D] -> float32 [N, 2F], unit rows.

        The inner product of two rows is the mean Bhattacharyya coefficient of their findings.
        """
        chances = self.probabilities(embeddings)
        return np.sqrt(np.concatenate([chances, 1 - chances], axis=1) / len(self.names))

    def shared(self, one: np.ndarray, other: np.ndarray) -> tuple[str, ...]:
        """Name the findings that two images both seem to show, the likeliest first.

        Args:
            one: probabilities of one image, float32 [F].
            other: those of the other image.
        """
        raised = np.minimum(one, other) / self.prior
        order = np.argsort(-raised)
        return tuple(self.names[column] for column in order if raised[column] >= SHARED_FROM)

    def save(self, folder: Path) -> Path:
        """Write the probes beside a checkpoint's weights and return the file."""
        from safetensors.numpy import save_file

        tensors: dict[str, np.ndarray] = {
            "directions": self.directions.astype(np.float16),
            "bias": self.bias.astype(np.float32),
            "prior": self.prior.astype(np.float32),
        }
        save_file(tensors, folder / FILE, metadata={"findings": json.dumps(self.names)})
        return folder / FILE

    @classmethod
    def load(cls, folder: Path, dimension: int) -> FindingSpace | None:
        """Read the probes beside a checkpoint's weights; None where there are none.

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
                names = json.loads((file.metadata() or {}).get("findings", "[]"))
                directions, bias, prior = map(file.get_tensor, ("directions", "bias", "prior"))
        except (SafetensorError, OSError, json.JSONDecodeError) as error:
            raise ValueError(
                f"expected probes of findings in {folder / FILE}, could not read them ({error}); "
                "copy the checkpoint again"
            ) from error
        space = cls(tuple(names), directions.astype(np.float32), bias, prior)
        shapes = (directions.shape, bias.shape, prior.shape)
        count = len(names)
        finite = all(np.isfinite(part).all() for part in (directions, bias, prior))
        if not count or shapes != ((count, dimension), (count,), (count,)) or not finite:
            raise ValueError(
                f"expected finite probes [{count}, {dimension}] in {folder / FILE}, got "
                f"{list(directions.shape)}; fit them again with train.retrieval.search_settings"
            )
        return space


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

    kept, directions, bias, prior = [], [], [], []
    for column, name in enumerate(names):
        known = ~np.isnan(labels[:, column])
        target = labels[known, column] == 1
        if target.all() or not target.any():
            continue
        model = LogisticRegression(C=strength, max_iter=2000).fit(embeddings[known], target)
        kept.append(name)
        directions.append(model.coef_[0])
        bias.append(model.intercept_[0])
        prior.append(target.mean())
    return FindingSpace(
        tuple(kept),
        np.array(directions, np.float32),
        np.array(bias, np.float32),
        np.array(prior, np.float32),
    )

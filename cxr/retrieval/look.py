"""What the pixels alone say to a typed query: its findings, and the person on the image.

Heads on the features of the image encoder (cxr.checkpoints.FindingClassifier) know some findings
better than the cosine of text and image does; what they read of a gallery's images is kept in the
gallery. Sex, age and view stand between texts of the two kinds: an image of a woman is nearer to
"female" than to "male". Nothing here reads a label or a report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cxr.checkpoints import sigmoid
from cxr.gallery import FindingLogits, write_logits
from cxr.images import load_image
from cxr.language import Query
from cxr.retrieval.ranking import NARROWER, NO_FINDING, RankingWeights, standardized

if TYPE_CHECKING:
    from cxr.retrieval.retriever import Retriever

AGES = tuple(range(20, 91, 5))
_SHARPNESS = 20.0  # of the weights by which an image's age is read off texts of several ages
_BAND = 10.0  # years outside an asked age at which an image surely is of another
_SEXES = (("female", "woman", "chest x-ray of a woman"), ("male", "man", "chest x-ray of a man"))
_VIEWS = (("PA view", "frontal PA view"), ("AP view", "frontal AP view", "portable AP"))
_BLOCK = 16_384  # embeddings that are converted to float32 at a time
_BATCH = 32  # images that are decoded at a time


class Look:
    """What is read of a gallery's images.

    Args:
        embeddings: real [N, D], unit rows.
        logits: of the N images; None where they were not read.
        encode: N texts -> float32 [N, D], unit rows.
    """

    def __init__(
        self,
        embeddings: np.ndarray,
        logits: FindingLogits | None,
        encode: Callable[[Sequence[str]], np.ndarray],
    ) -> None:
        self._embeddings, self._logits, self._encode = embeddings, logits, encode

    def scores(self, query: Query, cosines: np.ndarray, weights: RankingWeights) -> np.ndarray:
        """How well images fit a query by their look alone: float32 [N].

        Args:
            query: what was asked.
            cosines: between the text's vector and every image, float32 [N].
            weights: of the cosine, of findings and of the person.
        """
        score = weights.image * standardized(cosines)
        for weight, part in (
            (weights.findings, self.findings(query)),
            (weights.person, self.person(query)),
        ):
            if part is not None:
                score += weight * part
        return score

    def findings(self, query: Query) -> np.ndarray | None:
        """How much images show what is asked for and lack what is excluded.

        Returns:
            Standardized, float32 [N]; None where the heads know none of it.
        """
        asked = query.present or ((NO_FINDING,) if query.normal else ())
        signed = [(name, 1) for name in (*asked, *query.uncertain)]
        signed += [(name, -1) for name in query.absent]
        known = [
            sign * column for name, sign in signed if (column := self._shown(name)) is not None
        ]
        return standardized(np.mean(known, 0)) if known else None

    def person(self, query: Query) -> np.ndarray | None:
        """How much images are of the asked sex, age and view.

        Returns:
            float32 [N]: the sum of a number in [-1, 1] for each; None where none is asked for.
        """
        parts = []
        if query.sex:
            parts.append(self._sex if query.sex == "F" else -self._sex)
        if query.view in ("PA", "AP"):
            parts.append(self._view if query.view == "PA" else -self._view)
        if query.age_min is not None or query.age_max is not None:
            least = -np.inf if query.age_min is None else query.age_min
            most = np.inf if query.age_max is None else query.age_max
            outside = np.maximum(least - self._age, self._age - most)
            parts.append(np.clip(-outside / _BAND, -1, 1))
        return np.stack(parts).sum(0) if parts else None

    def _shown(self, name: str) -> np.ndarray | None:
        """How much images show a finding, standardized, float32 [N]; None if it is not known."""
        if self._logits is None:
            return None
        if name == NO_FINDING:
            return standardized(np.log1p(-sigmoid(self._values)).sum(1))
        columns = [
            self._logits.findings.index(one)
            for one in (name, *NARROWER.get(name, ()))
            if one in self._logits.findings
        ]
        return standardized(self._standard[:, columns].max(1)) if columns else None

    @cached_property
    def _values(self) -> np.ndarray:
        assert self._logits is not None
        return np.asarray(self._logits.values, np.float32)

    @cached_property
    def _standard(self) -> np.ndarray:
        return np.stack([standardized(column) for column in self._values.T], 1)

    @cached_property
    def _sex(self) -> np.ndarray:
        """From -1, a man, to 1, a woman: float32 [N]."""
        return np.clip(standardized(self._between(*_SEXES)), -1, 1)

    @cached_property
    def _view(self) -> np.ndarray:
        """From -1, AP, to 1, PA: float32 [N]."""
        return np.clip(standardized(self._between(*_VIEWS)), -1, 1)

    @cached_property
    def _age(self) -> np.ndarray:
        """In years, float32 [N]."""
        scores = self._cosines(self._encode([f"{age}-year-old" for age in AGES]).T)
        weights = np.exp(_SHARPNESS * (scores - scores.max(1, keepdims=True)))
        return (weights @ np.array(AGES, np.float32)) / weights.sum(1)

    def _between(self, one: Sequence[str], other: Sequence[str]) -> np.ndarray:
        """How much nearer images are to some texts than to others: float32 [N]."""
        direction = self._encode(list(one)).mean(0) - self._encode(list(other)).mean(0)
        return self._cosines(direction[:, None])[:, 0]

    def _cosines(self, columns: np.ndarray) -> np.ndarray:
        """Products of the embeddings and vectors, float32 [D, M] -> float32 [N, M]."""
        parts = [
            np.asarray(self._embeddings[start : start + _BLOCK], np.float32) @ columns
            for start in range(0, len(self._embeddings), _BLOCK)
        ]
        return np.concatenate(parts)


def read_gallery(retriever: Retriever) -> None:
    """Read the images of a retriever's gallery by its heads, and write it into the gallery.

    Raises:
        ValueError: no gallery, weights without heads, or an image that cannot be read.
    """
    gallery, logits = retriever.gallery, retriever.no_logits()
    if gallery is None or logits is None or retriever.heads is None:
        raise ValueError(
            "expected a gallery, and weights with heads of findings; fit them: "
            "python -m train.retrieval.search_settings --reporting weights/reporting"
        )
    parts = []
    for start in range(0, len(gallery.studies), _BATCH):
        images = [load_image(str(study.image)) for study in gallery.studies[start : start + _BATCH]]
        found = retriever.encode_images_with_features(images)
        parts.append(retriever.heads.logits(found.features))
    write_logits(gallery.folder, replace(logits, values=np.concatenate(parts)))

"""The studies of a gallery that can be practised on, under names that tell nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cxr.findings import FINDINGS, Study
from cxr.practice.grading import bounds
from cxr.practice.profile import FILMS, REHEARSAL, Profile, course_of
from cxr.practice.truth import GENERATED, NORMAL, VERIFIED, Region, Truth, truth_of

USUAL_AREA = 0.05  # of the picture, that a finding's outline covers
_SHARPNESS = 0.6  # of the model's doubt in a study's difficulty
_FLOOR = 1e-3


@dataclass(frozen=True)
class Readers:
    """What radiologists said and drew on one study. readings: finding -> 1, 0 or -1."""

    readings: Mapping[str, int]
    regions: Mapping[str, tuple[Region, ...]]


@dataclass(frozen=True, eq=False)
class Pool:
    """Studies with their truths; safe to read from any number of threads.

    Attributes:
        studies: the gallery's, in its order.
        truths: one a study.
        keys: 24 hex digits a study, by which the page knows it before the answer.
        origin_keys: the same for sets of real or generated, so that nothing said or served of a
            study elsewhere tells its origin.
        vectors: the gallery's embeddings, float16 [N, 512], unit rows.
        difficulty: float32 [N], logits; 0 for a study as hard as others with its findings.
    """

    studies: Sequence[Study]
    truths: Sequence[Truth]
    keys: Sequence[str]
    origin_keys: Sequence[str]
    vectors: np.ndarray
    difficulty: np.ndarray

    @classmethod
    def of(
        cls,
        studies: Sequence[Study],
        vectors: np.ndarray,
        salt: str = "",
        readers: Mapping[int, Readers] | None = None,
        probabilities: Mapping[str, np.ndarray] | None = None,
    ) -> Pool:
        """Make a pool of a gallery.

        Args:
            studies: the gallery's.
            vectors: its embeddings, real [N, 512].
            salt: makes the keys; the same for the same gallery, and never sent to a browser.
            readers: row -> what the gallery carries of radiologists.
            probabilities: finding -> float [N], what the model says of each study; where it
                contradicts the truth a study is held to be hard.
        """
        carried = readers or {}
        truths = [
            truth_of(study, carried[row].readings, carried[row].regions)
            if row in carried
            else truth_of(study)
            for row, study in enumerate(studies)
        ]
        keys = [_key("practice", salt, study) for study in studies]
        origin_keys = [_key("origin", salt, study) for study in studies]
        difficulty = _difficulty(truths, probabilities or {})
        return cls(studies, truths, keys, origin_keys, vectors, difficulty)

    @cached_property
    def row_of_key(self) -> dict[str, int]:
        """Key -> row."""
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def _row_of_origin_key(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.origin_keys)}

    @cached_property
    def row_of_id(self) -> dict[str, int]:
        """A study's id -> the first row that has it."""
        rows: dict[str, int] = {}
        for row, study in enumerate(self.studies):
            rows.setdefault(study.id, row)
        return rows

    def row(self, key: object) -> int:
        """The row of a key.

        Raises:
            ValueError: no study has it.
        """
        return _found(self.row_of_key, key)

    def origin_row(self, key: object) -> int:
        """The row of one of origin_keys. ValueError: no study has it."""
        return _found(self._row_of_origin_key, key)

    def met(self, profile: Profile) -> list[str]:
        """Keys of the studies that a learner has met, those answered last at the end.

        First come those of which only the origin was asked; studies of other galleries are among
        them by keys that no study has here.
        """
        rows = [self._row_of_origin_key.get(one.key) for one in profile.judged]
        judged = [self.keys[row] for row in rows if row is not None]
        return [*judged, *(one.key for one in profile.records)]

    def usable(self, row: int) -> bool:
        """Whether a study can be asked about: a frontal image whose normality is known."""
        return self._frontal(row) and bool(self.truths[row].targets)

    def _frontal(self, row: int) -> bool:
        return self.studies[row].view != "lateral" and self.studies[row].image is not None

    @cached_property
    def origins(self) -> tuple[list[int], list[int]]:
        """Rows of the real frontal images, and of the generated ones."""
        kinds: tuple[list[int], list[int]] = ([], [])
        for row in filter(self._frontal, range(len(self.studies))):
            kinds[self.truths[row].tier == GENERATED].append(row)
        return kinds

    @cached_property
    def courses(self) -> tuple[str, ...]:
        """The courses that the pool has studies for, real ones first."""
        found = {course_of(self.truths[row].tier) for row in self._usable}
        return tuple(name for name in (FILMS, REHEARSAL) if name in found)

    @cached_property
    def tiers(self) -> dict[str, int]:
        """Tier -> how many studies can be asked about."""
        counts: dict[str, int] = {}
        for row in self._usable:
            tier = self.truths[row].tier
            counts[tier] = counts.get(tier, 0) + 1
        return counts

    def rows(self, course: str, target: str) -> list[int]:
        """Rows of a course that show a finding; or of its normal studies, for "no finding"."""
        return self._rows.get((course, target), [])

    def findings(self, course: str) -> tuple[str, ...]:
        """The findings that studies of a course show, in FINDINGS order, "no finding" left out."""
        return tuple(name for name in FINDINGS[1:] if (course, name) in self._rows)

    @cached_property
    def _usable(self) -> list[int]:
        return [row for row in range(len(self.studies)) if self.usable(row)]

    @cached_property
    def _rows(self) -> dict[tuple[str, str], list[int]]:
        rows: dict[tuple[str, str], list[int]] = {}
        for row in self._usable:
            for target in self.truths[row].targets:
                rows.setdefault((course_of(self.truths[row].tier), target), []).append(row)
        return rows

    def verified(self, rows: Sequence[int]) -> list[int]:
        """Those rows whose truth radiologists drew or verified."""
        return [row for row in rows if self.truths[row].tier == VERIFIED]


def _found(rows: Mapping[str, int], key: object) -> int:
    row = rows.get(str(key))
    if row is None:
        raise ValueError(
            "expected a study of this gallery, got another; the gallery has changed, begin anew"
        )
    return row


def _key(use: str, salt: str, study: Study) -> str:
    text = "\n".join((use, salt, study.source, study.id))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _difficulty(truths: Sequence[Truth], probabilities: Mapping[str, np.ndarray]) -> np.ndarray:
    """Logits from the model's doubt and the lesion's size, centered for each finding."""
    raw = np.zeros(len(truths), np.float32)
    groups: dict[str, list[int]] = {}
    for row, truth in enumerate(truths):
        if truth.targets:
            raw[row] = _doubt(truth, row, probabilities) + _smallness(truth)
            groups.setdefault(truth.targets[0], []).append(row)
    centered = np.zeros_like(raw)
    for rows in groups.values():
        centered[rows] = raw[rows] - raw[rows].mean()
    return centered.clip(-1.5, 1.5)


def _doubt(truth: Truth, row: int, probabilities: Mapping[str, np.ndarray]) -> float:
    if truth.targets == (NORMAL,):
        believed = [1 - float(values[row]) for name, values in probabilities.items()]
        belief = min(believed, default=0.5)
    else:
        seen = [float(probabilities[name][row]) for name in truth.targets if name in probabilities]
        belief = max(seen, default=0.5)
    belief = min(max(belief, _FLOOR), 1 - _FLOOR)
    return -_SHARPNESS * float(np.log(belief / (1 - belief)))


def _smallness(truth: Truth) -> float:
    areas = []
    for regions in truth.regions.values():
        for region in regions:
            left, top, right, bottom = bounds(region.points)
            areas.append((right - left) * (bottom - top))
    if not areas:
        return 0.0
    return float(np.clip(0.5 * np.log10(USUAL_AREA / max(*areas, 1e-5)), -0.75, 0.75))

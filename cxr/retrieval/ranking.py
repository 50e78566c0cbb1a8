"""How what a study is labeled with, what its report says and how it looks become one order.

A study that holds the contrary of what was asked is never among the matches: one labeled without
an asked finding, one with an excluded finding, or one of another view, sex or age. Of the others
each kind of evidence adds to a score: labels that hold what was asked count most, then sentences of
a report that affirm it (BM25 over sentences, Robertson and Zaragoza 2009; a sentence that denies a
finding is no mention of it), then what heads read of the image and the cosine of text and image,
each standardized within the gallery.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from cxr.findings import FINDINGS, Study
from cxr.language import Query, parse

COLUMN = {name: column for column, name in enumerate(FINDINGS)}
NOT_READ = 2  # outside 1 present, 0 absent, -1 uncertain
NO_FINDING = FINDINGS[0]
# How far a label speaks for an asked finding, and for an excluded one.
_FOR_PRESENT = {1: 1.0, -1: 0.4, NOT_READ: 0.0}
_FOR_ABSENT = {0: 1.0, -1: -0.4, NOT_READ: 0.0}
# Wider terms: a study that carries a narrower finding shows the wider one where nobody read that.
NARROWER = {
    "lung opacity": ("consolidation", "edema", "pneumonia", "atelectasis", "infiltration"),
    "lung lesion": ("nodule", "mass"),
    "pleural other": ("pleural thickening",),
}
_LATER = 0.5  # what a finding counts that is named after another: where none has both, the first
_SENTENCES = 400  # best sentences of a gallery's reports that are read for what they affirm
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class RankingWeights:
    """What each kind of evidence counts for; fitted by train.retrieval.search_settings.

    Attributes:
        label: of a label that holds all that was asked. report: of the best affirming sentence.
        image: of one standard deviation of the cosine between text and image. findings: of one of
            what heads read of the image (cxr.retrieval.look). person: of the sex, the age or the
            view that an image looks like, where images alone are compared.
    """

    label: float = 8.0
    report: float = 4.0
    image: float = 0.5
    findings: float = 1.0
    person: float = 2.0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any] | None) -> RankingWeights:
        """Read what config.json holds as "ranking"; None gives the defaults.

        Raises:
            ValueError: an unknown key, or a weight that is no number >= 0.
        """
        known = asdict(cls())
        for name, value in (values or {}).items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if name not in known or not number or not value >= 0:
                raise ValueError(
                    f"expected ranking weights {', '.join(known)}, each 0 or more; got "
                    f"{name}: {value!r}. Fit them again with train.retrieval.search_settings."
                )
        return cls(**{**known, **(values or {})})

    def to_dict(self) -> dict[str, float]:
        """Give the weights by name, as config.json keeps them."""
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """Why a study is among the matches.

    Attributes:
        kind: "label", "report", "image", or "nearest" for a study that does not hold what was
            asked and is shown only because none does.
        text: the evidence in words, plain text.
    """

    kind: str
    text: str


@dataclass(frozen=True)
class Ranked:
    """One study in the order: its row in the gallery and the evidence for it."""

    row: int
    evidence: tuple[Evidence, ...]


class LabelTable:
    """The labels and persons of a gallery's studies in columns, for whole-gallery comparisons."""

    def __init__(self, studies: Sequence[Study]) -> None:
        self.labels = np.full((len(studies), len(FINDINGS)), NOT_READ, np.int8)
        for row, study in enumerate(studies):
            for name, value in study.findings.items():
                self.labels[row, COLUMN[name]] = value
        self._studies = studies

    @cached_property
    def read(self) -> np.ndarray:
        """Whether anybody, or any software, has read the study: bool [N]."""
        return (self.labels != NOT_READ).any(1)

    @cached_property
    def _view(self) -> np.ndarray:
        return np.array([study.view or "" for study in self._studies])

    @cached_property
    def _sex(self) -> np.ndarray:
        return np.array([study.sex or "" for study in self._studies])

    @cached_property
    def _age(self) -> np.ndarray:
        ages = [study.age for study in self._studies]
        return np.array([np.nan if age is None else age for age in ages], np.float32)

    def values(self, finding: str) -> np.ndarray:
        """Labels of one finding, int8 [N]; "no finding" also means that nothing is present."""
        column = self.labels[:, COLUMN[finding]]
        if narrower := NARROWER.get(finding):
            shown = (self.labels[:, [COLUMN[name] for name in narrower]] == 1).any(1)
            return np.where((column == NOT_READ) & shown, 1, column).astype(np.int8)
        if finding != NO_FINDING:
            return column
        others = self.labels[:, 1:]
        column = np.where((column == NOT_READ) & (others == 1).any(1), 0, column)
        clear = self.read & ~np.isin(others, (1, -1)).any(1)
        return np.where((column == NOT_READ) & clear, 1, column).astype(np.int8)

    def person(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """Whether each study is of the asked view, sex and age, and whether of another.

        Returns:
            (holds, contrary), bool [N] each; a study whose view or sex is not known is in neither
            where that was asked for, one whose age is not known is contrary, as in a filter.
        """
        holds = np.ones(len(self._studies), bool)
        contrary = np.zeros(len(self._studies), bool)
        if query.view:
            wanted = ("PA", "AP", "frontal") if query.view == "frontal" else (query.view,)
            same = np.isin(self._view, wanted)
            holds &= same
            contrary |= ~same & (self._view != "") & ~self._maybe_frontal(query.view)
        if query.sex:
            holds &= self._sex == query.sex
            contrary |= (self._sex != "") & (self._sex != query.sex)
        if query.age_min is not None:
            holds &= self._age >= query.age_min
            contrary |= ~(self._age >= query.age_min)  # an unknown age, too
        if query.age_max is not None:
            holds &= self._age <= query.age_max
            contrary |= ~(self._age <= query.age_max)
        return holds, contrary

    def _maybe_frontal(self, view: str) -> np.ndarray:
        """A frontal image whose direction is not known may be the asked PA or AP: bool [N]."""
        return (self._view == "frontal") & (view in ("PA", "AP"))


class ReportIndex:
    """BM25 over the sentences of a gallery's reports; those that deny a finding do not count.

    Attributes:
        sentences: of all reports. rows: of each sentence, the row of its study.
    """

    def __init__(self, studies: Sequence[Study]) -> None:
        import bm25s

        self.rows: list[int] = []
        self.sentences: list[str] = []
        for row, study in enumerate(studies):
            for sentence in _SENTENCE_END.split(study.report or ""):
                if sentence.strip():
                    self.rows.append(row)
                    self.sentences.append(" ".join(sentence.split()))
        self._index = bm25s.BM25()
        tokens = bm25s.tokenize(self.sentences, stopwords="en", show_progress=False)
        self._index.index(tokens, show_progress=False)

    def scores(self, query: Query) -> tuple[dict[int, tuple[float, str]], set[int]]:
        """Find the reports that affirm what a query asks for, and those that deny it.

        Returns:
            ({row: (score in (0, 1], the sentence)}, {rows of reports that deny an asked finding}).
        """
        import bm25s

        wanted = set(query.present) - {NO_FINDING}
        if not wanted:
            return {}, set()
        words = bm25s.tokenize(
            [" ".join((*sorted(wanted), query.text))], stopwords="en", show_progress=False
        )
        count = min(_SENTENCES, len(self.sentences))
        found, scores = self._index.retrieve(words, k=count, show_progress=False)
        affirmed: dict[int, tuple[float, str]] = {}
        denied: set[int] = set()
        best = float(scores[0][0]) or 1.0
        for number, score in zip(found[0], scores[0]):
            if score <= 0:
                break
            row, sentence = self.rows[number], self.sentences[number]
            present, absent = _claims(sentence)
            side = query.side and re.search(rf"\b{query.side}\b", sentence, re.IGNORECASE)
            value = float(score) / best * (1.0 if side or not query.side else 0.7)
            if wanted & present and value > affirmed.get(row, (0.0, ""))[0]:
                affirmed[row] = (value, sentence)
            elif wanted & absent:
                denied.add(row)
        return affirmed, denied - set(affirmed)


@lru_cache(20_000)
def _claims(sentence: str) -> tuple[frozenset[str], frozenset[str]]:
    """The findings that a sentence of a report affirms, and those that it denies."""
    query = parse(sentence[:2_000])
    return frozenset(query.present), frozenset(query.absent)


class Ranking:
    """The order of a gallery's studies for a query.

    Args:
        studies: of the gallery, in the order of its embeddings.
        weights: what each kind of evidence counts for.
    """

    def __init__(self, studies: Sequence[Study], weights: RankingWeights) -> None:
        self.table = LabelTable(studies)
        self.weights = weights
        self._studies = studies

    @cached_property
    def reports(self) -> ReportIndex | None:
        """The index over the reports; None where no study has one."""
        has_report = any(study.report and study.report.strip() for study in self._studies)
        return ReportIndex(self._studies) if has_report else None

    def order(
        self,
        query: Query,
        cosines: np.ndarray,
        k: int,
        rows: np.ndarray | None = None,
        findings: np.ndarray | None = None,
    ) -> list[Ranked]:
        """Order the studies of a gallery for a query, best first.

        Args:
            query: what was asked.
            cosines: float32 [N], between the text's vector and every image of the gallery.
            k: how many at most.
            rows: int64 [M], the only rows to consider; None for all.
            findings: float32 [N], how much images show what was asked, standardized; None where
                that is not known.

        Returns:
            At most k studies that hold nothing contrary to the query. Where there is none, those
            that come nearest, each with an Evidence of kind "nearest".
        """
        label, contrary = self._label_scores(query)
        affirmed, denied = self.reports.scores(query) if self.reports else ({}, set())
        report = np.zeros(len(label), np.float32)
        for row, (value, _) in affirmed.items():
            report[row] = value
        unread = ~self.table.read
        contrary[[row for row in denied if unread[row]]] = True
        considered = np.zeros(len(label), bool)
        considered[slice(None) if rows is None else rows] = True
        score = (
            self.weights.label * label
            + self.weights.report * report
            + self.weights.image * standardized(cosines)
        )
        if findings is not None:
            score += self.weights.findings * findings
        chosen = np.flatnonzero(considered & ~contrary)
        nearest = not len(chosen)
        if nearest:
            chosen = np.flatnonzero(considered)
        best = chosen[np.lexsort((chosen, -score[chosen]))][:k]
        return [
            Ranked(int(row), self._evidence(query, int(row), affirmed, nearest)) for row in best
        ]

    def count(self, query: Query) -> int:
        """How many studies are labeled with all that was asked and with nothing excluded."""
        label, contrary = self._label_scores(query)
        return int(((label >= 1.0) & ~contrary).sum())

    def _label_scores(self, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """How far labels hold what was asked, float32 [N] up to 1, and who holds the contrary."""
        holds, contrary = self.table.person(query)
        parts: list[np.ndarray] = []
        shares: list[float] = []
        asked = query.present or ((NO_FINDING,) if query.normal else ())
        for place, finding in enumerate(asked):
            values = self.table.values(finding)
            parts.append(_lookup(values, _FOR_PRESENT))
            shares.append(_LATER if place else 1.0)
            contrary |= values == 0
        for finding in query.absent:
            values = self.table.values(finding)
            parts.append(_lookup(values, _FOR_ABSENT))
            contrary |= values == 1
        for finding in query.uncertain:
            values = self.table.values(finding)
            parts.append(_lookup(values, {-1: 1.0, 1: 0.6, NOT_READ: 0.0}))
            contrary |= values == 0
        if query.view or query.sex or query.age_min is not None or query.age_max is not None:
            parts.append(holds.astype(np.float32))
        if not parts:
            return np.zeros(len(holds), np.float32), contrary
        shares += [1.0] * (len(parts) - len(shares))
        return np.average(np.stack(parts), 0, shares).round(6).astype(np.float32), contrary

    def _evidence(
        self, query: Query, row: int, affirmed: Mapping[int, tuple[float, str]], nearest: bool
    ) -> tuple[Evidence, ...]:
        labels = {name: self.table.values(name)[row] for name in (*query.present, *query.absent)}
        named = [name for name in query.present if labels[name] == 1]
        named += [f"possible {name}" for name in query.present if labels[name] == -1]
        named += [f"without {name}" for name in query.absent if labels[name] == 0]
        if query.normal and self.table.values(NO_FINDING)[row] == 1 and NO_FINDING not in named:
            named.append(NO_FINDING)
        found = []
        if nearest:
            found.append(Evidence("nearest", "does not match: nothing here does"))
        if named:
            found.append(Evidence("label", f"labelled: {', '.join(named)}"))
        if row in affirmed:
            found.append(Evidence("report", f"in the report: '{_short(affirmed[row][1])}'"))
        if not named and row not in affirmed and not nearest:
            found.append(Evidence("image", "looks like it"))
        return tuple(found)


def standardized(values: np.ndarray) -> np.ndarray:
    """Values less their mean, in standard deviations: float32 [N]; zeros where all are equal."""
    spread = float(values.std())
    if spread < 1e-9:
        return np.zeros_like(values, dtype=np.float32)
    return ((values - values.mean()) / spread).astype(np.float32)


def _lookup(values: np.ndarray, table: Mapping[int, float]) -> np.ndarray:
    """Replace labels by what they speak for: float32 [N]; a label that is not listed is -1."""
    out = np.full(len(values), -1.0, np.float32)
    for value, weight in table.items():
        out[values == value] = weight
    return out


def _short(sentence: str, most: int = 120) -> str:
    return sentence if len(sentence) <= most else sentence[: most - 1].rsplit(" ", 1)[0] + " …"

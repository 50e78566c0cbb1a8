"""Images like an image: by what they show, of a like person, and the contrast to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cxr.findings import FINDINGS, Study
from cxr.gallery import Gallery, Where
from cxr.retrieval.finding_space import FindingSpace, unit_rows
from cxr.retrieval.ranking import Evidence, LabelTable, standardized
from cxr.retrieval.regions import RegionIndex, region_name

MATCHED = ("view", "sex", "age")  # what two persons may have to have in common
AGE_BAND = 10  # years: two persons at most so far apart are of like age
NO_FINDING = FINDINGS[0]
COSINE_WEIGHT = 0.25  # of the embeddings' cosine beside that of findings, chosen on validation
_NAMED = 3  # findings that an evidence names at most


@dataclass(frozen=True)
class Alike:
    """One image that is like another.

    Attributes:
        row: of the gallery. score: cosine of the two embeddings, in [-1, 1].
        evidence: what both share, or how this one contrasts.
    """

    row: int
    score: float
    evidence: tuple[Evidence, ...]


class SimilarImages:
    """Compares the images of a gallery with an image.

    Args:
        gallery: whose images are compared.
        table: the labels of its studies.
        space: the findings that images speak for; None compares embeddings alone.
        logits: real [N, H], what the heads of `space` say of the gallery's images; None where the
            gallery does not hold it.
    """

    def __init__(
        self,
        gallery: Gallery,
        table: LabelTable,
        space: FindingSpace | None,
        logits: np.ndarray | None = None,
    ) -> None:
        self.gallery, self.table, self.space, self.logits = gallery, table, space, logits

    def row_of(self, study: Study) -> int:
        """The row of a study.

        Raises:
            ValueError: the gallery has no such study.
        """
        row = self._rows.get((study.source, study.id))
        if row is None:
            raise ValueError(
                f"expected a study of this gallery, got {study.id!r}, which it has not; "
                "search by its image instead"
            )
        return row

    def vector(self, study: Study) -> np.ndarray:
        """The embedding of a study of the gallery, float32 [512]. Raises as `row_of` does."""
        return np.asarray(self.gallery.embeddings[self.row_of(study)], np.float32)

    def find(
        self,
        vector: np.ndarray,
        k: int,
        where: Where | Mapping[str, Any] | None = None,
        by_findings: bool = True,
        study: Study | None = None,
        matched: Sequence[str] = (),
        region: str = "",
        places: np.ndarray | None = None,
        logits: np.ndarray | None = None,
    ) -> list[Alike]:
        """Find the images most like one.

        Args:
            vector: float32 [512], unit, the embedding of the image.
            k: how many at most.
            where: a filter.
            by_findings: order by the findings that images seem to show; False by embedding.
            study: the study of the image where it is one of the gallery; it is left out.
            matched: of MATCHED, what a study must have in common with `study`.
            region: order by this region alone (cxr.retrieval.regions); "" compares whole images.
            places: float32 [P, D], features of the image's places, for a region of an image that
                is not of the gallery.
            logits: float32 [H], what the heads say of an image that is not of the gallery.

        Returns:
            At most k images, the most alike first, each with what both share.

        Raises:
            ValueError: what is matched is not known of the image.
        """
        chosen = self._considered(where, study, matched)
        cosines = self.gallery.cosines(vector)
        own = self._own(vector, study, logits)
        alike = cosines
        if own is not None and by_findings:
            alike = self._by_findings(own, cosines)
        if region:
            alike = self._in_region(region, study, places)
        best = chosen[np.lexsort((chosen, -alike[chosen]))][:k]
        said = (Evidence("region", f"alike in {region_name(region)}"),) if region else ()
        return [
            Alike(int(row), float(cosines[row]), said + self._shared(int(row), own, study))
            for row in best
        ]

    def contrast(self, study: Study, k: int = 2) -> list[Alike]:
        """Find images of a like person that show something else than a study of the gallery.

        Args:
            study: labeled; what it shows is what the others are labeled without.
            k: how many at most.

        Returns:
            Studies of the same view, sex and age band, as far as they are known: first the most
            alike by look that shows another finding, then the most alike without any finding. []
            where the study is not labeled.
        """
        row, shown = self.row_of(study), set(study.positive) - {NO_FINDING}
        clear = self.table.values(NO_FINDING)[row] == 1
        if not shown and not clear:
            return []
        known = tuple(name for name in MATCHED if getattr(study, name) is not None)
        chosen = self._considered(None, study, known)
        values = {name: self.table.values(name)[chosen] for name in shown | set(study.uncertain)}
        same = np.zeros(len(chosen), bool)
        for value in values.values():
            same |= np.isin(value, (1, -1))
        others = (self.table.labels[chosen, 1:] == 1).any(1)
        healthy = self.table.values(NO_FINDING)[chosen] == 1
        cosines = self.gallery.cosines(self.vector(study))
        found: list[Alike] = []
        kinds = [others & ~same] if clear else [others & ~same, healthy & ~same]
        for kind in kinds:
            rows = chosen[kind]
            best = rows[np.lexsort((rows, -cosines[rows]))][: k if clear else 1]
            found += [self._contrasting(int(one), cosines, known, sorted(shown)) for one in best]
        return found[:k]

    def _in_region(self, region: str, study: Study | None, places: np.ndarray | None) -> np.ndarray:
        """How alike a region of an image is to that of the gallery's images: float32 [N]."""
        index = self._regions
        if study is not None:
            places = index.places[self.row_of(study)]
        if places is None:
            raise ValueError("expected an image that was encoded with its features; encode it anew")
        return index.similarity(places, region)

    @cached_property
    def _regions(self) -> RegionIndex:
        return RegionIndex(self.gallery)

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        return {(one.source, one.id): row for row, one in enumerate(self.gallery.studies)}

    @cached_property
    def _log_odds(self) -> np.ndarray:
        """What is read of the gallery's images: float32 [N, C]."""
        assert self.space is not None
        return self.space.log_odds(self.gallery.embeddings, self.logits)

    @cached_property
    def _standard(self) -> np.ndarray:
        assert self.space is not None
        return self.space.standard(self._log_odds)

    @cached_property
    def _coordinates(self) -> np.ndarray:
        """The same standardized: float32 [N, C]."""
        return ((self._log_odds - self._standard[0]) / self._standard[1]).astype(np.float32)

    def _own(
        self, vector: np.ndarray, study: Study | None, logits: np.ndarray | None
    ) -> np.ndarray | None:
        """The standardized log odds of an image, float32 [C]; as many as are known of it."""
        if self.space is None:
            return None
        if study is not None:
            return self._coordinates[self.row_of(study)]
        known = None if self.logits is None or logits is None else logits[None]
        read = self.space.log_odds(vector[None], known)[0]
        mean, spread = self._standard[:, : len(read)]
        return ((read - mean) / spread).astype(np.float32)

    def _by_findings(self, own: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        """How alike images are by findings, and a little by look: float32 [N].

        own: standardized log odds of the image, float32 [C]. cosines: of embeddings, float32 [N].
        """
        alike = unit_rows(self._coordinates[:, : len(own)]) @ unit_rows(own)
        return standardized(alike) + COSINE_WEIGHT * standardized(cosines)

    def _considered(
        self, where: Where | Mapping[str, Any] | None, study: Study | None, matched: Sequence[str]
    ) -> np.ndarray:
        """Rows that pass a filter and match a study, without its own: ascending int64 [M]."""
        rows = self.gallery.passing(where)
        rows = np.arange(len(self.gallery.studies)) if rows is None else rows
        alike = self.gallery.passing(like_person(study, matched))
        if alike is not None:
            rows = np.intersect1d(rows, alike)
        return rows if study is None else rows[rows != self.row_of(study)]

    def _shared(self, row: int, own: np.ndarray | None, study: Study | None) -> tuple:
        """What an image and that of `row` share; own: its standardized log odds, float32 [C]."""
        other = self.gallery.studies[row]
        named = [] if study is None else [name for name in study.positive if name in other.positive]
        said = [Evidence("label", f"both labelled: {_listed(named)}")] if named else []
        seen: list[str] = []
        if self.space is not None and own is not None:
            theirs = self._coordinates[row, : len(own)]
            seen = [name for name in self.space.shared(own, theirs) if name not in named]
        if seen:
            said.append(Evidence("image", f"both seem to show: {_listed(seen)}"))
        return tuple(said) or (Evidence("image", "looks alike"),)

    def _contrasting(
        self, row: int, cosines: np.ndarray, known: Sequence[str], shown: Sequence[str]
    ) -> Alike:
        other = self.gallery.studies[row]
        same = f"same {_joined([_SAID.get(name, name) for name in known])}" if known else ""
        shows = _listed([name for name in other.positive if name != NO_FINDING]) or NO_FINDING
        without = f"without {_listed(shown)}" if shown and shows != NO_FINDING else ""
        text = ", ".join(filter(None, (shows, without, same)))
        return Alike(row, float(cosines[row]), (Evidence("contrast", text),))


_SAID = {"age": "age group"}


def like_person(study: Study | None, matched: Sequence[str]) -> Where | None:
    """A filter that studies of persons like that of a study pass; None where all do.

    Args:
        study: whose view, sex and age count.
        matched: of MATCHED; an age matches within AGE_BAND years.

    Raises:
        ValueError: a name outside MATCHED, or something that is not known of the study.
    """
    if isinstance(matched, str) or set(matched) - set(MATCHED):
        raise ValueError(f"expected a list of {', '.join(MATCHED)} to match; got {matched!r}")
    if not matched:
        return None
    missing = [name for name in MATCHED if name in matched and getattr(study, name, None) is None]
    if study is None or missing:
        raise ValueError(
            f"expected a study whose {_joined(missing or list(matched))} is known, to match by it; "
            "filter by view, sex or age instead"
        )
    age = study.age if "age" in matched else None
    return Where(
        view=(study.view,) if "view" in matched and study.view else None,
        sex=study.sex if "sex" in matched else None,
        age_min=None if age is None else max(0, age - AGE_BAND),
        age_max=None if age is None else age + AGE_BAND,
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED])


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

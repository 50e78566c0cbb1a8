"""Queries with their meaning, and whether what a search found for them is right.

A study is right for a query when its labels hold every finding that was asked for, none that was
excluded, and its sex, age and view are those asked for. Queries are tables like those in
tests/queries; what a query means stands there, written by hand, not what the parser makes of it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.findings import FINDINGS, Study
from cxr.language import Query
from cxr.retrieval import LabelTable

KS = (1, 5, 10)


@dataclass(frozen=True)
class AskedQuery:
    """A typed query with its meaning."""

    kind: str
    text: str
    meaning: Query


def read_queries(path: Path) -> list[AskedQuery]:
    """Read a table of queries.

    Raises:
        ValueError: no such file, or a column is missing.
    """
    if not path.is_file():
        raise ValueError(f"expected a table of queries at {path}, found none; check the path")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    needed = {"kind", "text", "present", "absent", "sex", "age_min", "age_max", "view"}
    if not rows or not needed <= set(rows[0]):
        raise ValueError(f"expected the columns {', '.join(sorted(needed))} in {path}")
    return [AskedQuery(row["kind"], row["text"], _meaning(row)) for row in rows]


def _meaning(row: dict[str, str]) -> Query:
    def names(cell: str | None) -> tuple[str, ...]:
        return tuple(name for name in (cell or "").split("|") if name)

    def years(cell: str | None) -> int | None:
        return int(cell) if cell else None

    present = names(row["present"])
    return Query(
        text=row["text"],
        present=present,
        absent=names(row["absent"]),
        normal="no finding" in present,
        sex=row["sex"] or None,
        age_min=years(row["age_min"]),
        age_max=years(row["age_max"]),
        view=row["view"] or None,
    )


def relevance(table: LabelTable, meaning: Query) -> np.ndarray:
    """Which studies of a gallery are right for a query: bool [N]."""
    holds, _ = table.person(meaning)
    for name in meaning.present:
        holds &= table.values(name) == 1
    for name in meaning.absent:
        holds &= table.values(name) == 0
    return holds


def measured(
    queries: Sequence[AskedQuery],
    table: LabelTable,
    search: Callable[[str, int], Sequence[int]],
) -> dict:
    """Precision at 1, 5 and 10, nDCG at 10 and the share of right first rows, by kind of query.

    Args:
        queries: those with no right study in the gallery are counted and left out.
        table: the labels of the gallery.
        search: (text, k) -> rows of the gallery, best first.

    Returns:
        By kind and for "all": the number of queries and the means. A query with fewer right studies
        than k is measured against what can be reached; studies that are not shown count as wrong
        only as far as right ones remain.
    """
    rows: dict[str, list[dict[str, float]]] = defaultdict(list)
    unanswerable = 0
    for query in queries:
        right = relevance(table, query.meaning)
        if not right.any():
            unanswerable += 1
            continue
        found = list(search(query.text, max(KS)))
        hits = np.array([right[row] for row in found] + [False] * (max(KS) - len(found)), float)
        score = {f"precision_at_{k}": hits[:k].sum() / min(k, right.sum()) for k in KS}
        discounts = 1 / np.log2(np.arange(2, max(KS) + 2))
        ideal = discounts[: int(min(max(KS), right.sum()))].sum()
        score["ndcg_at_10"] = float(hits @ discounts) / ideal
        score["first_five_all_right"] = float(hits[: int(min(5, right.sum()))].all())
        rows[query.kind].append(score)
        rows["all"].append(score)
    return {
        "without_a_right_study": unanswerable,
        **{
            kind: {
                "queries": len(scores),
                **{key: round(float(np.mean([s[key] for s in scores])), 4) for key in scores[0]},
            }
            for kind, scores in sorted(rows.items())
        },
    }


def label_hits(studies: Sequence[Study], similarity: np.ndarray) -> dict[str, float]:
    """Share of images among whose k nearest others one has a common label (MED-MIR's rule).

    Args:
        studies: N studies; "no finding" is a label too, one that nobody read is left out.
        similarity: real [N, N], between every two images.
    """
    table = LabelTable(studies)
    shown = (table.labels == 1).astype(np.int32)
    shown[:, 0] = table.values(FINDINGS[0]) == 1
    shared = shown @ shown.T > 0
    asking = np.flatnonzero(shown.any(1))
    scores = similarity.astype(np.float64).copy()
    np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores[asking], axis=1, kind="stable")
    hits = np.take_along_axis(shared[asking], order, axis=1)
    others = shared[asking].sum(1) - 1
    random = others / (len(studies) - 1)
    out = {f"label_hit_at_{k}": round(float(hits[:, :k].any(1).mean()), 4) for k in KS}
    return {"queries": len(asking), **out, "random_at_1": round(float(random.mean()), 4)}

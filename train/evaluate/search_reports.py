"""Reports searched by their sentences: BM25 as it serves, the text encoder, and both.

Open-I's reports, whose indexed terms say what is right; no label is shown to the search. A sentence
that denies what was asked for never counts, and for the text encoder the nearest of a report's
other sentences does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cxr.data import load_reports
from cxr.language import parse
from cxr.retrieval import LabelTable, ReportIndex, Retriever, standardized
from train.evaluate.search_queries import AskedQuery, measured

EVERY = 6  # of the collection's reports one is taken


def measure_reports(root: Path, retriever: Retriever, queries: Sequence[AskedQuery]) -> dict:
    """Precision and nDCG of each way, over the queries that name a finding and no person.

    Args:
        root: of Open-I.
        retriever: whose text encoder and reading of queries are used.
        queries: with a known meaning.
    """
    studies = [one for one in load_reports(root) if one.report and one.findings][::EVERY]
    table = LabelTable(studies)
    asked = [one for one in queries if one.meaning.present and not _person(one)]
    index = ReportIndex([replace(one, findings={}) for one in studies])
    vectors = retriever.encode_text(index.sentences)
    rows = np.array(index.rows)
    typed = [one.text for one in asked]
    own = dict(zip(typed, retriever.encode_text(typed)))

    def scores(text: str) -> tuple[np.ndarray, np.ndarray]:
        query = retriever.understand(text).query
        affirmed, _ = index.scores(query)
        words, near = np.zeros(len(studies)), np.full(len(studies), -1.0)
        for row, (value, _) in affirmed.items():
            words[row] = value
        cosines = vectors @ own[text]
        wanted = set(query.present)
        for place in np.argsort(-cosines)[:400]:
            if not wanted & _denied(index.sentences[place]):
                near[rows[place]] = max(near[rows[place]], float(cosines[place]))
        return words, near

    def by(join: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> dict:
        def search(text: str, k: int) -> Sequence[int]:
            try:
                joined = join(*scores(text))
            except ValueError:  # a query that is refused finds nothing
                return []
            return [int(row) for row in np.argsort(-joined, kind="stable")[:k]]

        found = measured(asked, table, search)["all"]
        return {name: found[name] for name in ("queries", "precision_at_5", "ndcg_at_10")}

    return {
        "name": root.resolve().name,
        "reports": len(studies),
        "sentences": len(rows),
        "bm25": by(lambda words, near: words),
        "text_encoder": by(lambda words, near: near),
        "both": by(lambda words, near: standardized(words) + standardized(near)),
    }


def _person(query: AskedQuery) -> bool:
    one = query.meaning
    return bool(one.sex or one.view or one.age_min is not None or one.age_max is not None)


_DENIALS: dict[str, frozenset[str]] = {}


def _denied(sentence: str) -> frozenset[str]:
    """The findings that a sentence denies; a sentence is read once."""
    if sentence not in _DENIALS:
        _DENIALS[sentence] = frozenset(parse(sentence[:2_000]).absent)
    return _DENIALS[sentence]

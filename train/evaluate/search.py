"""Search measured: are the first studies for a typed query labelled with what was asked?

A study is right for a query when its labels hold every finding that was asked for, none that was
excluded, and its sex, age and view are those asked for. Queries are tables like those in
tests/queries; what a query means stands there, written by hand, not what the parser makes of it.
"""

from __future__ import annotations

import csv
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.checkpoints import fingerprint
from cxr.data import load_split, load_studies
from cxr.findings import FINDINGS, Study, caption
from cxr.gallery import Gallery, build_gallery
from cxr.language import Query
from cxr.retrieval import LabelTable, Ranking, RankingWeights, Retriever
from train.common.options import option
from train.common.studies import frontal

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


def by_words(studies: Sequence[Study]) -> Callable[[str, int], Sequence[int]]:
    """A search by BM25 over the canonical captions alone, to compare with."""
    import bm25s

    index = bm25s.BM25()
    captions = [caption(study) for study in studies]
    index.index(bm25s.tokenize(captions, show_progress=False), show_progress=False)

    def search(text: str, k: int) -> Sequence[int]:
        words = bm25s.tokenize([text], show_progress=False)
        found, _ = index.retrieve(words, k=min(k, len(studies)), show_progress=False)
        return [int(row) for row in found[0]]

    return search


def by_captions(
    retriever: Retriever, studies: Sequence[Study]
) -> Callable[[str, int], Sequence[int]]:
    """A search by the text encoder, query against canonical caption, to compare with."""
    captions = retriever.encode_text([caption(study) for study in studies])

    def search(text: str, k: int) -> Sequence[int]:
        scores = captions @ retriever.encode_text([text])[0]
        return [int(row) for row in np.argsort(-scores, kind="stable")[:k]]

    return search


def evaluate_search(retriever: Retriever, gallery: Gallery, queries: list[AskedQuery]) -> dict:
    """Measure every way to search a gallery on the same queries."""
    table = LabelTable(gallery.studies)
    row_of = {study.id: row for row, study in enumerate(gallery.studies)}

    def by(evidence: str) -> Callable[[str, int], Sequence[int]]:
        def search(text: str, k: int) -> Sequence[int]:
            try:
                matches = retriever.search(text, k, evidence=evidence)
            except ValueError:  # a query that is refused finds nothing
                return []
            return [row_of[match.study.id] for match in matches]

        return search

    return {
        "studies": len(gallery.studies),
        "all": measured(queries, table, by("all")),
        "image": measured(queries, table, by("image")),
        "bm25_on_captions": measured(queries, table, by_words(gallery.studies)),
        "text_to_caption": measured(queries, table, by_captions(retriever, gallery.studies)),
    }


def ablation(
    retriever: Retriever, gallery: Gallery, queries: list[AskedQuery]
) -> dict[str, dict[str, float]]:
    """Leave each kind of evidence out in turn -> nDCG at 10 and precision at 5 over all queries."""
    table, full = LabelTable(gallery.studies), retriever.ranking.weights.to_dict()
    out = {}
    for name in ("none", *full):
        weights = RankingWeights(**{**full, **({} if name == "none" else {name: 0.0})})
        ranking = Ranking(gallery.studies, weights)

        def search(text: str, k: int, ranking: Ranking = ranking) -> Sequence[int]:
            try:
                query = retriever.understand(text).query
            except ValueError:  # a query that is refused finds nothing
                return []
            cosines = retriever.cosines(text)
            return [ranked.row for ranked in ranking.order(query, cosines, k)]

        scores = measured(queries, table, search)["all"]
        out[f"without_{name}"] = {key: scores[key] for key in ("precision_at_5", "ndcg_at_10")}
    return out


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The options of train.evaluate search."""

    queries: list[Path] = option("tables of queries with their meaning, *.tsv")
    weights: str = option("retrieval checkpoint", "weights/retrieval")
    gallery: str = option("gallery that the queries are asked of", "examples/gallery")
    data: Path | None = option("labelled data set that the queries are asked of too", None)
    split: str = option("of this data set", "test", choices=("train", "val", "test"))
    write: bool = option("write search.json and the model card", False)


def measure_search(options: SearchOptions) -> dict:
    """Measure what the options ask for.

    Returns:
        JSON-able: "shipped", the queries on the gallery, and with --data "labelled", the same on a
        split of the data set, with "similar_images": label hits from image to image.

    Raises:
        ValueError: weights, gallery, data or queries that cannot be read.
    """
    queries = [query for path in options.queries for query in read_queries(path)]
    result: dict = {
        "queries": [path.name for path in options.queries],
        "weights_sha256": fingerprint(options.weights),
    }
    shipped = Retriever.load(options.weights, options.gallery)
    result["shipped"] = {"name": Path(options.gallery).name, **_on_gallery(shipped, queries)}
    if options.data is not None:
        studies = frontal(
            load_split(options.data, load_studies(options.data, labels="mined"))[options.split]
        )
        if len(studies) <= max(KS):
            raise ValueError(
                f"expected more than {max(KS)} images in {options.data} ({options.split}), "
                f"got {len(studies)}"
            )
        with tempfile.TemporaryDirectory() as folder:
            labelled = on_studies(options.weights, studies, Path(folder) / "gallery")
            result["labelled"] = {
                "name": options.data.resolve().name,
                "split": options.split,
                **_on_gallery(labelled, queries),
                "similar_images": similar_images(labelled),
            }
    return result


def _on_gallery(retriever: Retriever, queries: list[AskedQuery]) -> dict:
    gallery = retriever.gallery
    assert gallery is not None
    return {
        **evaluate_search(retriever, gallery, queries),
        "ablation": ablation(retriever, gallery, queries),
    }


def on_studies(weights: str, studies: Sequence[Study], folder: Path) -> Retriever:
    """Encode studies once and return a retriever that searches them.

    Args:
        weights: of the encoder.
        studies: N studies with images.
        folder: where their gallery is written.
    """
    encoder = Retriever.load(weights, gallery=None)
    build_gallery(
        studies,
        encoder.encode_prepared,
        folder,
        encoder.encoder,
        progress=False,
        prepare=encoder.prepare,
    )
    return Retriever.load(weights, folder)


def similar_images(retriever: Retriever) -> dict[str, dict[str, float]]:
    """Measure label hits from image to image in a retriever's gallery.

    Returns:
        By the plain "cosine" of embeddings and, where the checkpoint has probes of findings, by
        the "findings" that the images seem to show; see `label_hits`.
    """
    gallery, space = retriever.gallery, retriever.finding_space
    assert gallery is not None
    embeddings = np.asarray(gallery.embeddings, np.float32)
    out = {"cosine": label_hits(gallery.studies, embeddings @ embeddings.T)}
    if space is not None:
        rows = space.coordinates(embeddings)
        out["findings"] = label_hits(gallery.studies, rows @ rows.T)
    return out

"""Search measured: are the first studies for a typed query labelled with what was asked?

What is right, and the measures, are those of train.evaluate.search_queries.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.checkpoints import fingerprint
from cxr.data import load_split, load_studies
from cxr.files import read_json
from cxr.findings import Study, caption
from cxr.gallery import Gallery, build_gallery
from cxr.retrieval import EncodedQuery, LabelTable, Look, Ranking, RankingWeights, Retriever
from train.common.options import option
from train.common.studies import frontal
from train.evaluate.search_queries import KS, AskedQuery, label_hits, measured, read_queries
from train.evaluate.search_regions import load_films, region_hits, squares, studies_of, ways_of
from train.evaluate.search_reports import measure_reports

Search = Callable[[str, int], Sequence[int]]  # (text, k) -> rows of the gallery, best first


def by_words(studies: Sequence[Study]) -> Search:
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
    retriever: Retriever, studies: Sequence[Study], queries: Sequence[AskedQuery]
) -> Search:
    """A search by the text encoder, query against canonical caption, to compare with."""
    captions = retriever.encode_text([caption(study) for study in studies])
    texts = [query.text for query in queries]
    vectors = dict(zip(texts, retriever.encode_text(texts)))

    def search(text: str, k: int) -> Sequence[int]:
        scores = captions @ vectors[text]
        return [int(row) for row in np.argsort(-scores, kind="stable")[:k]]

    return search


Vectors = dict[str, np.ndarray]  # text of a query -> what Retriever.search ranks by


def vectors_of(retriever: Retriever, queries: Sequence[AskedQuery]) -> Vectors:
    """The vectors of queries, encoded together."""
    texts = [query.text for query in queries]
    return dict(zip(texts, retriever.encode_query(texts)))


def by_cosine(gallery: Gallery, vectors: Vectors) -> Search:
    """A search by the cosine of text and image alone, to compare with."""

    def search(text: str, k: int) -> Sequence[int]:
        return [row for row, _ in gallery.search(vectors[text], k)]

    return search


def evaluate_search(retriever: Retriever, gallery: Gallery, queries: list[AskedQuery]) -> dict:
    """Measure every way to search a gallery on the same queries."""
    table = LabelTable(gallery.studies)
    row_of = {study.id: row for row, study in enumerate(gallery.studies)}
    vectors = vectors_of(retriever, queries)

    def by(evidence: str) -> Search:
        def search(text: str, k: int) -> Sequence[int]:
            try:
                matches = retriever.search(EncodedQuery(vectors[text], text), k, evidence=evidence)
            except ValueError:  # a query that is refused finds nothing
                return []
            return [row_of[match.study.id] for match in matches]

        return search

    return {
        "studies": len(gallery.studies),
        "all": measured(queries, table, by("all")),
        "image": measured(queries, table, by("image")),
        "cosine": measured(queries, table, by_cosine(gallery, vectors)),
        "bm25_on_captions": measured(queries, table, by_words(gallery.studies)),
        "text_to_caption": measured(
            queries, table, by_captions(retriever, gallery.studies, queries)
        ),
    }


def ablation(
    retriever: Retriever, gallery: Gallery, queries: list[AskedQuery]
) -> dict[str, dict[str, dict[str, float]]]:
    """Leave each kind of evidence out in turn -> nDCG at 10 and precision at 5 over all queries.

    Returns:
        For "all" evidence and for the "image" alone, by what was left out.
    """
    table, full = LabelTable(gallery.studies), retriever.ranking.weights.to_dict()
    look = Look(gallery.embeddings, gallery.logits, retriever.encode_text)
    vectors = vectors_of(retriever, queries)
    cosines = {text: gallery.cosines(vector) for text, vector in vectors.items()}

    def without(name: str) -> RankingWeights:
        return RankingWeights(**{**full, **({} if name == "none" else {name: 0.0})})

    def joined(weights: RankingWeights) -> Search:
        ranking = Ranking(gallery.studies, weights)

        def search(text: str, k: int) -> Sequence[int]:
            try:
                query = retriever.understand(text).query
            except ValueError:  # a query that is refused finds nothing
                return []
            ranked = ranking.order(query, cosines[text], k, findings=look.findings(query))
            return [one.row for one in ranked]

        return search

    def by_look(weights: RankingWeights) -> Search:
        def search(text: str, k: int) -> Sequence[int]:
            try:
                query = retriever.understand(text).query
            except ValueError:
                return by_cosine(gallery, vectors)(text, k)
            scores = look.scores(query, cosines[text], weights)
            return [int(row) for row in np.argsort(-scores, kind="stable")[:k]]

        return search

    def scores(search: Search) -> dict[str, float]:
        found = measured(queries, table, search)["all"]
        return {key: found[key] for key in ("precision_at_5", "ndcg_at_10")}

    parts = {
        "all": (joined, ("none", "label", "report", "image", "findings")),
        "image": (by_look, ("none", "image", "findings", "person")),
    }
    return {
        evidence: {f"without_{name}": scores(way(without(name))) for name in names}
        for evidence, (way, names) in parts.items()
    }


@dataclass(frozen=True, kw_only=True)
class SearchOptions:
    """The options of train.evaluate search."""

    queries: list[Path] = option("tables of queries with their meaning, *.tsv")
    weights: str = option("retrieval checkpoint", "weights/retrieval")
    gallery: str = option("gallery that the queries are asked of", "examples/gallery")
    data: Path | None = option("labelled data set that the queries are asked of too", None)
    split: str = option("of this data set", "test", choices=("train", "val", "test"))
    outlines: list[Path] = option("data sets whose outlines regions are compared by", [])
    reports: Path | None = option("Open-I, whose sentences are searched", None)
    first_look: Path | None = option("what was measured when the queries were new, *.json", None)
    speed: Path | None = option("what benchmarks.search measured, *.json", None)
    write: bool = option("write search.json and the model card", False)


def measure_search(options: SearchOptions) -> dict:
    """Measure what the options ask for.

    Returns:
        JSON-able: "shipped", the queries on the gallery, and with --data "labelled", the same on a
        split of the data set, with "similar_images": label hits from image to image; "regions"
        and "reports" where they were asked for; "first_look", the precision of the same queries
        when the rules of reading had not been changed with a view of their misses.

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
    if options.outlines:
        result["regions"] = measure_regions(options)
    if options.reports is not None:
        result["reports"] = measure_reports(options.reports, shipped, queries)
    if options.first_look is not None:
        result["first_look"] = read_json(options.first_look, "what was measured at first")
    if options.speed is not None:
        result["speed"] = read_json(options.speed, "what benchmarks.search measured")
    return result


def measure_regions(options: SearchOptions) -> dict:
    """Measure similar regions on the outlined films of a split, among those of all splits."""
    films = load_films(options.outlines)
    asking = [row for row, film in enumerate(films) if film.split == options.split]
    with tempfile.TemporaryDirectory() as folder:
        retriever = on_studies(options.weights, studies_of(films), Path(folder) / "gallery")
        patients = [film.patient for film in films]
        return {
            "name": [root.resolve().name for root in options.outlines],
            "split": options.split,
            **region_hits(squares(films), patients, asking, ways_of(retriever)),
        }


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
        encoder.encode_for_gallery,
        folder,
        encoder.encoder,
        progress=False,
        prepare=encoder.prepare,
        logits=encoder.no_logits(),
    )
    return Retriever.load(weights, folder)


def similar_images(retriever: Retriever) -> dict[str, dict[str, float]]:
    """Measure label hits from image to image in a retriever's gallery.

    Returns:
        By the plain "cosine" of embeddings and, where the checkpoint reads findings, by "findings"
        as Retriever.similar orders; see `label_hits`.
    """
    gallery = retriever.gallery
    assert gallery is not None
    embeddings = np.asarray(gallery.embeddings, np.float32)
    out = {"cosine": label_hits(gallery.studies, embeddings @ embeddings.T)}
    if retriever.finding_space is not None:
        row_of = {study.id: row for row, study in enumerate(gallery.studies)}
        alike = np.zeros((len(row_of), len(row_of)))
        for row, study in enumerate(gallery.studies):
            for place, match in enumerate(retriever.similar(study, len(row_of))):
                alike[row, row_of[match.study.id]] = -place
        out["findings"] = label_hits(gallery.studies, alike)
    return out

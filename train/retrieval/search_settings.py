"""Fit what a search needs beside the weights, and write it into their folder.

    python -m train.retrieval.search_settings --data ROOT --queries tests/queries/development.tsv

Probes of findings (cxr.retrieval.finding_space) are fitted on the training split. The contrast of
queries, the bands of similarity and what labels, reports and images count for in the order of a
search are chosen on the validation split. Training writes the contrast and the bands too.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.checkpoints import load_dual_encoder
from cxr.devices import best_device
from cxr.files import read_json, write_json
from cxr.findings import Study
from cxr.retrieval import LabelTable, QueryEncoder, Ranking, RankingWeights, fit_finding_space
from train.common.image_cache import pack_studies
from train.common.options import option, parse_options
from train.common.studies import ABNORMAL_FINDINGS, labels_of, training_studies
from train.evaluate.search import AskedQuery, label_hits, measured, read_queries
from train.retrieval.validation import embed_images, embed_texts, search_settings

STRENGTHS = (4.0, 12.0, 40.0)  # inverse L2 penalties of the probes that are tried
LABEL_WEIGHTS, IMAGE_WEIGHTS = (1.0, 2.0, 4.0, 8.0), (0.0, 0.25, 0.5, 1.0)
NO_FINDING = "no finding"


def with_no_finding(labels: np.ndarray) -> np.ndarray:
    """Add a column to labels, float [N, F], that is 1 where no finding is present."""
    nothing = ~(labels == 1).any(1, keepdims=True)
    return np.concatenate([labels, nothing.astype(labels.dtype)], axis=1)


def fitted_probes(train: tuple, val: tuple) -> tuple:
    """Fit the probes of every strength on `train` and choose on `val`, each (studies, embeddings).

    Returns:
        (the chosen FindingSpace, label hits on validation by strength and of the plain cosine).
    """
    names = (*ABNORMAL_FINDINGS, NO_FINDING)
    labels = with_no_finding(labels_of(train[0]).numpy())
    spaces = {s: fit_finding_space(train[1], labels, names, s) for s in STRENGTHS}
    hits = {"cosine": label_hits(val[0], val[1] @ val[1].T)}
    for strength, space in spaces.items():
        rows = space.coordinates(val[1])
        hits[f"findings, C = {strength}"] = label_hits(val[0], rows @ rows.T)
    best = max(STRENGTHS, key=lambda s: _mean_hit(hits[f"findings, C = {s}"]))
    return spaces[best], hits


def _mean_hit(hits: dict[str, float]) -> float:
    return hits["label_hit_at_1"] + hits["label_hit_at_5"] + hits["label_hit_at_10"]


def fitted_weights(
    studies: Sequence[Study], images: np.ndarray, queries: Sequence[AskedQuery], vectors: np.ndarray
) -> tuple[RankingWeights, list[dict]]:
    """Choose what labels and images count for by nDCG at 10 over queries with a known meaning.

    A third of the studies has its labels hidden, so that images matter too; the hidden labels are
    what the order is judged by.

    Args:
        studies: N of the validation split.
        images: their embeddings, float32 [N, D].
        queries: Q queries with a known meaning.
        vectors: their embeddings, float32 [Q, D].

    Returns:
        (the weights, one row for each setting that was tried).
    """
    from dataclasses import replace

    hidden = np.random.default_rng(0).random(len(studies)) < 1 / 3
    shown = [replace(s, findings={}) if h else s for s, h in zip(studies, hidden)]
    table = LabelTable(studies)
    row_of = {query.text: row for row, query in enumerate(queries)}
    meaning = {query.text: query.meaning for query in queries}
    tried = []
    for label, image in itertools.product(LABEL_WEIGHTS, IMAGE_WEIGHTS):
        weights = RankingWeights(label=label, image=image)
        ranking = Ranking(shown, weights)

        def search(text: str, k: int, ranking: Ranking = ranking) -> list[int]:
            cosines = images @ vectors[row_of[text]]
            return [one.row for one in ranking.order(meaning[text], cosines, k)]

        scores = measured(queries, table, search)["all"]
        tried.append({**weights.to_dict(), "ndcg_at_10": scores["ndcg_at_10"]})
    best = max(tried, key=lambda row: row["ndcg_at_10"])
    return RankingWeights(best["label"], best["report"], best["image"]), tried


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.retrieval.search_settings."""

    data: Path = option("data set with a val split")
    weights: Path = option("checkpoint to write into", Path("weights/retrieval"))
    queries: Path | None = option("table of queries to fit the ranking on", None)
    cache: Path = option("decoded images", Path(".cache/packed"))


def main(argv: Sequence[str] | None = None) -> None:
    """Fit everything and write it into config.json and findings.safetensors."""
    options = parse_options(Options, argv, __doc__, "train.retrieval.search_settings")
    model, _ = load_dual_encoder(options.weights)
    device = best_device()
    model = model.eval().to(device)
    splits = {}
    for name, studies in zip(("train", "val"), training_studies(options.data, [])):
        studies, films, _ = pack_studies(studies, model.preprocess, options.cache)
        splits[name] = (studies, embed_images(model, films, device))
    settings = search_settings(model, splits["val"][1], splits["val"][0])
    space, hits = fitted_probes(splits["train"], splits["val"])
    space.save(options.weights)
    record: dict = {"similar_images": hits}
    if options.queries:
        queries = read_queries(options.queries)
        encode = QueryEncoder(lambda texts: embed_texts(model, texts), settings["query_contrast"])
        vectors = encode([query.text for query in queries])
        weights, tried = fitted_weights(*splits["val"], queries, vectors)
        settings["ranking"] = weights.to_dict()
        record["ranking"] = tried
    file = options.weights / "config.json"
    config = read_json(file, "a checkpoint's config.json")
    write_json(file, {**config, **settings, "search_fit": record})
    print(json.dumps({**settings, "search_fit": record}, indent=1))


if __name__ == "__main__":
    main()

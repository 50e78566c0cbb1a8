"""Fit what a search needs beside the weights, and write it into their folder.

    python -m train.retrieval.search_settings --data ROOT --more ROOT \
        --reporting weights/reporting --queries tests/queries/development.tsv

Probes of findings (cxr.retrieval.finding_space) are fitted on the training split; the heads on
features are copied from a reporting checkpoint, or kept. The contrast of queries, the bands of
similarity and what labels, reports and images count for in the order of a search are chosen on the
validation splits. Training writes the contrast and the bands too.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cxr.checkpoints import FindingClassifier
from cxr.data import load_split, load_studies
from cxr.files import read_json, write_json
from cxr.findings import Study
from cxr.gallery import FindingLogits
from cxr.retrieval import (
    FindingSpace,
    LabelTable,
    Look,
    Ranking,
    RankingWeights,
    Retriever,
    fit_finding_space,
    unit_rows,
)
from cxr.retrieval import standardized as standard
from train.common.image_cache import pack_studies
from train.common.options import option, parse_options
from train.common.studies import ABNORMAL_FINDINGS, frontal, labels_of, training_studies
from train.evaluate.search_queries import AskedQuery, label_hits, measured, read_queries
from train.retrieval.validation import embed_images, search_settings

STRENGTHS = (4.0, 12.0, 40.0)  # inverse L2 penalties of the probes that are tried
COSINES = (0.0, 0.25, 0.5)  # what the cosine of embeddings counts beside findings
IMAGE_WEIGHTS, PERSON_WEIGHTS = (0.0, 0.25, 0.5, 1.0), (0.0, 1.0, 2.0, 4.0)
LABEL_WEIGHTS = (2.0, 4.0, 8.0, 16.0)
NO_FINDING = "no finding"


@dataclass(frozen=True, eq=False)
class Encoded:
    """N studies of a validation split: embeddings, float32 [N, D], and features, [N, W]."""

    studies: list[Study]
    embeddings: np.ndarray
    features: np.ndarray


def with_no_finding(labels: np.ndarray) -> np.ndarray:
    """Add a column to labels, float [N, F], that is 1 where no finding is present."""
    nothing = ~(labels == 1).any(1, keepdims=True)
    return np.concatenate([labels, nothing.astype(labels.dtype)], axis=1)


def standardized(rows: np.ndarray) -> np.ndarray:
    """Columns of float [N, C] less their mean, in standard deviations."""
    return (rows - rows.mean(0)) / rows.std(0).clip(1e-3)


def fitted_probes(train: tuple, val: Sequence[Encoded]) -> FindingSpace:
    """Fit the probes of every strength on `train`, (studies, embeddings), and choose on `val`."""
    names = (*ABNORMAL_FINDINGS, NO_FINDING)
    labels = with_no_finding(labels_of(train[0]).numpy())

    def hits(space: FindingSpace) -> float:
        rows = [unit_rows(standardized(space.log_odds(one.embeddings))) for one in val]
        return _first_hits([label_hits(one.studies, r @ r.T) for one, r in zip(val, rows)])

    spaces = [fit_finding_space(train[1], labels, names, strength) for strength in STRENGTHS]
    return max(spaces, key=hits)


def compared_ways(space: FindingSpace, val: Sequence[Encoded]) -> dict[str, dict]:
    """Label hits of each way to compare images, pooled over validation splits.

    Returns:
        By the way: the number of images, and the share of them with a hit among the first.
    """
    ways: dict[str, list[dict]] = {}
    for one in val:
        cosines = one.embeddings @ one.embeddings.T
        readings = {"probes": standardized(space.log_odds(one.embeddings))}
        if space.heads is not None:
            logits = space.heads.logits(one.features)
            readings["heads"] = standardized(logits)
            readings["probes and heads"] = np.hstack(list(readings.values()))
            chances = 1 / (1 + np.exp(-logits))
            roots = np.sqrt(np.hstack((chances, 1 - chances)))
            ways.setdefault("heads, Bhattacharyya", []).append(
                label_hits(one.studies, roots @ roots.T)
            )
        ways.setdefault("cosine of embeddings", []).append(label_hits(one.studies, cosines))
        for name, rows in readings.items():
            alike = unit_rows(rows) @ unit_rows(rows).T
            for weight in COSINES:
                joined = standard(alike) + weight * standard(cosines)
                title = f"{name}, {weight} cosine" if weight else name
                ways.setdefault(title, []).append(label_hits(one.studies, joined))
    return {
        name: {"queries": sum(one["queries"] for one in hits), "label_hit_at_1": _first_hits(hits)}
        for name, hits in ways.items()
    }


def _first_hits(hits: Sequence[Mapping[str, float]]) -> float:
    asked = sum(one["queries"] for one in hits)
    return round(sum(one["label_hit_at_1"] * one["queries"] for one in hits) / asked, 4)


def fitted_weights(
    val: Sequence[Encoded], retriever: Retriever, queries: Sequence[AskedQuery]
) -> tuple[RankingWeights, list[dict]]:
    """Choose what each kind of evidence counts for, by nDCG at 10 over queries of known meaning.

    What images say is weighed with all labels hidden; what labels count for beside it with those
    of a third of the studies hidden. Hidden labels are what the order is judged by.

    Args:
        val: the validation splits.
        retriever: without a gallery; its heads read the images.
        queries: with a known meaning.

    Returns:
        (the weights, one row for each setting that was tried).
    """
    vectors = retriever.encode_query([query.text for query in queries])
    row_of = {query.text: row for row, query in enumerate(queries)}
    meaning = {query.text: query.meaning for query in queries}
    looks = [Look(one.embeddings, _read(retriever, one), retriever.encode_text) for one in val]
    tables = [LabelTable(one.studies) for one in val]

    def by_look(weights: RankingWeights) -> float:
        def search(look: Look, one: Encoded, text: str, k: int) -> list[int]:
            cosines = one.embeddings @ vectors[row_of[text]]
            return list(np.argsort(-look.scores(meaning[text], cosines, weights))[:k])

        return _gain(queries, val, tables, looks, search)

    def joined(weights: RankingWeights) -> float:
        rankings = {id(one): Ranking(_part_hidden(one.studies), weights) for one in val}

        def search(look: Look, one: Encoded, text: str, k: int) -> list[int]:
            cosines, asked = one.embeddings @ vectors[row_of[text]], meaning[text]
            ranked = rankings[id(one)].order(asked, cosines, k, findings=look.findings(asked))
            return [each.row for each in ranked]

        return _gain(queries, val, tables, looks, search)

    tried = []
    for image, person in itertools.product(IMAGE_WEIGHTS, PERSON_WEIGHTS):
        weights = RankingWeights(image=image, person=person)
        tried.append({**weights.to_dict(), "evidence": "image", "ndcg_at_10": by_look(weights)})
    best = max(tried, key=lambda row: row["ndcg_at_10"])
    rows = []
    for label in LABEL_WEIGHTS:  # a report that affirms counts half as much as a label
        weights = RankingWeights(label, label / 2, best["image"], 1.0, best["person"])
        rows.append({**weights.to_dict(), "evidence": "all", "ndcg_at_10": joined(weights)})
    best = max(rows, key=lambda row: row["ndcg_at_10"])
    return RankingWeights(**{name: best[name] for name in RankingWeights().to_dict()}), tried + rows


def _read(retriever: Retriever, one: Encoded) -> FindingLogits | None:
    """What a retriever's heads read of a validation split's images."""
    logits, heads = retriever.no_logits(), retriever.heads
    if logits is None or heads is None:
        return None
    return replace(logits, values=heads.logits(one.features))


def _part_hidden(studies: Sequence[Study]) -> list[Study]:
    hidden = np.random.default_rng(0).random(len(studies)) < 1 / 3
    return [replace(one, findings={}) if hide else one for one, hide in zip(studies, hidden)]


def _gain(queries, val, tables, looks, search) -> float:
    """The mean nDCG at 10 over the splits."""
    found = [
        measured(queries, table, lambda text, k, o=one, s=look: search(s, o, text, k))
        for one, table, look in zip(val, tables, looks)
    ]
    return round(float(np.mean([scores["all"]["ndcg_at_10"] for scores in found])), 4)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.retrieval.search_settings."""

    data: Path = option("data set with a val split")
    more: list[Path] = option("further data sets whose val splits choose too", [])
    weights: Path = option("checkpoint to write into", Path("weights/retrieval"))
    reporting: Path | None = option("reporting checkpoint whose heads are copied", None)
    keep_probes: bool = option("keep the probes on the embedding that are there", False)
    queries: Path | None = option("table of queries to fit the ranking on", None)
    cache: Path = option("decoded images", Path(".cache/packed"))


def main(argv: Sequence[str] | None = None) -> None:
    """Fit everything and write it into config.json and findings.safetensors."""
    options = parse_options(Options, argv, __doc__, "train.retrieval.search_settings")
    file = options.weights / "config.json"
    config = read_json(file, "a checkpoint's config.json")
    write_json(file, {**config, "query_contrast": 0.0})  # what is there may be out of bounds
    retriever = Retriever.load(options.weights, gallery=None)
    train, own, _ = training_studies(options.data, [])
    val = [_encoded(retriever, own, options.cache)]
    for root in options.more:
        studies = load_split(root, load_studies(root, labels="mined"))["val"]
        val.append(_encoded(retriever, frontal(studies), options.cache))
    settings = search_settings(retriever.model, val[0].embeddings, val[0].studies)
    former = retriever.finding_space
    if former is not None and options.keep_probes:
        space = former
    else:
        studies, images, _ = pack_studies(train, retriever.model.preprocess, options.cache)
        space = fitted_probes(
            (studies, embed_images(retriever.model, images, retriever.device)), val
        )
    heads = former.heads if former is not None else None
    if options.reporting is not None:
        heads = FindingClassifier.load(options.reporting, retriever.encoder)
    space = _with_heads(space, heads, val[0])
    space.save(options.weights)
    write_json(file, {**config, **settings})
    retriever = Retriever.load(options.weights, gallery=None)
    assert retriever.finding_space is not None, "just written"
    record: dict = {"similar_images": compared_ways(retriever.finding_space, val)}
    if options.queries:
        weights, tried = fitted_weights(val, retriever, read_queries(options.queries))
        settings["ranking"] = weights.to_dict()
        record["ranking"] = tried
    write_json(file, {**config, **settings, "search_fit": record})
    print(json.dumps({**settings, "search_fit": record}, indent=1))


def _encoded(retriever: Retriever, studies: Sequence[Study], cache: Path) -> Encoded:
    studies, images, _ = pack_studies(studies, retriever.model.preprocess, cache)
    found = retriever.encode_with_features(images)
    return Encoded(studies, found.embeddings, found.features)


def _with_heads(space: FindingSpace, heads: FindingClassifier | None, one: Encoded) -> FindingSpace:
    """The readings, with mean and spread of their log odds over a validation split."""
    logits = None if heads is None else heads.logits(one.features)
    read = space.log_odds(one.embeddings, logits)
    return replace(space, heads=heads, usual=np.stack((read.mean(0), read.std(0).clip(1e-3))))


if __name__ == "__main__":
    main()

"""The report suggester measured: probabilities, findings, text, gate and heat maps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache as cache_result
from pathlib import Path

import numpy as np

from cxr.checkpoints import sigmoid
from cxr.data import load_split, load_studies
from cxr.files import read_json
from cxr.findings import Study
from cxr.images import load_image
from cxr.localization import Localizer
from cxr.metrics import expected_calibration_error, reliability, value_with_interval
from cxr.reporting import (
    FRONTAL,
    LIKELY,
    FilmFeatures,
    Phrase,
    ReportSuggester,
    compose_report,
    phrase_bank,
    report_text,
)
from cxr.retrieval import Retriever
from train.common.studies import frontal, labels_of
from train.evaluate.groups import by_group, mean_auroc_of, of_images
from train.evaluate.report_experts import evaluate_against_experts
from train.evaluate.report_gate import refused_at_home, refused_elsewhere, warned_of_mirroring
from train.evaluate.report_labels import baseline_rows, label_scores, per_finding, with_intervals
from train.evaluate.report_reading import Reports, read_images
from train.evaluate.report_text import meteor_modules, text_scores
from train.evaluate.retrieval import mean_auroc
from train.evaluate.saliency_checks import saliency_report
from train.reporting.features import features_of
from train.reporting.heads import zero_shot_directions
from train.reporting.measurements import measurements_of
from train.reporting.pictures import film_pictures

# Of metrics.json.
PARTS = ("probabilities", "reports", "experts", "groups", "gate", "elsewhere", "saliency")
CASES = 40  # films on which heat maps are checked


def evaluate_report(
    weights: str,
    reporting: Path,
    data: Path,
    split: str,
    cache: Path,
    rounds: int = 1000,
    seed: int = 0,
    others: int = 300,
    experts: Path | None = None,
    parts: Collection[str] = (),
    localizer: str = "",
    frontal_elsewhere: Sequence[Path] = (),
    children: Sequence[Path] = (),
) -> dict:
    """The report on one split of a data set, as JSON-able values.

    experts: a data set that radiologists read, whose same split is measured as well. localizer:
    the checkpoint that measures images beforehand, as the page does; "": none. frontal_elsewhere:
    other hospitals' data sets, of whose same split the gate is asked. children: data sets of
    children, likewise. parts: those of PARTS that are measured, () for all; metrics.json in
    `reporting` gives the others.

    Raises ValueError for a data set or checkpoint that cannot be read, fewer than 10 films, or
    parts that are unknown or would stand beside another split's.
    """
    splits = load_split(data, load_studies(data, labels="mined"))
    train, studies = frontal(splits["train"]), frontal(splits[split])
    if len(studies) < 10 or len(train) < 10:
        raise ValueError(
            f"expected at least 10 films in {data} ({split} and train), "
            f"got {len(studies)} and {len(train)}"
        )
    retriever = Retriever.load(weights, gallery=None)
    suggester = ReportSuggester.with_retriever(retriever, reporting, weights=weights)
    names = suggester.calibration.findings
    measuring = Localizer.load(localizer) if localizer else None
    pictures = film_pictures(studies, FRONTAL)
    films = features_of(retriever, pictures, cache, split)

    @cache_result
    def read() -> Reports:
        measured: list = [None] * len(studies)
        if measuring is not None:
            measured = measurements_of(measuring, pictures, cache, split)
        return read_images(suggester, films, measured)

    labels = labels_of(studies, names).numpy()
    about = {
        "data": data.resolve().name,
        "split": split,
        "films": len(studies),
        "encoder": retriever.encoder,
        "findings_from": suggester.calibration.source,
    }

    def reports() -> dict:
        bank = features_of(retriever, film_pictures(train, FRONTAL), cache, "train")
        return _reports(suggester, (studies, films, labels, read()), (train, bank), rounds, seed)

    def against_experts() -> dict:
        if experts is None:
            return {}
        against = evaluate_against_experts(
            suggester, measuring, experts, split, cache, rounds, seed
        )
        return {"experts": against}

    def elsewhere() -> dict:
        further = frontal_elsewhere, children
        refused = refused_elsewhere(suggester, studies, films, further, cache, split)
        if measuring is None:
            return refused
        return refused | warned_of_mirroring(measuring, studies, cache)

    def gate() -> dict:
        return refused_at_home(suggester, films, studies, cache, others, seed)

    measures: dict[str, Callable[[], dict]] = {
        "probabilities": lambda: _probabilities(suggester, films, read(), labels, rounds, seed),
        "reports": reports,
        "experts": against_experts,
        "groups": lambda: {"groups": _groups(read(), studies, labels, rounds, seed)},
        "gate": lambda: {"gate": gate()},
        "elsewhere": lambda: {"elsewhere": elsewhere()},
        "saliency": lambda: {
            "saliency": saliency_report(retriever, _cases(studies, names, seed), rounds, seed)
        },
    }
    found = {**(_kept(reporting, about, parts) if parts else {}), **about}
    for part in parts or PARTS:
        found |= measures[part]()
    found["rounds"] = {**found.get("rounds", {}), **dict.fromkeys(parts or PARTS, rounds)}
    return found


def _kept(reporting: Path, about: Mapping[str, object], parts: Collection[str]) -> dict:
    """What metrics.json holds of the same model and images. Raises as evaluate_report."""
    if not set(parts) <= set(PARTS):
        raise ValueError(
            f"expected parts among {', '.join(PARTS)}, got {', '.join(parts)}; correct them"
        )
    measured = read_json(reporting / "metrics.json", "what train.evaluate report wrote")
    # The gate and the heat maps do not depend on the heads that give the probabilities.
    anew = set(PARTS) - {"gate", "elsewhere", "saliency"} <= set(parts)
    same = [name for name in about if not (anew and name == "findings_from")]
    differ = [name for name in same if measured.get(name) != about[name]]
    if differ:
        raise ValueError(
            f"expected metrics of the same {', '.join(differ)} in {reporting}, got those of "
            "another; measure all: leave --parts out"
        )
    return measured


def _probabilities(
    suggester: ReportSuggester,
    films: FilmFeatures,
    read: Reports,
    labels: np.ndarray,
    rounds: int,
    seed: int,
) -> dict:
    """AUROC of the calibrated scores and of the prompts alone; calibration error before and after.

    Before: softmax over "X" and "no X" at the encoder's temperature (Radford et al. 2021).
    """
    calibration, chances = suggester.calibration, read.chances
    prompts = films.embeddings @ zero_shot_directions(suggester.retriever, calibration.findings)
    before = sigmoid(prompts / float(suggester.retriever.model.temperature))

    def error(values: np.ndarray) -> dict[str, float]:
        def of(rows: np.ndarray) -> float:
            known = ~np.isnan(labels[rows])
            return expected_calibration_error(values[rows][known], labels[rows][known])

        return value_with_interval(of, len(labels), rounds, seed)

    known = ~np.isnan(labels)
    bins = {
        name: [vars(one) for one in reliability(values[known], labels[known])]
        for name, values in (("before", before), ("after", chances))
    }
    return {
        "mean_auroc": mean_auroc(chances, labels, rounds, seed),
        "mean_auroc_prompts": mean_auroc(prompts, labels, rounds, seed),
        "calibration_error": {"before": error(before), "after": error(chances)},
        "reliability": bins,
    }


def _reports(
    suggester: ReportSuggester,
    judged: tuple[Sequence[Study], FilmFeatures, np.ndarray, Reports],
    bank: tuple[Sequence[Study], FilmFeatures],
    rounds: int,
    seed: int,
) -> dict:
    """Findings and text of the suggested reports beside three baselines from training films."""
    studies, films, labels, read = judged
    calibration, found = suggester.calibration, read.suggested
    truth, known = labels == 1, ~np.isnan(labels)
    lent = labels_of(bank[0], calibration.findings).numpy() == 1
    rows = baseline_rows(lent, bank[1].embeddings, films.embeddings, seed)
    named = {"suggested report": found, **{name: lent[row] for name, row in rows.items()}}
    scores = {
        name: with_intervals(
            lambda r, v=values: label_scores(v[r], truth[r], known[r]), len(studies), rounds, seed
        )
        for name, values in named.items()
    }
    written = sum(study.report is not None for study in [*studies, *bank[0]])
    own = written == len(studies) + len(bank[0])
    texts = {"suggested report": list(read.texts)}
    source = [
        study.report if own else canonical_report(row, calibration.findings)
        for study, row in zip(bank[0], lent)
    ]
    if not own:  # as the baselines are, in the very words of the reference
        texts["suggested findings, plain words"] = [
            canonical_report(row, calibration.findings) for row in found
        ]
    texts |= {name: [source[one] for one in row] for name, row in rows.items()}
    reference = [
        study.report if own else canonical_report(row, calibration.findings)
        for study, row in zip(studies, truth)
    ]
    return {
        "labels": scores,
        "per_finding": per_finding(found, truth & known, calibration.findings),
        "reference": "the studies' own reports"
        if own
        else "our phrases composed from the labels: the data set has no reports",
        "text": {name: text_scores(texts[name], reference) for name in texts},
        "meteor_modules": meteor_modules(),
    }


def _groups(
    read: Reports,
    studies: Sequence[Study],
    labels: np.ndarray,
    rounds: int,
    seed: int,
) -> dict:
    """Micro-F1 of the suggested findings and mean AUROC by sex, age band and view."""
    chances, found = read.chances, read.suggested
    truth, known = labels == 1, ~np.isnan(labels)
    f1 = of_images(lambda r: label_scores(found[r], truth[r], known[r])["micro_f1"])
    return by_group(
        studies, {"micro_f1": f1, "mean_auroc": mean_auroc_of(chances, labels)}, rounds, seed
    )


def canonical_report(present: np.ndarray, names: Sequence[str]) -> str:
    """The report that our phrases make of labels, bool [F]: the first phrase of each kind."""
    first: dict[tuple[frozenset, bool], Phrase] = {}
    for phrase in phrase_bank():
        if phrase.neutral:
            first.setdefault((frozenset(phrase.claims), phrase.likely), phrase)

    def choose(claims: Mapping[str, str], word: str) -> tuple[Phrase, float] | None:
        phrase = first.get((frozenset(claims.items()), word == LIKELY))
        return None if phrase is None else (phrase, 0.0)

    words = {name: LIKELY if there else "unlikely" for name, there in zip(names, present)}
    return report_text(compose_report(words, choose, names))


def _cases(studies: Sequence[Study], names: Sequence[str], seed: int) -> list:
    """Up to CASES films, each with one finding that it carries, drawn by the seed."""
    pairs = [(study, name) for study in studies for name in study.positive if name in names]
    drawn = np.random.default_rng(seed).permutation(len(pairs))[:CASES]
    return [(load_image(pairs[row][0].image), pairs[row][1]) for row in drawn]

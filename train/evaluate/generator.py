"""A generator measured beside real images and beside the reference trained on the same data.

Real images are reduced to the generator's side first, so that sharpness alone does not tell them
apart. What an image shows is said by a judge that had no part in the training
(train.evaluate.generator_judge). Images are compared by what two networks make of them, whose
Frechet distance is not the one called FID, and as thumbnails, by no network at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.checkpoints import fingerprint, read_config, resolve
from cxr.data import load_split, load_studies
from cxr.defaults import LOCALIZER
from cxr.findings import NIH_FINDINGS, Study, caption
from cxr.generation import (
    TOLD,
    Condition,
    Sampler,
    project_training_images,
    save_training_index,
)
from cxr.localization import Localizer
from cxr.retrieval import Retriever
from train.common.options import option
from train.common.studies import frontal, training_studies
from train.evaluate.films import FilmBank, FilmSet, read_films
from train.evaluate.generator_judge import Judge, fit_judge
from train.evaluate.generator_measures import (
    NORMAL,
    SEVERITY,
    conditions_of,
    copies,
    distances,
    halves,
    imagined_studies,
    request_of,
    shown_by_group,
    shown_findings,
    spread_of,
    thumbnails,
)
from train.evaluate.generator_sliders import heart_ratio_effect, severity_effects
from train.evaluate.generator_usefulness import usefulness
from train.reporting.heads import feature_parts

EACH = 40  # images asked for with each finding
LEAST = 8  # real images with a finding, for its spread to be measured
SMALL = 32  # pixels, for images that are compared point by point


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    """The options of train.evaluate generator."""

    weights: str = option("generator's checkpoint", "weights/generator")
    reference: str | None = option(
        "checkpoint of the reference profile, trained on the same data with captions", None
    )
    encoder: str = option("retrieval checkpoint that reads images", "weights/retrieval")
    localizer: str = option("checkpoint that measures hearts; '': none", LOCALIZER)
    data: Path = option("as it was trained on, like the next two")
    extra: list[Path] = option("further data sets, trained on only", [])
    normal: list[Path] = option("data sets of images read as normal", [])
    judge: list[Path] = option("labelled data sets that the judge is fitted to, beside --data", [])
    cache: Path = option("decoded images and features", Path(".cache/packed"))
    severity: float = option("of a finding that is asked for", SEVERITY)
    truncation: float = option("how far images stray from the typical one, 0 to 1", 1.0)
    rounds: int = option("bootstrap rounds", 300)
    seed: int = option("of every random draw", 0)
    write: bool = option("write metrics.json, originals.safetensors and the model card", False)


@dataclass(frozen=True, eq=False)
class GeneratorFilms:
    """Draws images and reads them; what was read is kept under `cache`."""

    retriever: Retriever
    sampler: Sampler
    severity: float
    truncation: float
    cache: Path

    def draw(self, conditions: Sequence[Condition], seed: int) -> FilmSet:
        """An image for each condition; its noise is drawn from the seed and its place."""
        return self._read(self.sampler.draw(conditions, seed, self.truncation), "drawn")

    def of_studies(self, studies: Sequence[Study], seed: int) -> FilmSet:
        """An image for each study, asked for by its findings, age, sex and view."""
        requests = [request_of(study, self.severity) for study in studies]
        return self.draw(conditions_of(requests, seed), seed)

    def of_captions(self, reference: Sampler, studies: Sequence[Study], seed: int) -> FilmSet:
        """An image by the reference for the caption of each study."""
        drawn = (
            reference.sample(caption(study), 1, seed + row)[0] for row, study in enumerate(studies)
        )
        return self._read(list(drawn), "reference")

    def _read(self, images: Sequence, title: str) -> FilmSet:
        squares = np.stack([np.asarray(image) for image in images])
        return read_films(self.retriever, squares, self.cache, title)


def compare(
    films: GeneratorFilms,
    reference: Sampler | None,
    real: dict[str, tuple[FilmSet, list[Study]]],
    seed: int,
) -> tuple[dict, dict[str, FilmSet]]:
    """Measure the distances of generators, on conditions of the train and the test split.

    Real images against real images are the floor.

    Args:
        films: of the generator.
        reference: another generator, which is asked with captions.
        real: by split the images and their studies.
        seed: of what is drawn.

    Returns:
        (the numbers by split and generator, the generated images by split).
    """
    train, studies = real["train"]
    one, other = halves([study.patient for study in studies], seed)
    few = np.random.default_rng(seed).permutation(len(train))[: len(real["test"][0])]
    out = {
        "train": {"real": distances(train.rows(one), train.rows(other))},
        "test": {"real": distances(real["test"][0], train.rows(few))},
    }
    made = {}
    for place, (split, (shown, studies)) in enumerate(real.items()):
        made[split] = films.of_studies(studies, seed + place)
        out[split]["generator"] = distances(shown, made[split])
        if reference is not None:
            captioned = films.of_captions(reference, studies, seed)
            out[split]["reference"] = distances(shown, captioned)
    return out, made


def spreads(
    shown: FilmSet, asked: Sequence[Study], real: FilmSet, studies: Sequence[Study]
) -> dict[str, dict]:
    """For each finding that LEAST real images show: images asked for with it beside those."""
    out = {}
    for name in NIH_FINDINGS:
        ours, theirs = (
            np.flatnonzero([study.findings.get(name) == 1 for study in some])
            for some in (asked, studies)
        )
        if len(theirs) >= LEAST:
            out[name] = spread_of(shown.embeddings[ours], real.embeddings[theirs])
    return out


def seconds_for_16(sampler: Sampler) -> float:
    """Wall-clock seconds for 16 images of one condition, the median of five."""
    asked = [Condition({NIH_FINDINGS[0]: SEVERITY})] * 16
    sampler.draw(asked)
    times = []
    for seed in range(5):
        start = time.perf_counter()
        sampler.draw(asked, seed)
        times.append(time.perf_counter() - start)
    return round(float(np.median(times)), 3)


def known_patients(studies: Sequence[Study]) -> list[str]:
    """The patient of each study; "" where the data set does not say and each is its own."""
    return [
        "" if study.patient == study.id else f"{study.source} {study.patient}" for study in studies
    ]


def trained_on(data: Path, extra: Sequence[Path], normal: Sequence[Path]) -> list[Study]:
    """Frontal studies of the train splits of the data sets that a generator was trained on."""
    train, _, further = training_studies(data, extra)
    return train + further + [study for root in normal for study in frontal(load_studies(root))]


def measure_generator(options: GeneratorOptions) -> dict:
    """Measure a generator that conditions are drawn with.

    With --write the projections of its training images go into the checkpoint.

    Returns:
        The numbers, JSON-able.

    Raises:
        ValueError: data or checkpoints that cannot be read, or fewer than 10 images of a split.
    """
    seed, rounds, cache = options.seed, options.rounds, options.cache
    retriever = Retriever.load(options.encoder, gallery=None)
    localizer = Localizer.load(options.localizer, options.encoder) if options.localizer else None
    sampler = Sampler.load(options.weights)
    films = GeneratorFilms(retriever, sampler, options.severity, options.truncation, cache)
    reference = Sampler.load(options.reference, options.encoder) if options.reference else None
    bank = FilmBank.of(retriever, [options.data, *_further(options)], cache)
    judge = fit_judge(retriever, bank, options.data, options.judge, cache)
    real = {
        split: (bank.of_studies(studies), studies)
        for split, studies in _split_studies(options.data).items()
    }
    distance, made = compare(films, reference, real, seed)
    asked = imagined_studies((*NIH_FINDINGS, NORMAL), EACH, seed)
    shown = films.of_studies(asked, seed + len(real))
    found = _shown(judge, shown, asked, options)
    spread = spreads(shown, asked, *real["train"])
    part, studies = feature_parts(retriever.model.image_encoder)[0], real["train"][1]
    return {
        "data": options.data.resolve().name,
        "weights_sha256": fingerprint(options.weights),
        "encoder_sha256": retriever.encoder,
        "seconds_for_16": seconds_for_16(sampler),
        "severity": options.severity,
        "truncation": options.truncation,
        "distances": distance,
        **found,
        "spread": spread,
        "mean_spread": round(float(np.mean([e["ratio"] for e in spread.values()])), 3)
        if spread
        else None,
        "sliders": severity_effects(films.draw, judge, localizer, seed),
        "heart_ratio": _heart_ratio(films, localizer, seed),
        "usefulness": usefulness(
            part, (made["train"], studies), real["train"], real["test"], rounds, seed, cache
        ),
        "copies": _copies(options, bank, retriever.encoder, [*made.values(), shown]),
        "training": read_config(resolve(options.weights)).get("training", {}),
    }


def _heart_ratio(films: GeneratorFilms, localizer: Localizer | None, seed: int) -> dict | None:
    numbers = films.sampler.condition
    if localizer is None or numbers is None:
        return None
    return heart_ratio_effect(films.draw, numbers, localizer, seed)


def _further(options: GeneratorOptions) -> list[Path]:
    return [*options.extra, *options.normal, *options.judge]


def _shown(
    judge: Judge, shown: FilmSet, asked: Sequence[Study], options: GeneratorOptions
) -> dict[str, dict | int]:
    """What the judge says of images asked for, and how well it tells findings on real ones."""
    scores = judge.scores(shown.features)
    names, rounds, seed = judge.findings, options.rounds, options.seed
    words = [next(iter(study.findings)) for study in asked]
    found = shown_findings(scores, words, names, rounds, seed)
    return {
        "findings": {name: {**entry, "judge": judge.auroc[name]} for name, entry in found.items()},
        "findings_shown": sum(entry["value"] >= TOLD for entry in found.values()),
        "shown_beside_normal": sum(
            entry.get("beside_normal", 0) >= TOLD for entry in found.values()
        ),
        "groups": shown_by_group(scores, asked, names, rounds, seed),
        "judge": {"data": [root.resolve().name for root in (options.data, *options.judge)]},
    }


def _split_studies(data: Path) -> dict[str, list[Study]]:
    """Frontal studies of the train and the test split; raises ValueError for fewer than 10."""
    split = load_split(data, load_studies(data, labels="mined"))
    found = {name: frontal(split[name]) for name in ("train", "test")}
    if min(map(len, found.values())) < 10:
        raise ValueError(
            f"expected at least 10 images to train and to test in {data}, got "
            f"{len(found['train'])} and {len(found['test'])}; use another data set"
        )
    return found


def _copies(
    options: GeneratorOptions, bank: FilmBank, encoder: str, generated: Sequence[FilmSet]
) -> dict[str, dict]:
    """How near generated images come to those that the generator was trained on.

    With options.write the projections of the training images are saved in the checkpoint.
    """
    studies = trained_on(options.data, options.extra, options.normal)
    rows, patients = bank.rows_of(studies), known_patients(studies)
    embeddings, squares = bank.films.embeddings[rows], bank.films.squares[rows]
    if options.write:
        index = project_training_images(embeddings, patients, encoder)
        save_training_index(index, Path(options.weights))
    ours = np.concatenate([one.embeddings for one in generated])
    small = np.concatenate([thumbnails(one.squares, SMALL) for one in generated])
    return {
        "embedding": copies(ours, embeddings, patients),
        "pixels": copies(small, thumbnails(squares, SMALL), patients),
    }

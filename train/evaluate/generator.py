"""A generator measured beside real films and beside the reference trained on the same data.

Real films are reduced to the generator's side first, so that sharpness alone does not tell them
apart. Films are seen by the retrieval model, whose Frechet distance is not the one called FID, and
by no network at all, as thumbnails.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cxr.checkpoints import fingerprint, read_config, resolve
from cxr.data import load_split, load_studies
from cxr.findings import Study
from cxr.generation import Sampler, TrainingImageIndex, project_training_images, save_training_index
from cxr.images import Preprocess
from cxr.models import SIDE
from cxr.retrieval import Retriever
from train.common.feature_cache import cached_features
from train.common.image_cache import pack
from train.common.studies import ABNORMAL_FINDINGS, frontal
from train.evaluate.generator_measures import (
    canonical,
    caption_agreement,
    copies,
    distances,
    halves,
    imagined_films,
    pictures,
    shown_by_group,
    shown_findings,
    spread,
    thumbnails,
)
from train.gan.data import generator_studies
from train.gan.validation import generate
from train.retrieval.validation import prompt_scores

EACH = 40  # films asked for with each finding
LEAST = 8  # real films with a finding, for its spread to be measured
SMALL = 32  # pixels, for films that are compared point by point
GOOD = 0.8  # AUROC from which a finding counts as shown


@dataclass(frozen=True, eq=False)
class Films:
    """N films at the generator's side, and what the retrieval model makes of them."""

    squares: np.ndarray  # uint8 [N, 128, 128]
    embeddings: np.ndarray  # float32 [N, 512]

    @property
    def both(self) -> tuple[np.ndarray, np.ndarray]:
        """(embeddings, thumbnails), as `distances` takes them."""
        return self.embeddings, thumbnails(self.squares)

    def rows(self, index: np.ndarray) -> Films:
        """Some of them."""
        return Films(self.squares[index], self.embeddings[index])


class GeneratorEvaluation:
    """Makes and embeds films; embeddings of real ones are kept under `cache`."""

    def __init__(self, retriever: Retriever, cache: Path) -> None:
        self.retriever, self.cache = retriever, cache

    def real(self, studies: Sequence[Study]) -> Films:
        """The films of studies, each reduced to 128 x 128. Raises ValueError when one cannot be
        read.
        """
        paths = [study.image for study in studies]
        squares, readable = pack(paths, Preprocess(SIDE, 0.5, 0.5, 1), self.cache)
        if not readable.all():
            raise ValueError(
                f"expected readable films; got {(~readable).sum()} that are not, the first "
                f"{paths[int(np.argmin(readable))]}; take them out of the data set"
            )
        some = np.ascontiguousarray(squares[:: max(1, len(squares) // 50)])
        digest = hashlib.sha256(some.tobytes()).hexdigest()
        key = [self.retriever.encoder, digest, *(study.id for study in studies)]
        found = cached_features(
            self.cache, key, lambda: {"embeddings": torch.from_numpy(self._embed(squares))}
        )
        return Films(np.asarray(squares), found["embeddings"].numpy())

    def made(self, sampler: Sampler, texts: Sequence[str], seed: int) -> Films:
        """One generated film a text; full noise, drawn from the seed."""
        drawn = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(texts), sampler.generator.config.noise, generator=drawn)
        squares = generate(sampler.generator, noise, sampler.tower.encode_text(texts)).numpy()
        return Films(squares, self._embed(squares))

    def _embed(self, squares: np.ndarray) -> np.ndarray:
        parts = [
            self.retriever.encode_images(pictures(squares[first : first + 64]))
            for first in range(0, len(squares), 64)
        ]
        return np.concatenate(parts)


def compare(
    bench: GeneratorEvaluation,
    samplers: dict[str, Sampler],
    train: Sequence[Study],
    test: Sequence[Study],
    seed: int,
) -> tuple[dict, dict[str, Films]]:
    """Distances of every generator, on captions of the training and of the test films, with real
    films against real films as floor -> (the numbers, the generated films by "name captions").
    """
    real = {"train": bench.real(train), "test": bench.real(test)}
    one, other = halves([study.patient for study in train], seed)
    few = np.random.default_rng(seed).permutation(len(train))[: len(test)]
    out = {
        "train": {"real": distances(real["train"].rows(one).both, real["train"].rows(other).both)},
        "test": {"real": distances(real["test"].both, real["train"].rows(few).both)},
    }
    made = {}
    for name, sampler in samplers.items():
        for split, studies in (("train", train), ("test", test)):
            films = bench.made(sampler, canonical(studies), seed)
            made[f"{name} {split}"] = films
            out[split][name] = distances(real[split].both, films.both)
    return out, made


def spreads(
    bench: GeneratorEvaluation, sampler: Sampler, train: Sequence[Study], seed: int
) -> dict[str, dict]:
    """For each finding that LEAST films show: films of one caption beside those films."""
    out = {}
    for name in ABNORMAL_FINDINGS:
        shown = [study for study in train if study.findings.get(name) == 1]
        if len(shown) >= LEAST:
            text = f"Findings: {name}."
            out[name] = spread(
                bench.made(sampler, [text] * EACH, seed).embeddings, bench.real(shown).embeddings
            )
    return out


def seconds_for_16(sampler: Sampler) -> float:
    """Wall-clock seconds for 16 films of one text, the median of five."""
    sampler.sample("cardiomegaly", 16)
    times = []
    for seed in range(5):
        start = time.perf_counter()
        sampler.sample("cardiomegaly", 16, seed)
        times.append(time.perf_counter() - start)
    return round(float(np.median(times)), 3)


def known_patients(studies: Sequence[Study]) -> list[str]:
    """The patient of each film; "" where the data set does not say, and every film is its own."""
    return [
        "" if study.patient == study.id else f"{study.source} {study.patient}" for study in studies
    ]


def training_prints(
    retriever: Retriever, data: Path, extra: Sequence[Path], normal: Sequence[Path], cache: Path
) -> tuple[TrainingImageIndex, Films, list[str]]:
    """Fingerprints of the films that a generator was trained on, these films, their patients."""
    studies, *_ = generator_studies(data, extra, normal)
    films, patients = GeneratorEvaluation(retriever, cache).real(studies), known_patients(studies)
    return project_training_images(films.embeddings, patients, retriever.encoder), films, patients


def evaluate_generator(
    weights: str,
    reference: str | None,
    encoder: str,
    data: Path,
    extra: Sequence[Path],
    normal: Sequence[Path],
    cache: Path,
    rounds: int = 300,
    seed: int = 0,
) -> tuple[dict, TrainingImageIndex]:
    """The report as JSON-able values, and the fingerprints of the training films.

    data, extra, normal: what it was trained on; captions and films of the train and of the test
    split of `data` are compared. Raises ValueError for data or checkpoints that cannot be read.
    """
    retriever = Retriever.load(encoder, gallery=None)
    bench, samplers = (
        GeneratorEvaluation(retriever, cache),
        {"generator": Sampler.load(weights, encoder)},
    )
    if reference:
        samplers["reference"] = Sampler.load(reference, encoder)
    split = load_split(data, load_studies(data, labels="mined"))
    train, test = frontal(split["train"]), frontal(split["test"])
    if min(len(train), len(test)) < 10:
        raise ValueError(
            f"expected at least 10 films to train and to test in {data}; got "
            f"{len(train)} and {len(test)}"
        )
    compared, made = compare(bench, samplers, train, test, seed)
    asked = imagined_films(ABNORMAL_FINDINGS, EACH, seed)
    shown = bench.made(samplers["generator"], canonical(asked), seed)
    scores = prompt_scores(retriever.model, shown.embeddings, ABNORMAL_FINDINGS)
    found = shown_findings(scores, [s.positive[0] for s in asked], ABNORMAL_FINDINGS, rounds, seed)
    texts = retriever.encode_text(canonical(test))
    spreading = spreads(bench, samplers["generator"], train, seed)
    originals, training, patients = training_prints(retriever, data, extra, normal, cache)
    every = [made["generator train"], made["generator test"], shown]
    ratio = None
    if reference:
        ratio = {
            s: round(
                compared[s]["generator"]["frechet_distance"]
                / compared[s]["reference"]["frechet_distance"],
                3,
            )
            for s in compared
        }
    report = {
        "data": data.resolve().name,
        "weights_sha256": fingerprint(weights),
        "encoder_sha256": retriever.encoder,
        "seconds_for_16": seconds_for_16(samplers["generator"]),
        "distances": compared,
        "frechet_ratio": ratio,
        "captions": {
            "generator": caption_agreement(made["generator test"].embeddings, texts),
            "real": caption_agreement(bench.real(test).embeddings, texts),
        },
        "findings": found,
        "findings_shown": sum(e["value"] >= GOOD for e in found.values()),
        "groups": shown_by_group(scores, asked, ABNORMAL_FINDINGS, rounds, seed),
        "spread": spreading,
        "mean_spread": round(float(np.mean([e["ratio"] for e in spreading.values()])), 3)
        if spreading
        else None,
        "copies": {
            "embedding": copies(
                np.concatenate([f.embeddings for f in every]), training.embeddings, patients
            ),
            "pixels": copies(
                np.concatenate([thumbnails(f.squares, SMALL) for f in every]),
                thumbnails(training.squares, SMALL),
                patients,
            ),
        },
        "training": read_config(resolve(weights)).get("training", {}),
    }
    return report, originals


def add_generator(commands) -> None:
    """The sub-command of train.evaluate."""
    command = commands.add_parser("generator", help="generated films beside real ones")
    add = command.add_argument
    add("--weights", default="weights/generator")
    add("--reference", help="checkpoint of the reference profile, trained on the same data")
    add("--encoder", default="weights/retrieval", help="retrieval checkpoint that looks at films")
    add("--data", type=Path, required=True, help="as it was trained on, like the next two")
    add("--extra", type=Path, nargs="*", default=[])
    add("--normal", type=Path, nargs="*", default=[])
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--rounds", type=int, default=300, help="bootstrap rounds")
    add("--seed", type=int, default=0)
    add("--write", action="store_true", help="metrics.json, originals and the model card")


def measure_generator(options: argparse.Namespace) -> dict:
    """`evaluate_generator` as the command line asks for it; with --write the fingerprints of the
    training films go into the checkpoint.
    """
    report, originals = evaluate_generator(
        options.weights,
        options.reference,
        options.encoder,
        options.data,
        options.extra,
        options.normal,
        options.cache,
        options.rounds,
        options.seed,
    )
    if options.write:
        save_training_index(originals, Path(options.weights))
    return report

"""A generator measured beside real images and beside the reference trained on the same data.

Real images are reduced to the generator's side first, so that sharpness alone does not tell them
apart. Images are compared as embeddings of the retrieval model, whose Frechet distance is not the
one called FID, and as thumbnails, by no network at all.
"""

from __future__ import annotations

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
from cxr.generation import Sampler, project_training_images, save_training_index
from cxr.images import Preprocess
from cxr.models import SIDE
from cxr.retrieval import Retriever
from train.common.feature_cache import cached_features
from train.common.image_cache import pack
from train.common.options import option
from train.common.studies import ABNORMAL_FINDINGS, frontal
from train.evaluate.generator_measures import (
    canonical,
    caption_agreement,
    copies,
    distances,
    halves,
    imagined_studies,
    shown_by_group,
    shown_findings,
    spread_of,
    thumbnails,
    to_images,
)
from train.gan.data import generator_studies
from train.gan.validation import generate
from train.retrieval.validation import prompt_scores

EACH = 40  # images asked for with each finding
LEAST = 8  # real images with a finding, for its spread to be measured
SMALL = 32  # pixels, for images that are compared point by point
GOOD = 0.8  # AUROC from which a finding counts as shown


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N images at the generator's side, with their embeddings.

    Attributes:
        squares: uint8 [N, 128, 128].
        embeddings: float32 [N, 512], unit rows.
    """

    squares: np.ndarray
    embeddings: np.ndarray

    @property
    def both(self) -> tuple[np.ndarray, np.ndarray]:
        """(embeddings, thumbnails), as `distances` takes them."""
        return self.embeddings, thumbnails(self.squares)

    def rows(self, index: np.ndarray) -> ImageSet:
        """Some of them."""
        return ImageSet(self.squares[index], self.embeddings[index])


class GeneratorImages:
    """Generates and embeds images; embeddings of real ones are kept under `cache`."""

    def __init__(self, retriever: Retriever, cache: Path) -> None:
        self.retriever, self.cache = retriever, cache

    def real(self, studies: Sequence[Study]) -> ImageSet:
        """The images of studies, each reduced to 128 x 128.

        Raises:
            ValueError: one cannot be read.
        """
        paths = [study.image for study in studies]
        squares, readable = pack(paths, Preprocess(SIDE, 0.5, 0.5, 1), self.cache)
        if not readable.all():
            raise ValueError(
                f"expected readable images, got {(~readable).sum()} that are not, the first "
                f"{paths[int(np.argmin(readable))]}; take them out of the data set"
            )
        some = np.ascontiguousarray(squares[:: max(1, len(squares) // 50)])
        digest = hashlib.sha256(some.tobytes()).hexdigest()
        key = [self.retriever.encoder, digest, *(study.id for study in studies)]
        found = cached_features(
            self.cache, key, lambda: {"embeddings": torch.from_numpy(self._embed(squares))}
        )
        return ImageSet(np.asarray(squares), found["embeddings"].numpy())

    def generated(self, sampler: Sampler, texts: Sequence[str], seed: int) -> ImageSet:
        """One generated image a text; full noise, drawn from the seed."""
        drawn = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(texts), sampler.generator.config.noise, generator=drawn)
        squares = generate(
            sampler.generator, noise, sampler.text_encoder.encode_text(texts)
        ).numpy()
        return ImageSet(squares, self._embed(squares))

    def _embed(self, squares: np.ndarray) -> np.ndarray:
        parts = [
            self.retriever.encode_images(to_images(squares[first : first + 64]))
            for first in range(0, len(squares), 64)
        ]
        return np.concatenate(parts)


def compare(
    images: GeneratorImages,
    samplers: dict[str, Sampler],
    train: Sequence[Study],
    test: Sequence[Study],
    seed: int,
) -> tuple[dict, dict[str, ImageSet]]:
    """Measure the distances of every generator, on captions of the train and the test split.

    Real images against real images are the floor.

    Returns:
        (the numbers by split and generator, the generated images by "generator split").
    """
    real = {"train": images.real(train), "test": images.real(test)}
    one, other = halves([study.patient for study in train], seed)
    few = np.random.default_rng(seed).permutation(len(train))[: len(test)]
    out = {
        "train": {"real": distances(real["train"].rows(one).both, real["train"].rows(other).both)},
        "test": {"real": distances(real["test"].both, real["train"].rows(few).both)},
    }
    made = {}
    for name, sampler in samplers.items():
        for split, studies in (("train", train), ("test", test)):
            generated = images.generated(sampler, canonical(studies), seed)
            made[f"{name} {split}"] = generated
            out[split][name] = distances(real[split].both, generated.both)
    return out, made


def spreads(
    images: GeneratorImages, sampler: Sampler, train: Sequence[Study], seed: int
) -> dict[str, dict]:
    """For each finding that LEAST real images show: images of one caption beside those."""
    out = {}
    for name in ABNORMAL_FINDINGS:
        shown = [study for study in train if study.findings.get(name) == 1]
        if len(shown) >= LEAST:
            text = f"Findings: {name}."
            out[name] = spread_of(
                images.generated(sampler, [text] * EACH, seed).embeddings,
                images.real(shown).embeddings,
            )
    return out


def seconds_for_16(sampler: Sampler) -> float:
    """Wall-clock seconds for 16 images of one text, the median of five."""
    sampler.sample("cardiomegaly", 16)
    times = []
    for seed in range(5):
        start = time.perf_counter()
        sampler.sample("cardiomegaly", 16, seed)
        times.append(time.perf_counter() - start)
    return round(float(np.median(times)), 3)


def known_patients(studies: Sequence[Study]) -> list[str]:
    """The patient of each study; "" where the data set does not say and each is its own."""
    return [
        "" if study.patient == study.id else f"{study.source} {study.patient}" for study in studies
    ]


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions:
    """The options of train.evaluate generator."""

    weights: str = option("generator's checkpoint", "weights/generator")
    reference: str | None = option(
        "checkpoint of the reference profile, trained on the same data", None
    )
    encoder: str = option("retrieval checkpoint that embeds images", "weights/retrieval")
    data: Path = option("as it was trained on, like the next two")
    extra: list[Path] = option("further data sets, trained on only", [])
    normal: list[Path] = option("data sets of images read as normal", [])
    cache: Path = option("decoded images and features", Path(".cache/packed"))
    rounds: int = option("bootstrap rounds", 300)
    seed: int = option("of every random draw", 0)
    write: bool = option("write metrics.json, originals.safetensors and the model card", False)


def measure_generator(options: GeneratorOptions) -> dict:
    """Measure a generator; captions and images of the train and test split are compared.

    With --write the projections of its training images go into the checkpoint.

    Returns:
        The numbers, JSON-able.

    Raises:
        ValueError: data or checkpoints that cannot be read, or fewer than 10 images of a split.
    """
    seed, rounds = options.seed, options.rounds
    retriever = Retriever.load(options.encoder, gallery=None)
    images = GeneratorImages(retriever, options.cache)
    samplers = {"generator": Sampler.load(options.weights, options.encoder)}
    if options.reference:
        samplers["reference"] = Sampler.load(options.reference, options.encoder)
    train, test = _split_studies(options.data)
    distance, made = compare(images, samplers, train, test, seed)
    asked = imagined_studies(ABNORMAL_FINDINGS, EACH, seed)
    shown = images.generated(samplers["generator"], canonical(asked), seed)
    scores = prompt_scores(retriever.model, shown.embeddings, ABNORMAL_FINDINGS)
    found = shown_findings(scores, [s.positive[0] for s in asked], ABNORMAL_FINDINGS, rounds, seed)
    texts = retriever.encode_text(canonical(test))
    spread = spreads(images, samplers["generator"], train, seed)
    every = [made["generator train"], made["generator test"], shown]
    return {
        "data": options.data.resolve().name,
        "weights_sha256": fingerprint(options.weights),
        "encoder_sha256": retriever.encoder,
        "seconds_for_16": seconds_for_16(samplers["generator"]),
        "distances": distance,
        "frechet_ratio": _frechet_ratios(distance) if options.reference else None,
        "captions": {
            "generator": caption_agreement(made["generator test"].embeddings, texts),
            "real": caption_agreement(images.real(test).embeddings, texts),
        },
        "findings": found,
        "findings_shown": sum(e["value"] >= GOOD for e in found.values()),
        "groups": shown_by_group(scores, asked, ABNORMAL_FINDINGS, rounds, seed),
        "spread": spread,
        "mean_spread": round(float(np.mean([e["ratio"] for e in spread.values()])), 3)
        if spread
        else None,
        "copies": _copies(options, images, every),
        "training": read_config(resolve(options.weights)).get("training", {}),
    }


def _split_studies(data: Path) -> tuple[list[Study], list[Study]]:
    """Frontal studies of the train and of the test split; raises ValueError for fewer than 10."""
    split = load_split(data, load_studies(data, labels="mined"))
    train, test = frontal(split["train"]), frontal(split["test"])
    if min(len(train), len(test)) < 10:
        raise ValueError(
            f"expected at least 10 images to train and to test in {data}, got "
            f"{len(train)} and {len(test)}; use another data set"
        )
    return train, test


def _frechet_ratios(distance: dict) -> dict[str, float]:
    """The generator's Frechet distance over the reference's, by split."""
    ratios = {
        split: found["generator"]["frechet_distance"] / found["reference"]["frechet_distance"]
        for split, found in distance.items()
    }
    return {split: round(ratio, 3) for split, ratio in ratios.items()}


def _copies(
    options: GeneratorOptions, images: GeneratorImages, generated: Sequence[ImageSet]
) -> dict[str, dict]:
    """How near generated images come to those that the generator was trained on.

    With options.write the projections of the training images are saved in the checkpoint.
    """
    studies, *_ = generator_studies(options.data, options.extra, options.normal)
    training, patients = images.real(studies), known_patients(studies)
    if options.write:
        encoder = images.retriever.encoder
        index = project_training_images(training.embeddings, patients, encoder)
        save_training_index(index, Path(options.weights))
    small = [thumbnails(one.squares, SMALL) for one in (*generated, training)]
    return {
        "embedding": copies(
            np.concatenate([one.embeddings for one in generated]), training.embeddings, patients
        ),
        "pixels": copies(np.concatenate(small[:-1]), small[-1], patients),
    }

"""Make examples/gallery: generated studies that a fresh checkout searches offline.

    python -m train.gan.example_gallery --data ROOT --extra ... --normal ... --judge ... --out DIR
    python -m train.gan.example_gallery --re-embed --out DIR    # for a new encoder

About a quarter of the studies are normal; a third of the others have two or three findings, such
as they occur together in the training data. Only findings that the judge of `train.evaluate
generator` tells from normal on generated images are asked for. An image is kept if that judge finds
each finding as clearly as in half of the real images that show it (--clear) and in a normal one
nothing more than in most normal ones, the measured heart goes with it, it has no black hole in the
body, and it is no copy of a training image, neither by its embedding nor by its pixels. Each has a
mark in its corner, and its study says that it is synthetic.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.data import load_studies
from cxr.defaults import LOCALIZER
from cxr.files import read_json
from cxr.findings import NIH_FINDINGS, SEXES, Study
from cxr.gallery import Gallery, build_gallery
from cxr.generation import FILE, DrawingRequest, Sampler, TrainingImageIndex, has_hole
from cxr.images import corner_mark
from cxr.localization import Localizer
from cxr.metrics import nearest_distance
from cxr.retrieval import Retriever
from train.common.options import option, parse_options
from train.evaluate.films import FilmBank, FilmSet, read_films
from train.evaluate.generator import SMALL, known_patients, trained_on
from train.evaluate.generator_judge import Judge, fit_judge
from train.evaluate.generator_measures import (
    NORMAL,
    VIEWS,
    conditions_of,
    nearest_pair,
    request_of,
    thumbnails,
)
from train.evaluate.generator_sliders import CARDIOMEGALY, heart_ratios

MODULE = "train.gan.example_gallery"
SOURCE = "synthetic: made by the generator of this project"
LICENCE = "CC BY-NC-SA 4.0"
MARK = "SYNTHETIC"
AGES = (18, 88)  # years
NORMAL_SHARE, SEVERAL_SHARE = 0.24, 1 / 3  # of all studies; of those with findings
MOST_FINDINGS = 3  # on an image
TOLD = 0.7  # AUROC beside normal generated images from which a finding may be a label
LEAST_FILMS = 16  # of a finding, or it is left out
FEW_REAL = 5  # real images with a finding, below which none is asked for
QUIET = 0.9  # quantile of real normal images that a normal one stays below, finding by finding
ENLARGED = 0.52  # cardiothoracic ratio from which a heart goes with cardiomegaly


def wanted_findings(
    names: Sequence[str], together: Sequence[tuple[str, ...]], count: int, rng: np.random.Generator
) -> list[tuple[str, ...]]:
    """The findings of `count` studies to ask for; () is a normal one.

    Args:
        names: those that may be asked for, each by itself equally often.
        together: findings of training images that have several, which are drawn from.
        count: how many studies.
        rng: what is drawn from.
    """
    normal = round(NORMAL_SHARE * count)
    chosen = [tuple(n for n in one if n in names) for one in together]
    chosen = [one for one in chosen if len(one) > 1]
    several = round(SEVERAL_SHARE * (count - normal)) if chosen else 0
    single = [(names[row % len(names)],) for row in range(count - normal - several)]
    drawn = [chosen[row] for row in rng.integers(0, max(1, len(chosen)), several)]
    shortened = [tuple(rng.permutation(one)[:MOST_FINDINGS].tolist()) for one in drawn]
    ordered = [tuple(sorted(one, key=NIH_FINDINGS.index)) for one in shortened]
    return [()] * normal + single + ordered


def wanted_studies(wanted: Sequence[tuple[str, ...]], rng: np.random.Generator) -> list[Study]:
    """A study for each, over sexes, views and ages."""
    numbers: Counter = Counter()
    studies = []
    for row, names in enumerate(wanted):
        words = "-".join(names or (NORMAL,)).replace(" ", "-")
        name = f"synthetic-{words}-{numbers[words]:02d}"
        turn = numbers[words] if len(names) < 2 else row
        numbers[words] += 1
        normal = dict.fromkeys(NIH_FINDINGS, 0) | {NORMAL: 1}
        studies.append(
            Study(
                id=name,
                source=SOURCE,
                patient=name,
                sex=SEXES[turn % 2],
                view=VIEWS[turn // 2 % 2],
                age=int(rng.integers(AGES[0], AGES[1] + 1)),
                findings=dict.fromkeys(names, 1) or normal,
                licence=LICENCE,
            )
        )
    return studies


def drawn_request(
    study: Study, between: Sequence[float], rng: np.random.Generator
) -> DrawingRequest:
    """What to ask the generator for, each severity drawn anew between two."""
    severities = {name: float(rng.uniform(*between)) for name in study.positive}
    return replace(request_of(study), severities=severities)


def least_scores(judge: Judge, quantile: float) -> np.ndarray:
    """That quantile of what real images with each finding score; NaN for fewer than FEW_REAL."""
    return np.array(
        [
            np.quantile(scores, quantile) if len(scores) >= FEW_REAL else np.nan
            for scores in judge.shown
        ]
    )


@dataclass(frozen=True, eq=False)
class Selector:
    """Decides which generated image may represent a study.

    Attributes:
        least: float [F], what the judge must score a finding that was asked for.
        most: float [F], what it may score each finding on a normal image.
        localizer: measures hearts; None leaves them unmeasured.
        pixels: thumbnails of the training images, float [N, P].
        limit: their distance below which an image is a copy.
    """

    retriever: Retriever
    judge: Judge
    least: np.ndarray
    most: np.ndarray
    localizer: Localizer | None
    originals: TrainingImageIndex
    pixels: np.ndarray
    limit: float

    @classmethod
    def of(cls, retriever: Retriever, originals: TrainingImageIndex, options: Options) -> Selector:
        """Fit the judge, and measure the images that the generator was trained on."""
        assert options.data is not None
        roots = [options.data, *options.extra, *options.normal, *options.judge]
        bank = FilmBank.of(retriever, roots, options.cache)
        judge = fit_judge(retriever, bank, options.data, options.judge, options.cache)
        localizer = (
            Localizer.load(options.localizer, options.encoder) if options.localizer else None
        )
        studies = trained_on(options.data, options.extra, options.normal)
        pixels = thumbnails(bank.films.squares[bank.rows_of(studies)], SMALL)
        limit = nearest_pair(pixels, known_patients(studies))
        least = least_scores(judge, options.clear)
        most = np.quantile(judge.real, QUIET, 0)
        return cls(retriever, judge, least, most, localizer, originals, pixels, limit)

    def margins(self, studies: Sequence[Study], films: FilmSet) -> np.ndarray:
        """By how much each image shows what its study says, float [N]; below 0 it does not."""
        scores = self.judge.scores(films.features)
        columns = [[self.judge.findings.index(n) for n in study.positive] for study in studies]
        return np.array(
            [
                (row[shown] - self.least[shown]).min() if shown else (self.most - row).min()
                for row, shown in zip(scores, columns)
            ]
        )

    def copies(self, films: FilmSet) -> np.ndarray:
        """Which images are copies of training images, bool [N]."""
        checks = self.originals.check(films.embeddings, self.retriever.encoder)
        near = nearest_distance(thumbnails(films.squares, SMALL), self.pixels)[0] < self.limit
        return near | np.array([check.is_copy for check in checks])

    def heart_fits(self, study: Study, square: np.ndarray) -> bool:
        """Whether the measured heart is large with cardiomegaly, and is not on a normal image."""
        enlarged = CARDIOMEGALY in study.positive
        if self.localizer is None or not (enlarged or study.findings.get(NORMAL) == 1):
            return True
        ratio = heart_ratios(self.localizer, square[None])[0]
        return bool(ratio >= ENLARGED if enlarged else ratio < ENLARGED)

    def select(self, studies: Sequence[Study], films: FilmSet) -> dict[str, np.ndarray]:
        """By study id the image that shows its findings best, where one may represent it.

        Args:
            studies: of each image; several images may be of one study.
            films: N images.
        """
        margins = self.margins(studies, films)
        holes = np.array([has_hole(square) for square in films.squares])
        margins[self.copies(films) | holes] = -np.inf
        chosen: dict[str, np.ndarray] = {}
        for row in np.argsort(-margins):
            study = studies[row]
            if margins[row] < 0 or study.id in chosen:
                continue
            if self.heart_fits(study, films.squares[row]):
                chosen[study.id] = films.squares[row]
        return chosen


def write_gallery(studies: Sequence[Study], retriever: Retriever, out: Path) -> Gallery:
    """Embed the studies' images and write the gallery, in the place of a former one."""
    return build_gallery(
        studies,
        retriever.encode_for_gallery,
        out,
        retriever.encoder,
        source=SOURCE,
        licence=LICENCE,
        overwrite=True,
        prepare=retriever.prepare,
        logits=retriever.no_logits(),
    )


def re_embed(retriever: Retriever, out: Path) -> Gallery:
    """The same images and studies, embedded by another encoder."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "images"
        shutil.copytree(out / "images", copy)
        studies = [
            replace(study, image=copy / study.image.name) for study in load_studies(out, "gallery")
        ]
        return write_gallery(studies, retriever, out)


def generate_gallery(
    sampler: Sampler, selector: Selector, names: Sequence[str], options: Options
) -> dict[str, int]:
    """Make the images and write the gallery.

    Returns:
        How many studies there are in all, without and with several findings, and of each finding;
        0 for a finding that was left out.
    """
    rng = np.random.default_rng(options.seed)
    trained = trained_on(options.data, options.extra, [])
    wanted = wanted_findings(names, [one.positive for one in trained], options.studies, rng)
    open_studies = studies = wanted_studies(wanted, rng)
    squares: dict[str, np.ndarray] = {}
    for number in range(options.rounds):
        asked = [study for study in open_studies for _ in range(options.tries)]
        seed = options.seed + number
        requests = [drawn_request(one, options.severities, rng) for one in asked]
        drawn = sampler.draw(conditions_of(requests, seed), seed, options.truncation)
        films = read_films(selector.retriever, np.stack([np.asarray(one) for one in drawn]))
        squares |= selector.select(asked, films)
        open_studies = [study for study in studies if study.id not in squares]
        print(f"round {number + 1}: {len(squares)} of {len(studies)} studies", file=sys.stderr)
        if not open_studies:
            break
    kept = [study for study in studies if study.id in squares]
    counts = Counter(name for study in kept for name in study.positive)
    few = {name for name in names if counts[name] < options.least}
    kept = [study for study in kept if not few & set(study.positive)]
    _write(kept, squares, selector.retriever, options.out)
    counts = Counter(name for study in kept for name in study.positive)
    return {
        "studies": len(kept),
        "normal": sum(not study.positive for study in kept),
        "several findings": sum(len(study.positive) > 1 for study in kept),
        **{name: counts[name] for name in NIH_FINDINGS},
    }


def _write(
    studies: Sequence[Study], squares: dict[str, np.ndarray], retriever: Retriever, out: Path
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{study.id}.png" for study in studies]
        for study, file in zip(studies, files):
            corner_mark(Image.fromarray(squares[study.id]), MARK).save(file)
        placed = [replace(study, image=file) for study, file in zip(studies, files)]
        write_gallery(placed, retriever, out)


def told_findings(weights: str) -> list[str]:
    """The findings that the judge tells on generated images, by the checkpoint's metrics.json."""
    measured = read_json(Path(weights) / "metrics.json", "what train.evaluate generator wrote")
    found = measured["findings"]
    return [name for name in NIH_FINDINGS if name in found and found[name]["beside_normal"] >= TOLD]


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.gan.example_gallery."""

    out: Path = option("gallery folder", Path("examples/gallery"))
    data: Path | None = option("labelled images that the generator was trained on", None)
    extra: list[Path] = option("as it was trained on, like the next", [])
    normal: list[Path] = option("data sets of images read as normal", [])
    judge: list[Path] = option("labelled data sets that the judge is fitted to, beside --data", [])
    weights: str = option(
        "generator, as train.evaluate generator --write left it", "weights/generator"
    )
    encoder: str = option("retrieval checkpoint", "weights/retrieval")
    localizer: str = option("checkpoint that measures hearts; '': none", LOCALIZER)
    studies: int = option("studies asked for", 460)
    least: int = option("studies of a finding, or it is left out", LEAST_FILMS)
    severities: list[float] = option("of findings, from the first to the second", [0.9, 1.7])
    truncation: float = option("how far images stray from the typical one, 0 to 1", 1.0)
    clear: float = option("quantile of real images with a finding that an image reaches", 0.5)
    tries: int = option("images made for each study and round", 3)
    rounds: int = option("rounds, each for the studies without an image", 5)
    seed: int = option("of every random draw", 0)
    cache: Path = option("decoded images and features", Path(".cache/packed"))
    re_embed: bool = option("keep the images, embed them anew", False)


def main(argv: Sequence[str] | None = None) -> int:
    """Make the gallery, or embed it anew. Returns the exit code."""
    options = parse_options(Options, argv, __doc__, MODULE)
    try:
        print(json.dumps(run(options), indent=1))
    except ValueError as error:
        print(f"{MODULE}: {error}", file=sys.stderr)
        return 2
    return 0


def run(options: Options) -> dict:
    """Do what the options say, and return what is printed.

    Raises:
        ValueError: for missing data, a generator without a way to tell copies, or one that shows
            no finding.
    """
    retriever = Retriever.load(options.encoder, gallery=None)
    if options.re_embed:
        return re_embed(retriever, options.out).info()
    if options.data is None:
        raise ValueError("expected --data with labelled images, got none; or use --re-embed")
    sampler = Sampler.load(options.weights, options.encoder)
    if sampler.originals is None:
        raise ValueError(
            f"expected {FILE} in {options.weights} to tell copies by, found none; run: "
            "python -m train.evaluate generator --write"
        )
    selector = Selector.of(retriever, sampler.originals, options)
    names = [
        name
        for name in told_findings(options.weights)
        if not np.isnan(selector.least[NIH_FINDINGS.index(name)])
    ]
    if not names:
        raise ValueError(
            f"expected findings that the judge tells on images of {options.weights}, got none; "
            "train the generator for longer"
        )
    return generate_gallery(sampler, selector, names, options)


if __name__ == "__main__":
    sys.exit(main())

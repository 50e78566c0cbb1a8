"""Make examples/gallery: generated studies that a fresh checkout searches offline.

    python -m train.gan.example_gallery --data ROOT --extra ... --normal ... --out examples/gallery
    python -m train.gan.example_gallery --re-embed --out examples/gallery    # new encoder

Images are generated for every finding, both sexes, four ages and both views. Of each caption's
images the one is kept that the retrieval model finds most similar to it, if the finding scores as
high as in real images that show it (the lower quartile) and the image is no copy of a training
image, neither by its embedding nor by its pixels. Each has a mark in its corner, and its study says
that it is synthetic.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from cxr.data import load_split, load_studies
from cxr.findings import FINDINGS, SEXES, Study, caption
from cxr.gallery import Gallery, build_gallery
from cxr.generation import FILE, Sampler, TrainingImageIndex
from cxr.images import Preprocess, corner_mark
from cxr.metrics import nearest_distance
from cxr.models import SIDE
from cxr.retrieval import Retriever
from train.common.image_cache import pack
from train.common.options import option, parse_options
from train.common.studies import ABNORMAL_FINDINGS, frontal, labels_of
from train.evaluate.generator import SMALL, GeneratorImages, known_patients
from train.evaluate.generator_measures import nearest_pair, thumbnails
from train.gan.data import generator_studies
from train.retrieval.validation import prompt_scores

MODULE = "train.gan.example_gallery"
SOURCE = "synthetic: made by the generator of this project"
LICENCE = "CC BY-NC-SA 4.0"
AGES = (28, 47, 66, 81)
VIEWS = ("PA", "AP")
MARK = "SYNTHETIC"
VIEW = Preprocess(SIDE, 0.5, 0.5, 1)
MIN_REAL = 8  # real images with a finding, for their scores to set its limit


@dataclass(frozen=True, eq=False)
class ScoreLimits:
    """What an image must score for each of ABNORMAL_FINDINGS.

    At least `present` for a finding that was asked for; every one at most `absent` where a normal
    image was.
    """

    present: np.ndarray  # float [F]
    absent: np.ndarray  # float [F]

    @classmethod
    def of(cls, scores: np.ndarray, labels: np.ndarray) -> ScoreLimits:
        """Take the limits from real images.

        Args:
            scores: Float [N, F], zero-shot scores.
            labels: Float [N, F], 1 present, 0 absent, NaN unknown.

        Returns:
            The lower quartile of images with a finding and the 95th percentile of those without.
            For a finding with too few images, the median and the 95th percentile of all.
        """
        present, absent = np.median(scores, 0), np.quantile(scores, 0.95, 0)
        for column in range(scores.shape[1]):
            shown = labels[:, column] == 1
            if shown.sum() >= MIN_REAL:
                present[column] = np.quantile(scores[shown, column], 0.25)
            if (labels[:, column] == 0).sum() >= MIN_REAL:
                absent[column] = np.quantile(scores[labels[:, column] == 0, column], 0.95)
        return cls(present, absent)

    def agree(self, study: Study, scores: np.ndarray) -> np.ndarray:
        """Which images show what the study says. scores [N, F] -> bool [N]."""
        asked = [ABNORMAL_FINDINGS.index(name) for name in study.positive]
        if not asked:
            return (scores <= self.absent).all(1)
        return (scores[:, asked] >= self.present[asked]).all(1)


def wanted_studies(each: int) -> list[Study]:
    """`each` studies a finding, "no finding" among them, over sexes, ages and views in turn."""
    studies = []
    for name in FINDINGS:
        for row in range(each):
            labels = (
                {name: 1}
                if name != "no finding"
                else dict.fromkeys(ABNORMAL_FINDINGS, 0) | {name: 1}
            )
            studies.append(
                Study(
                    id=f"synthetic-{name.replace(' ', '-')}-{row:02d}",
                    source=SOURCE,
                    patient=f"synthetic-{name.replace(' ', '-')}-{row:02d}",
                    sex=SEXES[row % 2],
                    view=VIEWS[row // 2 % 2],
                    age=AGES[row // 4 % 4] + row // 16,
                    findings=labels,
                    licence=LICENCE,
                )
            )
    return studies


@dataclass(frozen=True, eq=False)
class Selector:
    """Decides which generated image may represent a study.

    Attributes:
        prompts: Float [D, F]; embeddings times this are the zero-shot scores.
        pixels: Thumbnails of the training images, float [N, P].
        limit: Their distance below which an image is a copy.
    """

    retriever: Retriever
    originals: TrainingImageIndex
    limits: ScoreLimits
    prompts: np.ndarray
    pixels: np.ndarray
    limit: float

    @classmethod
    def of(cls, retriever: Retriever, originals: TrainingImageIndex, options: Options) -> Selector:
        """Measure the images that the generator was trained on.

        Those of the labelled data set's train split set the limits of scores.
        """
        train = frontal(load_split(options.data, load_studies(options.data))["train"])
        images = GeneratorImages(retriever, options.cache).real(train)
        unit = np.eye(images.embeddings.shape[1], dtype=np.float32)
        prompts = prompt_scores(retriever.model, unit, ABNORMAL_FINDINGS)
        limits = ScoreLimits.of(images.embeddings @ prompts, labels_of(train).numpy())
        studies, *_ = generator_studies(options.data, options.extra, options.normal)
        squares, _ = pack([study.image for study in studies], VIEW, options.cache)
        pixels = thumbnails(np.asarray(squares), SMALL)
        limit = nearest_pair(pixels, known_patients(studies))
        return cls(retriever, originals, limits, prompts, pixels, limit)

    def best(self, study: Study, images: Sequence[Image.Image]) -> Image.Image | None:
        """The image that matches the study's caption best.

        None where no image shows what the caption says, or all that do are copies.
        """
        seen = self.retriever.encode_images(images)
        fit = self.limits.agree(study, seen @ self.prompts)
        checks = self.originals.check(seen, self.retriever.encoder)
        fit &= np.array([not check.is_copy for check in checks])
        small = thumbnails(np.stack([np.asarray(image) for image in images]), SMALL)
        fit &= nearest_distance(small, self.pixels)[0] >= self.limit
        similarity = seen @ self.retriever.encode_text([caption(study)])[0]
        similarity[~fit] = -np.inf
        return images[int(similarity.argmax())] if fit.any() else None


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


def generate_gallery(sampler: Sampler, selector: Selector, options: Options) -> dict[str, int]:
    """Make the images and write the gallery. Returns how many of each finding were kept."""
    kept: dict[str, int] = dict.fromkeys(FINDINGS, 0)
    studies = []
    with tempfile.TemporaryDirectory() as folder:
        for number, study in enumerate(
            tqdm(wanted_studies(options.each), "generating", unit="study")
        ):
            image = selector.best(
                study, sampler.sample(caption(study), options.tries, options.seed + number)
            )
            if image is None:
                continue
            corner_mark(image, MARK).save(Path(folder) / f"{study.id}.png")
            studies.append(replace(study, image=Path(folder) / f"{study.id}.png"))
            kept[next(name for name in FINDINGS if study.findings.get(name) == 1)] += 1
        write_gallery(studies, selector.retriever, options.out)
    return kept


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.gan.example_gallery."""

    out: Path = option("gallery folder", Path("examples/gallery"))
    data: Path | None = option("labelled images that the generator was trained on", None)
    extra: list[Path] = option("as it was trained on, like the next", [])
    normal: list[Path] = option("data sets of images read as normal", [])
    weights: str = option("generator", "weights/generator")
    encoder: str = option("retrieval checkpoint", "weights/retrieval")
    each: int = option("studies a finding", 20)
    tries: int = option("images made for each study", 12)
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
        ValueError: For missing data, or a generator without a way to tell copies.
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
    kept = generate_gallery(sampler, selector, options)
    return {"studies": sum(kept.values()), **kept}


if __name__ == "__main__":
    sys.exit(main())

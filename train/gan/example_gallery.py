"""Make examples/gallery: generated studies that a fresh checkout searches offline.

    python -m train.gan.example_gallery --data ROOT --extra ... --normal ... --out examples/gallery
    python -m train.gan.example_gallery --re-embed --out examples/gallery    # new encoder

For every finding, both sexes, three ages and both views films are generated; of each caption's
films the one is kept that the retrieval model finds most like it, if the finding scores as high as
in real films that show it (the lower quartile) and the film is no copy of a training film, neither
by its embedding nor by its pixels. Each bears a mark in its corner, and its study says that it is
synthetic.
"""

from __future__ import annotations

import argparse
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
from train.common.studies import ABNORMAL_FINDINGS, frontal, labels_of
from train.evaluate.generator import SMALL, GeneratorEvaluation, known_patients
from train.evaluate.generator_measures import nearest_pair, thumbnails
from train.gan.data import generator_studies
from train.retrieval.validation import prompt_scores

SOURCE = "synthetic: made by the generator of this project"
LICENCE = "CC BY-NC-SA 4.0"
AGES = (28, 47, 66, 81)
VIEWS = ("PA", "AP")
MARK = "SYNTHETIC"
VIEW = Preprocess(SIDE, 0.5, 0.5, 1)
LEAST = 8  # real films with a finding, for their scores to set its bar


@dataclass(frozen=True, eq=False)
class Bars:
    """What a film must score for each finding: of ABNORMAL_FINDINGS, at least `present` when it was asked
    for, and every one at most `absent` when a normal film was.
    """

    present: np.ndarray  # float [F]
    absent: np.ndarray  # float [F]

    @classmethod
    def of(cls, scores: np.ndarray, labels: np.ndarray) -> Bars:
        """From real films' zero-shot scores and labels [N, F]: the lower quartile of those with a
        finding and the 95th percentile of those without. A finding with too few films gets the
        mean over the films, and at least the median of all films.
        """
        present, absent = np.median(scores, 0), np.quantile(scores, 0.95, 0)
        for column in range(scores.shape[1]):
            shown = labels[:, column] == 1
            if shown.sum() >= LEAST:
                present[column] = np.quantile(scores[shown, column], 0.25)
            if (labels[:, column] == 0).sum() >= LEAST:
                absent[column] = np.quantile(scores[labels[:, column] == 0, column], 0.95)
        return cls(present, absent)

    def agree(self, study: Study, scores: np.ndarray) -> np.ndarray:
        """Which films show what the study says. scores [N, F] -> bool [N]."""
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
class Judge:
    """Decides which generated film may represent a study. pixels: thumbnails of the training
    films, float [N, P]; limit: their distance below which a film is a copy.
    """

    retriever: Retriever
    originals: TrainingImageIndex
    bars: Bars
    prompts: np.ndarray  # float [D, F]: embeddings times this are the zero-shot scores
    pixels: np.ndarray
    limit: float

    @classmethod
    def of(
        cls, retriever: Retriever, originals: TrainingImageIndex, options: argparse.Namespace
    ) -> Judge:
        """From the films that the generator was trained on, those of the labelled data set's
        train split setting the bars.
        """
        train = frontal(load_split(options.data, load_studies(options.data))["train"])
        films = GeneratorEvaluation(retriever, options.cache).real(train)
        unit = np.eye(films.embeddings.shape[1], dtype=np.float32)
        prompts = prompt_scores(retriever.model, unit, ABNORMAL_FINDINGS)
        bars = Bars.of(films.embeddings @ prompts, labels_of(train).numpy())
        studies, *_ = generator_studies(options.data, options.extra, options.normal)
        squares, _ = pack([study.image for study in studies], VIEW, options.cache)
        pixels = thumbnails(np.asarray(squares), SMALL)
        limit = nearest_pair(pixels, known_patients(studies))
        return cls(retriever, originals, bars, prompts, pixels, limit)

    def best(self, study: Study, films: Sequence[Image.Image]) -> Image.Image | None:
        """The film that goes best with the study's caption; None when none shows what it says, or
        all that do are copies.
        """
        seen = self.retriever.encode_images(films)
        fit = self.bars.agree(study, seen @ self.prompts)
        checks = self.originals.check(seen, self.retriever.encoder)
        fit &= np.array([not check.is_copy for check in checks])
        small = thumbnails(np.stack([np.asarray(film) for film in films]), SMALL)
        fit &= nearest_distance(small, self.pixels)[0] >= self.limit
        similarity = seen @ self.retriever.encode_text([caption(study)])[0]
        similarity[~fit] = -np.inf
        return films[int(similarity.argmax())] if fit.any() else None


def write_gallery(studies: Sequence[Study], retriever: Retriever, out: Path) -> Gallery:
    """Embed the studies' films and write the gallery, in the place of a former one."""
    return build_gallery(
        studies,
        retriever.encode_prepared,
        out,
        retriever.encoder,
        source=SOURCE,
        licence=LICENCE,
        overwrite=True,
        prepare=retriever.prepare,
    )


def re_embed(retriever: Retriever, out: Path) -> Gallery:
    """The same films and studies, embedded by another encoder."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "images"
        shutil.copytree(out / "images", copy)
        studies = [
            replace(study, image=copy / study.image.name) for study in load_studies(out, "gallery")
        ]
        return write_gallery(studies, retriever, out)


def generate_gallery(
    sampler: Sampler, judge: Judge, each: int, tries: int, seed: int, out: Path
) -> dict[str, int]:
    """Make the films and write the gallery -> how many of each finding were kept."""
    kept: dict[str, int] = dict.fromkeys(FINDINGS, 0)
    studies = []
    with tempfile.TemporaryDirectory() as folder:
        for number, study in enumerate(tqdm(wanted_studies(each), "generating", unit="study")):
            film = judge.best(study, sampler.sample(caption(study), tries, seed + number))
            if film is None:
                continue
            corner_mark(film, MARK).save(Path(folder) / f"{study.id}.png")
            studies.append(replace(study, image=Path(folder) / f"{study.id}.png"))
            kept[next(name for name in FINDINGS if study.findings.get(name) == 1)] += 1
        write_gallery(studies, judge.retriever, out)
    return kept


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--out", type=Path, default=Path("examples/gallery"))
    add("--data", type=Path, help="labelled films that the generator was trained on")
    add("--extra", type=Path, nargs="*", default=[], help="as it was trained on, like the next")
    add("--normal", type=Path, nargs="*", default=[])
    add("--weights", default="weights/generator")
    add("--encoder", default="weights/retrieval")
    add("--each", type=int, default=20, help="studies a finding")
    add("--tries", type=int, default=12, help="films made for each study")
    add("--seed", type=int, default=0)
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--re-embed", action="store_true", help="keep the films, embed them anew")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        retriever = Retriever.load(options.encoder, gallery=None)
        if options.re_embed:
            print(json.dumps(re_embed(retriever, options.out).info(), indent=1))
            return 0
        if options.data is None:
            raise ValueError("expected --data with labelled films, got none; or use --re-embed")
        sampler = Sampler.load(options.weights, options.encoder)
        if sampler.originals is None:
            raise ValueError(
                f"expected {FILE} in {options.weights} to tell copies by, found none; run: "
                "python -m train.evaluate generator --write"
            )
        judge = Judge.of(retriever, sampler.originals, options)
        kept = generate_gallery(
            sampler, judge, options.each, options.tries, options.seed, options.out
        )
    except ValueError as error:
        print(f"train.gan.example_gallery: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"studies": sum(kept.values()), **kept}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a generator is trained on: images, how often each is drawn, and texts for each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from cxr.data import load_studies
from cxr.devices import has_bf16
from cxr.findings import Study, caption, demographics
from cxr.models import FrozenTextEncoder
from train.common.feature_cache import cached_features
from train.common.studies import frontal, labels_of, training_studies
from train.retrieval.paraphrases import imagined_study
from train.retrieval.texts import study_text

SHARES = {"labelled": 0.55, "unlabelled": 0.33, "normal": 0.12}
# What CheXpert's tree of labels (Irvin et al. 2019) also calls a finding, so that a generator
# meets these names although no image is labelled with them.
PARENTS = {
    **dict.fromkeys(
        ("edema", "consolidation", "pneumonia", "atelectasis", "infiltration"), "lung opacity"
    ),
    "nodule": "lung lesion",
    "mass": "lung lesion",
    "pleural thickening": "pleural other",
}


def generator_studies(
    data: Path, extra: Sequence[Path], normal: Sequence[Path]
) -> tuple[list[Study], list[str], list[Study]]:
    """Read what a generator is trained on.

    Args:
        data: A labelled data set with train and val splits.
        extra: Further data sets.
        normal: Data sets whose every image was read as normal.

    Returns:
        Frontal studies of the train splits, the group of SHARES of each, and those of val.
    """
    train, val, further = training_studies(data, extra)
    read = [
        replace(study, findings={"no finding": 1}, view=study.view or "frontal")
        for root in normal
        for study in frontal(load_studies(root))
    ]
    studies = train + further
    groups = ["labelled" if study.labelled else "unlabelled" for study in studies]
    return studies + read, groups + ["normal"] * len(read), val


def draw_weights(studies: Sequence[Study], groups: Sequence[str]) -> np.ndarray:
    """How likely each image is drawn.

    The groups share as SHARES says, those that are empty left out. Among labelled images a finding
    is drawn in proportion to the square root of the number of its images, then one of these, so
    that rare findings come more often than they occur, and yet not a few images all the time.

    Args:
        studies: N studies.
        groups: The group of each.

    Returns:
        float64 [N], sum 1.
    """
    weights = np.zeros(len(studies))
    names = np.array(groups)
    for name, share in SHARES.items():
        rows = np.flatnonzero(names == name)
        if not len(rows):
            continue
        if name == "labelled":
            classes: dict[str, list[int]] = {}
            for row in rows:
                for finding in studies[row].positive or ("no finding",):
                    classes.setdefault(finding, []).append(row)
            total = sum(len(members) ** 0.5 for members in classes.values())
            for members in classes.values():
                weights[members] += share / (len(members) ** 0.5 * total)
        else:
            weights[rows] = share / len(rows)
    return weights / weights.sum()


def with_parent_finding(study: Study, rng: random.Random) -> Study:
    """The study with one finding under its parent's name, where it has one; else as it is."""
    named = [name for name in study.positive if name in PARENTS]
    if not named:
        return study
    chosen = rng.choice(named)
    findings = {name: value for name, value in study.findings.items() if name != chosen}
    return replace(study, findings={**findings, PARENTS[chosen]: 1})


def texts_of(study: Study, count: int, rng: random.Random) -> list[str]:
    """Texts for one image.

    Args:
        study: What they are about.
        count: How many.
        rng: What is drawn from.

    Returns:
        The canonical caption (of person and view alone where nobody has read the image), its wider
        form, then other words.
    """
    first = caption(study) if study.labelled else demographics(study) or "chest x-ray"
    wide = with_parent_finding(study, rng)
    second = caption(wide) if wide is not study else study_text(study, rng, 0.0)
    others = [study_text(study, rng, 0.2) for _ in range(max(0, count - 2))]
    return [first, second, *others][:count]


@dataclass(frozen=True, eq=False)
class TextBank:
    """Embedded texts: of N images, K each, and of P imagined studies."""

    images: torch.Tensor  # float16 [N, K, D], texts of images
    film_texts: list[list[str]]  # [N][K]
    labels: torch.Tensor  # float32 [N, F], 1, 0 or NaN
    imagined: torch.Tensor  # float16 [P, D]
    imagined_texts: list[str]  # [P]
    imagined_labels: torch.Tensor  # float32 [P, F]

    @classmethod
    def of(
        cls,
        studies: Sequence[Study],
        encoder: FrozenTextEncoder,
        count: int,
        imagined: int,
        seed: int,
        cache: Path,
    ) -> TextBank:
        """Write and embed the texts; the same seed gives the same texts.

        Args:
            studies: N studies.
            encoder: What embeds texts.
            count: K, texts of each study.
            imagined: P, studies without an image.
            seed: Of every text.
            cache: Where embeddings are kept for a second run.
        """
        texts = [
            texts_of(study, count, random.Random(f"{seed} {row}"))
            for row, study in enumerate(studies)
        ]
        rng = random.Random(f"{seed} imagined")
        made = [imagined_study(rng) for _ in range(imagined)]
        made = [replace(one, view="PA") if one.view == "lateral" else one for one in made]
        made_texts = [caption(one) for one in made]
        # Texts of like length are encoded together: less padding, less time.
        unique = sorted(
            {*made_texts, *(text for row in texts for text in row)},
            key=lambda text: (len(text), text),
        )
        known = dict(zip(unique, _embed(unique, encoder, cache)))

        def embedded(wanted: Sequence[str]) -> torch.Tensor:
            return torch.stack([known[text] for text in wanted])

        images = embedded([text for row in texts for text in row])
        return cls(
            images.reshape(len(studies), count, -1),
            texts,
            labels_of(studies),
            embedded(made_texts),
            made_texts,
            labels_of(made),
        )


def _embed(texts: Sequence[str], encoder: FrozenTextEncoder, cache: Path) -> torch.Tensor:
    """float16 [N, D], kept under `cache`."""

    def encode() -> dict[str, torch.Tensor]:
        cpu = torch.device("cpu")
        with torch.autocast(cpu.type, torch.bfloat16, enabled=has_bf16(cpu)):
            return {"texts": encoder.encode_text(texts).half()}

    return cached_features(cache, [encoder.fingerprint, "half", *texts], encode)["texts"]


@dataclass(frozen=True, eq=False)
class Step:
    """What one step of one process draws."""

    rows: np.ndarray  # int64 [B]: images
    text: torch.Tensor  # float32 [B, D], unit rows: of the real images
    asked: torch.Tensor  # float32 [B] 1; 0 where no real image stands behind the generated one
    wanted: torch.Tensor  # float32 [B, D]: what is generated; row i + B / 2 is the same as row i
    words: list[str]  # [B]: the same as texts
    labels: torch.Tensor  # float32 [B, F]: the findings wanted

    def to(self, device: torch.device) -> Step:
        """The same with its tensors on a device."""
        names = ("text", "asked", "wanted", "labels")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


def draw_step(
    bank: TextBank, weights: np.ndarray, size: int, imagined: float, key: Sequence[int]
) -> Step:
    """Draw a batch; the same key draws the same.

    Args:
        bank: Embedded texts.
        weights: float64 [N], how likely each image is drawn.
        size: B.
        imagined: Share of generated images whose text belongs to no image.
        key: Seed, step and rank.
    """
    rng = np.random.default_rng(list(key))
    rows = rng.choice(len(weights), size, p=weights)
    which = rng.integers(0, bank.images.shape[1], size)
    text = bank.images[rows, which].float()
    words = [bank.film_texts[row][one] for row, one in zip(rows, which)]
    wanted, labels, asked = text.clone(), bank.labels[rows].clone(), torch.ones(size)
    others = round(size * imagined / 2) if len(bank.imagined) else 0
    for place, one in enumerate(rng.integers(0, max(1, len(bank.imagined)), others)):
        wanted[place], labels[place] = bank.imagined[one].float(), bank.imagined_labels[one]
        asked[place], words[place] = 0, bank.imagined_texts[one]
    half = size // 2  # images of one text in pairs, for the diversity loss
    for values in (wanted, labels, asked):
        values[half : 2 * half] = values[:half].clone()
    words[half : 2 * half] = words[:half]
    return Step(rows, text, asked, wanted, words, labels)

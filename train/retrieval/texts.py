"""Texts for a training step, drawn from a seed: the same step draws the same texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

from cxr.findings import Study, caption, demographics
from train.retrieval.paraphrases import paraphrase, text_pair


def study_text(study: Study, rng: random.Random, canonical: float) -> str:
    """Draw a text for a study.

    Args:
        study: What the text is about.
        rng: What is drawn from.
        canonical: How often the canonical caption is taken instead of other words.

    Returns:
        The caption or a paraphrase; age, sex and view where there are no labels. A study with a
        report is at times described by the report's beginning.
    """
    if study.report and rng.random() < 0.3:
        return study.report[:150]
    if rng.random() >= canonical:
        return paraphrase(study, rng)
    return caption(study) if study.labelled else demographics(study) or "chest x-ray"


class StepTexts(NamedTuple):
    """The texts of one training step."""

    study: list[str]  # [B] caption, other words, or report
    person: list[str]  # [B] age, sex and view; "" where nothing is known
    imagined: list[str]  # [P] captions of imagined studies
    reworded: list[str]  # [P] the same in other words


def draw_texts(
    studies: Sequence[Study], pairs: int, rng: random.Random, canonical: float = 0.5
) -> StepTexts:
    """Draw texts for B studies, and for `pairs` imagined ones besides."""
    imagined = [text_pair(rng) for _ in range(pairs)]
    return StepTexts(
        [study_text(study, rng, canonical) for study in studies],
        [demographics(study) for study in studies],
        [one for one, _ in imagined],
        [other for _, other in imagined],
    )

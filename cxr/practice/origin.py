"""Real or generated: sets in which each image is to be told from the other kind.

What is asked here is where an image comes from and not what it shows, so its answers are kept and
summed up apart from all others. Each image is shown at one size, under a name of its own, with
nothing beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from PIL import Image

from cxr.practice.grading import LONGEST, number
from cxr.practice.pool import Pool
from cxr.practice.profile import Judgement
from cxr.practice.sets import LONGEST_SET, Session
from cxr.practice.truth import GENERATED

SIDE = 128  # pixels: what the project's generator makes
MARKED = 0.125  # of the height, from below, where a generated image may bear the word


def origin_keys(pool: Pool, session: Session) -> list[str]:
    """The images of a set, about half of them generated, by names used for such sets alone.

    The share is drawn as well, so that the last images do not follow from those before.

    Raises:
        ValueError: the gallery does not hold both kinds.
    """
    real, generated = pool.origins
    if not real or not generated:
        raise ValueError(
            "expected a gallery with real and generated films, got one kind alone; open the set "
            "beside a gallery that holds both"
        )
    rng = np.random.default_rng([session.seed, session.length, 2])
    length = max(2, min(session.length, LONGEST_SET))
    made = min(max(1, int(rng.binomial(length, 0.5))), length - 1)
    rows = [
        *rng.permutation(generated)[:made].tolist(),
        *rng.permutation(real)[: length - made].tolist(),
    ]
    return [pool.origin_keys[row] for row in rng.permutation(rows)]


def same_look(image: Image.Image) -> Image.Image:
    """An image as every image of a set is shown: its middle square, SIDE pixels, mode "L".

    The lowest part is black, since a generated image may bear the word "SYNTHETIC" there.
    """
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.convert("L").crop((left, top, left + side, top + side))
    shown = square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    shown.paste(0, (0, SIDE - round(MARKED * SIDE), SIDE, SIDE))
    return shown


def judge(pool: Pool, key: object, answer: object, now: datetime) -> Judgement:
    """Hold what a learner said of an image's origin against what is known.

    Args:
        pool: the gallery's studies.
        key: one of origin_keys.
        answer: {"generated": bool, "confidence": 0.5 to 1, "seconds": from the image on}.
        now: when it was given, in UTC.

    Raises:
        ValueError: another image or answer.
    """
    row = pool.origin_row(key)
    if not isinstance(answer, Mapping) or not isinstance(answer.get("generated"), bool):
        raise ValueError("expected an answer with generated true or false; send it again")
    return Judgement(
        key=pool.origin_keys[row],
        study=pool.studies[row].id,
        at=now.isoformat(),
        seconds=round(min(number(answer.get("seconds"), "seconds", 0, float("inf")), LONGEST), 2),
        confidence=number(answer.get("confidence"), "confidence", 0.5, 1),
        said=answer["generated"],
        generated=pool.truths[row].tier == GENERATED,
    )


def origin_link(length: int, seed: int) -> str:
    """The end of an address that opens such a set: "#practice?origin=15&seed=7".

    It holds no ids, since those of generated images may say so.
    """
    return f"#practice?origin={length}&seed={seed}"

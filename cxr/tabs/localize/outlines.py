"""What the localizer found, as the page takes it: one small map, and its measures by threshold.

The page draws and measures again at each move of a slider without asking: it looks the measures up.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from cxr.anatomy import (
    AIRWAYS,
    CARDIOMEGALY,
    CLAVICLES,
    CONSOLIDATION,
    DEVICES,
    GROUND_GLASS,
    HEART,
    HEART_ALONE,
    LEFT_LUNG,
    LUNGS,
    OPACITY,
    OUTLINES,
    RIGHT_LUNG,
)
from cxr.language import parse
from cxr.localization import (
    BEYOND_LUNGS,
    LUNG_MEASURES,
    Measure,
    Target,
    cardiothoracic_ratio,
    measure_region,
)
from cxr.metrics import dice
from cxr.tabs.shared.image_urls import inline

if TYPE_CHECKING:
    from cxr.localization import Localization

THRESHOLDS = range(5, 96)  # percent
START = 50  # percent: where the slider stands at first
MAP_SIDE = 512  # pixels of a map's longer side; the model itself sees fewer
HEARTS = (HEART, HEART_ALONE, CARDIOMEGALY)
OUTSIDE = (*HEARTS, AIRWAYS, CLAVICLES, DEVICES)  # what has no side among the lungs
ORGANS = (LUNGS, RIGHT_LUNG, LEFT_LUNG, HEART, HEART_ALONE, AIRWAYS, CLAVICLES)  # on every image
ASSESSED = {  # what a text may name that has a target of its own
    **{name: (name,) for name in OUTLINES},
    "consolidation": (CONSOLIDATION,),
    "lung opacity": (OPACITY, GROUND_GLASS),
    GROUND_GLASS: (GROUND_GLASS,),
    "support devices": (DEVICES,),
}


@dataclass(frozen=True)
class ThresholdMeasure:
    """What the page says at one threshold, in plain text; "" where there is nothing to say."""

    found: bool
    verdict: str
    area: str = ""
    each: str = ""
    dice: str = ""


@dataclass(frozen=True)
class Outline:
    """What the page draws and says of one question.

    Attributes:
        taken: what the text was taken to mean.
        heat_map: data: address of the map, 0 to 255.
        measures: one for each of THRESHOLDS.
        caveat: what the text names and the localizer does not assess, a sentence; "" for nothing.
        ratio: the cardiothoracic ratio in words where the heart was asked for; "" where it was
            not, or where the masks do not allow it.
        reference: data: address of the mask drawn by hand; "" where there is none.
        lungs: what was measured of the lungs, a name and words each, where these were asked for.
    """

    taken: str
    heat_map: str
    measures: tuple[ThresholdMeasure, ...]
    caveat: str = ""
    ratio: str = ""
    reference: str = ""
    lungs: tuple[tuple[str, str], ...] = ()

    def measures_dict(self) -> dict[str, object]:
        """The measures, JSON-able, under the names that the page's script knows."""
        return {"low": THRESHOLDS[0], "rows": [asdict(measure) for measure in self.measures]}


def outlined(found: Localization, text: str, reference: np.ndarray | None = None) -> Outline:
    """Prepare an answer of the localizer for the page.

    Args:
        found: the answer.
        text: the question in the visitor's words.
        reference: the mask drawn by hand, bool [H, W] at the image's size; None where there is
            none.
    """
    # In 8 bits, so that the page, which sees no more, and the numbers agree.
    heat = np.round(255 * found.heat).astype(np.uint8)
    inside = found.preprocess.square(Image.new("L", found.size, 255)) > 0
    target, right, left = np.round(255 * found.maps * inside) / 255
    caveat, absent = not_assessed(text, found.query), _absent(found)
    measures = []
    for level in (level_of(percent) for percent in THRESHOLDS):
        measured = measure_region(target, right, left, level / 255)
        measures.append(
            ThresholdMeasure(
                measured.found and not absent,
                absent or _verdict(found.query, measured, heat, level, bool(caveat)),
                _area(found.query, measured),
                _each(found.query, measured),
                "" if reference is None else _overlap(heat >= level, reference),
            )
        )
    return Outline(
        taken=found.query.prompt,
        heat_map=inline(Image.fromarray(heat), MAP_SIDE),
        measures=tuple(measures),
        caveat=" ".join(filter(None, (caveat, _unlikely(found)))),
        ratio=_ratio(found) if found.query.target in HEARTS else "",
        reference="" if reference is None else inline(_smooth(reference), MAP_SIDE),
        lungs=_lungs(found) if found.query.target in (LUNGS, RIGHT_LUNG, LEFT_LUNG) else (),
    )


def _lungs(found: Localization) -> tuple[tuple[str, str], ...]:
    """Each of LUNG_MEASURES in words; () for a model that measures none."""
    measured = {one.name: one.words for one in found.lungs}
    if not measured:
        return ()
    return tuple(
        (name[0].upper() + name[1:], measured.get(name, "not measured")) for name in LUNG_MEASURES
    )


def _ratio(found: Localization) -> str:
    """The cardiothoracic ratio in words; "" where it cannot be measured."""
    if found.ratio is not None:
        return found.ratio.words
    measured = cardiothoracic_ratio(*found.maps)
    return "" if measured is None else f"{measured:.2f}"


def _unlikely(found: Localization) -> str:
    """That a report calls what is found here unlikely; "" where it does not."""
    if not found.present or found.unlikely is None:
        return ""
    return (
        f"Read, which weighs the look of the whole film too, calls it unlikely "
        f"({found.unlikely[0]:.0%})."
    )


def _absent(found: Localization) -> str:
    """Why a finding counts as not found, whatever its map shows; "" where it counts as found."""
    if found.present:
        return ""
    if found.query.target == CARDIOMEGALY:
        if found.ratio is None or not found.ratio.plausible:
            return "Not found: the size of the heart cannot be measured here."
        return (
            f"Not found: the cardiothoracic ratio is {found.ratio.words}, and the heart counts as "
            f"enlarged here from {found.found_from:.2f} on."
        )
    if found.doubted and (found.probability or 0) >= found.found_from:
        abnormal, abnormal_from = found.doubted
        return (
            f"Not found: the model sees something like it ({found.probability:.0%}), but the film "
            f"does not look abnormal as a whole ({abnormal:.0%}, and that counts from "
            f"{abnormal_from:.0%} on)."
        )
    return (
        f"Not found: the model gives it {found.probability or 0:.0%}, and it counts from "
        f"{found.found_from:.0%} on."
    )


def not_assessed(text: str, query: Target) -> str:
    """Say what a text names beyond the target that is outlined for it.

    Args:
        text: the visitor's words, such as "cardiomegaly".
        query: the target that they were taken for, such as the heart.

    Returns:
        A sentence in plain text; "" where the text names the target and nothing else.
    """
    asked, organ = parse(text), query.target in ORGANS
    named = dict.fromkeys((*asked.present, *asked.uncertain, *asked.other))
    others = [name for name in named if query.target not in ASSESSED.get(name, ())]
    if not others and not (organ and asked.unknown):
        return ""
    subject = " and ".join(others) or f"“{_short(text)}”"
    subject = subject[0].upper() + subject[1:]
    if organ:
        return (
            f"{subject} itself is not assessed. Outlined is the organ ({query.prompt}), which every"
            " film shows."
        )
    return f"{subject} itself is not assessed. Outlined is {query.prompt}, whatever its cause."


def level_of(percent: float) -> int:
    """A threshold in percent -> the least of 256 levels that reaches it, as the page has it."""
    return int(percent * 2.55 + 0.5)


def _verdict(query: Target, measured: Measure, heat: np.ndarray, level: int, other: bool) -> str:
    """The line at one threshold. other: whether the text names something that is not assessed."""
    if not measured.found:
        start = "Nothing is outlined" if other else "Not found"
        highest = heat.max() / 255
        return f"{start}: nothing reaches {level / 255:.0%}. The highest is {highest:.0%}."
    if other and query.target in ORGANS:
        return f"Outlined: {query.prompt}"
    words = measured.words[0].upper() + measured.words[1:]
    if query.target in BEYOND_LUNGS and measured.words == "outside the lungs":
        return f"Found on the {query.side}" if query.side else "Found"
    if query.target in OUTSIDE or measured.lungs is None or words.lower() == query.target:
        return "Found"
    return words


def _area(query: Target, measured: Measure) -> str:
    if not measured.found:
        return ""
    whole = query.target == LUNGS and not (query.side or query.zone)
    if query.target in OUTSIDE or measured.lungs is None or whole:
        return f"{measured.picture:.1f}% of the picture"
    return f"{measured.lungs:.1f}% of the lungs"


def _each(query: Target, measured: Measure) -> str:
    whole = query.target == LUNGS and not (query.side or query.zone)
    if not measured.found or query.target in OUTSIDE or measured.lungs is None or whole:
        return ""
    if measured.right is None or measured.left is None:
        return ""
    return f"right {measured.right:.0f}%, left {measured.left:.0f}%"


def _overlap(marked: np.ndarray, reference: np.ndarray) -> str:
    share = f"Dice {dice(marked, reference):.2f}"
    return share if reference.any() else f"{share}; none was drawn here"


def _smooth(mask: np.ndarray) -> Image.Image:
    """A mask as a map whose line at one half has no steps."""
    return Image.fromarray((255 * mask).astype(np.uint8)).filter(ImageFilter.GaussianBlur(1))


def _short(text: str, most: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"

"""What can be located, and how free text names it: a target, a side and a zone.

Sides are the patient's. Zones are thirds of each lung from top to bottom, as radiologists divide a
frontal image, lobes being hard to make out on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cxr import language
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
    SIDES,
)

BEYOND_LUNGS = (
    "pleural effusion",
    "pneumothorax",
    "fracture",
    "pleural thickening",
    "calcification",
)
WHOLE = (HEART_ALONE, HEART, CARDIOMEGALY, AIRWAYS, DEVICES)  # not outlined by side or zone


@dataclass(frozen=True)
class Target:
    """What to locate.

    Attributes:
        target: of TARGETS.
        side: of SIDES, the patient's; None where none is asked for.
        zone: of ZONES; None where none is asked for.
    """

    target: str
    side: str | None = None
    zone: str | None = None

    @property
    def prompt(self) -> str:
        """The canonical words: "ground-glass opacity in the left lower zone"."""
        side = f"{self.side} " if self.side else ""
        if self.target == LUNGS and self.zone:
            return f"{side}{self.zone} zone of the lung" + ("" if self.side else "s")
        if self.target == CLAVICLES:
            return f"{side}clavicle" if self.side else CLAVICLES
        if self.zone:
            return f"{self.target} in the {side}{self.zone} zone" + ("" if self.side else "s")
        if self.side and self.target in BEYOND_LUNGS:
            return f"{self.target} on the {self.side}"
        return f"{self.target} in the {side}lung" if self.side else self.target


# What a query names -> the target that shows it, the more specific targets first.
_FINDINGS = {
    DEVICES: ("support devices",),
    **{name: (name,) for name in OUTLINES},
    CONSOLIDATION: ("consolidation",),
    OPACITY: ("lung opacity", "infiltration", "pneumonia", "lung lesion"),
    HEART: ("enlarged cardiomediastinum",),
}
_OTHER = {
    GROUND_GLASS: ("ground-glass opacity",),
    OPACITY: ("COVID-19", "tuberculosis"),
    "calcification": ("calcification",),
}
_ORGANS = (AIRWAYS, CLAVICLES, HEART_ALONE, HEART)
_ORDER = (DEVICES, *OUTLINES, GROUND_GLASS, CONSOLIDATION, OPACITY, *_ORGANS, LUNGS)


def parse(text: str) -> Target | None:
    """What a text asks to locate; None when it names nothing that can be located.

    Raises:
        ValueError: the text is empty or too long, as cxr.language.parse says.
    """
    return locate_target(language.parse(text))


def locate_target(query: language.Query) -> Target | None:
    """The target, side and zone of a query; None when it names nothing that can be located.

    Of several targets the most specific one counts: "opacity in the left lung" is an opacity. A
    side or a zone alone means the lung there; both sides mean neither. A part of what is outlined
    whole, as the left border of the heart, cannot be located.
    """
    named = set(_named(query))
    if not named and (not (query.side or query.zone) or _speaks_of_more(query)):
        return None
    target = next((target for target in _ORDER if target in named), LUNGS)
    side = query.side if query.side in SIDES else None
    if target in WHOLE:
        organ = target not in (CARDIOMEGALY, DEVICES)
        return None if organ and (side or query.zone) else Target(target)
    if target == CLAVICLES:
        return Target(target, side)
    if target == LUNGS and side and not query.zone:
        return Target(f"{side} lung")
    return Target(target, side, query.zone)


def _named(query: language.Query) -> Iterator[str]:
    """The targets that a query names, without its side."""
    shown = {*query.present, *query.uncertain}
    for target, findings in _FINDINGS.items():
        if shown.intersection(findings):
            yield target
    for target, terms in _OTHER.items():
        if set(query.other).intersection(terms):
            yield target
    if "no finding" in query.absent:  # "the abnormality on the left"
        yield OPACITY
    for name in query.anatomy:
        if name in (LUNGS, RIGHT_LUNG, LEFT_LUNG):
            yield LUNGS
        elif name in _ORGANS:
            yield name


def _speaks_of_more(query: language.Query) -> bool:
    """Whether a text holds more than a place, as in "banana left"."""
    parts = (query.present, query.absent, query.uncertain, query.other, query.unknown)
    return any(parts) or any(name in _ELSEWHERE for name in query.anatomy)


_ELSEWHERE = frozenset(("bones", "soft tissues", "diaphragm", "pleura"))

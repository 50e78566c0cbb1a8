"""What can be located, and how free text names it: a target, a side and a zone.

Sides are the patient's. Zones are thirds of each lung from top to bottom, as radiologists divide a
frontal film, lobes being hard to tell on it.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from cxr.anatomy import (
    AIRWAYS,
    CONSOLIDATION,
    DEVICES,
    GROUND_GLASS,
    HEART,
    LUNGS,
    OPACITY,
)


@dataclass(frozen=True)
class Query:
    """A target of TARGETS, with a side of SIDES and a zone of ZONES where they are asked for."""

    target: str
    side: str | None = None
    zone: str | None = None

    @property
    def prompt(self) -> str:
        """The canonical words: "ground-glass opacity in the left lower zone"."""
        side = f"{self.side} " if self.side else ""
        if self.target == LUNGS and self.zone:
            return f"{side}{self.zone} zone of the lung" + ("" if self.side else "s")
        if self.zone:
            return f"{self.target} in the {side}{self.zone} zone" + ("" if self.side else "s")
        return f"{self.target} in the {side}lung" if self.side else self.target


_WORDS = {  # what names a target, the more telling targets first
    DEVICES: "tube tubes line lines catheter catheters device devices hardware wire wires lead "
    "leads electrode electrodes cvc ett ngt picc drain drains pacemaker "
    "tracheostomy cannula port",
    GROUND_GLASS: "ggo ggos glass frosted milky veil veiling haze hazy hazes haziness",
    CONSOLIDATION: "consolidation consolidations consolidated consolidate airspace whiteout dense "
    "solid",
    OPACITY: "opacity opacities opacification opacified infiltrate infiltrates infiltration "
    "infiltrated pneumonia shadow shadows shadowing patch patches patchy lesion lesions "
    "abnormality abnormal covid whitening cloudy clouding cloud disease infection "
    "inflammation density densities spot spots tuberculosis tb",
    AIRWAYS: "airway airways trachea tracheal windpipe bronchus bronchi bronchial carina",
    HEART: "heart cardiac cardiomegaly mediastinum mediastinal cardiomediastinal aorta aortic "
    "pericardium",
    LUNGS: "lung lungs pulmonary",
}
_SIDES = {"right": "right rt rightsided rul rml rll", "left": "left lt leftsided lul lll lingula"}
_BOTH = "bilateral bilaterally both"
_ZONES = {
    "upper": "upper top apex apical apices rul lul superior",
    "middle": "middle mid central rml lingula hilar perihilar midzone",
    "lower": "lower bottom base bases basal basilar bibasal rll lll inferior retrocardiac",
}
_LOBES = {"rul", "rml", "rll", "lul", "lll", "lingula"}


def _turned(table: dict[str, str]) -> dict[str, list[str]]:
    """{meaning: "word word"} -> {word: [meanings]}."""
    words: dict[str, list[str]] = {}
    for meaning, listed in table.items():
        for word in listed.split():
            words.setdefault(word, []).append(meaning)
    return words


_TARGET_OF, _SIDE_OF, _ZONE_OF = _turned(_WORDS), _turned(_SIDES), _turned(_ZONES)
_KNOWN = sorted({*_TARGET_OF, *_SIDE_OF, *_ZONE_OF, *_BOTH.split()})
_DENIED = re.compile(r"\b(?:no|not|without|absent)\b[^,;.]*")
_CLOSE = 0.8  # of difflib: one or two letters wrong in a word of eight


def parse(text: str) -> Query | None:
    """What a text asks for; None when it names nothing that can be located.

    Case, punctuation, order and small misspellings do not matter; what is denied ("no effusion")
    is passed over. Of several targets the most telling one counts: "opacity in the left lung" is
    an opacity. A side or a zone alone means the lung there; both sides mean neither.
    """
    words = [_corrected(word) for word in re.findall(r"[^\W_]+", _plain(text))]
    named = {target for word in words for target in _TARGET_OF.get(word, ())}
    sides = {side for word in words for side in _SIDE_OF.get(word, ())}
    zones = {zone for word in words for zone in _ZONE_OF.get(word, ())}
    if not named and not (sides or zones or set(words) & set(_BOTH.split())):
        return None
    if not named and not _says_where(words):
        return None
    target = next((target for target in _WORDS if target in named), LUNGS)
    if target in (HEART, AIRWAYS, DEVICES):
        return Query(target)
    side = sides.pop() if len(sides) == 1 and not set(words) & set(_BOTH.split()) else None
    zone = zones.pop() if len(zones) == 1 else None
    if target == LUNGS and side and not zone:
        return Query(f"{side} lung")
    return Query(target, side, zone)


def without_denials(text: str) -> str:
    """The text in lower case without what it denies: "heart, no effusion" -> "heart, "."""
    return _DENIED.sub(" ", text.lower())


def _plain(text: str) -> str:
    """`without_denials`, and "right-sided" in one word."""
    return re.sub(r"(right|left)[- ]sided", r"\1sided", without_denials(text))


def _corrected(word: str) -> str:
    """The nearest known word for one that is misspelt; short words are taken as they are."""
    if word in _KNOWN or len(word) < 5:
        return word
    return next(iter(difflib.get_close_matches(word, _KNOWN, 1, _CLOSE)), word)


def _says_where(words: list[str]) -> bool:
    """Whether side and zone words stand for a place of the chest: "left lower zone", "LLL"."""
    places = {
        "side",
        "zone",
        "zones",
        "field",
        "fields",
        "lobe",
        "lobes",
        "chest",
        "hemithorax",
        "half",
        "third",
    }
    where = {*_SIDE_OF, *_ZONE_OF, *_BOTH.split()}
    rest = [word for word in words if word not in where | places | {"the", "on", "of", "in", "at"}]
    return bool(set(words) & (places | _LOBES)) or not rest

"""Misspelled words -> the word of the lexicon that was meant."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

# Misspellings that are too short, or too far off, for the rules below.
COMMON = {
    "hart": "heart",
    "harts": "hearts",
    "masss": "mass",
    "nodual": "nodule",
    "noduals": "nodules",
    "plack": "plaque",
    "placks": "plaques",
    "lungz": "lungs",
    "lunge": "lung",
    "lunges": "lungs",
    "efusn": "effusion",
    "newmonia": "pneumonia",
    "pulmanory": "pulmonary",
    "edma": "edema",
    "fliud": "fluid",
    "fluied": "fluid",
    "dialated": "dilated",
    "mas": "mass",
    "watr": "water",
    "ful": "full",
    "oldr": "older",
    # Short forms of request slips.
    "pl": "pleural",
    "eff": "effusion",
    "effn": "effusion",
    "effs": "effusions",
    "emph": "emphysema",
    "thickng": "thickening",
    "nod": "nodule",
    "nods": "nodules",
}
SHORTEST = 5  # letters; shorter words are taken as they are
SHORT = 7  # letters; a word of so many keeps its first letter
CLOSE = 0.79  # similarity from which a word is corrected: one letter of five
CLOSE_SOUND = 0.85  # the same, of the words as they sound
CUT = 6  # letters; a word of so many may be the beginning of one: "cardiomeg"
LONGEST = 30  # letters; longer ones are no words

_SOUNDS = (
    (r"^(?:pn|kn|gn)", "n"),
    (r"^(?:ps)", "s"),
    (r"ph", "f"),
    (r"ae|oe", "e"),
    (r"y", "i"),
    (r"ck|qu|k|c(?![eih])", "k"),
    (r"c", "s"),
    (r"x", "ks"),
    (r"z", "s"),
    (r"rh", "r"),
    (r"th", "t"),
    (r"(\w)\1+", r"\1"),
)
_SOUND_RULES = [(re.compile(rule), sound) for rule, sound in _SOUNDS]


def sound_of(word: str) -> str:
    """A rough key of how a word sounds: "emfisema" and "emphysema" have the same."""
    for rule, sound in _SOUND_RULES:
        word = rule.sub(sound, word)
    return word


class Speller:
    """Corrects words towards a vocabulary."""

    def __init__(self, vocabulary: Iterable[str], known: Iterable[str] = ()) -> None:
        """vocabulary: words to correct to. known: further words that are right as they are."""
        self._words = sorted({w for w in vocabulary if len(w) >= SHORTEST and w.isalpha()})
        self._sounds = [sound_of(word) for word in self._words]
        self._known = frozenset(known) | frozenset(self._words)
        self.correct = lru_cache(4096)(self._correct)

    def _correct(self, word: str) -> str:
        """The nearest word of the vocabulary, or the word itself when none is near."""
        if word in COMMON:
            return COMMON[word]
        if word in self._known or not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
            return word
        meant = self._nearest(word)
        singular = word.removesuffix("s")
        if meant != word or singular == word or singular in self._known:
            return meant
        near = self._nearest(singular) if len(singular) >= SHORTEST else singular
        return word if near == singular else f"{near}s"

    def _nearest(self, word: str) -> str:
        near = process.extract(
            word, self._words, scorer=OSA.normalized_similarity, score_cutoff=CLOSE, limit=5
        )
        alike = process.extract(
            sound_of(word),
            self._sounds,
            scorer=OSA.normalized_similarity,
            score_cutoff=CLOSE_SOUND,
            limit=5,
        )
        if not near and not alike:
            return self._completed(word)
        scored = [(score, -spot) for _, score, spot in (*near, *alike)]
        fitting = [(score, -spot) for score, spot in scored if _may_be(word, self._words[-spot])]
        return self._words[min(fitting, key=lambda one: (-one[0], one[1]))[1]] if fitting else word

    def _completed(self, word: str) -> str:
        """The shortest word that begins so, where all that do agree on what comes next."""
        begun = [one for one in self._words if one.startswith(word)] if len(word) >= CUT else []
        agreed = os.path.commonprefix(begun)
        return min(begun, key=len) if len(agreed) > len(word) else word


def _may_be(word: str, meant: str) -> bool:
    """Whether a short word begins as what it is corrected to: "table" is not "stable"."""
    if len(word) > SHORT:
        return True
    if word[0] == meant[0] or sorted(word[:2]) == sorted(meant[:2]):
        return True
    return sound_of(word)[0] == sound_of(meant)[0]

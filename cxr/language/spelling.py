"""Misspelled words -> the word of the lexicon that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

SHORTEST = 5  # letters; shorter words are taken as they are
CLOSE = 0.8  # similarity from which a word is corrected
CLOSE_SOUND = 0.85  # the same, of the words as they sound
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
        if word in self._known or not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
            return word
        near = process.extractOne(
            word, self._words, scorer=OSA.normalized_similarity, score_cutoff=CLOSE
        )
        alike = process.extractOne(
            sound_of(word), self._sounds, scorer=OSA.normalized_similarity, score_cutoff=CLOSE_SOUND
        )
        if near and (not alike or near[1] >= alike[1]):
            return str(near[0])
        return self._words[alike[2]] if alike else word

"""Which language a text is in, where its words are not understood as English."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cxr.language.terms import FOREIGN_WORDS

if TYPE_CHECKING:
    from lingua import LanguageDetector

LANGUAGES = (
    "ENGLISH",
    "GERMAN",
    "FRENCH",
    "SPANISH",
    "ITALIAN",
    "PORTUGUESE",
    "DUTCH",
    "POLISH",
    "TURKISH",
    "RUSSIAN",
    "ARABIC",
    "CHINESE",
    "JAPANESE",
)
# Words that stand in an English text alone; one of them decides a short one, unless a word of
# terms.FOREIGN_WORDS stands beside it.
_ENGLISH = frozenset(
    """lung lungs heart chest rib ribs bone bones lobe breath breathing the with without there
    show me films film is this that and of white black dark big small blood fluid water air ray
    patient woman man people angle spot line lines old any""".split()
)
SURE = 0.8  # confidence from which another language is believed
DOUBT = 0.05  # confidence in English below which it is


@cache
def _detector() -> LanguageDetector:
    """A detector of LANGUAGES; its low accuracy mode takes about 17 MB instead of 250 MB."""
    from lingua import Language, LanguageDetectorBuilder

    chosen = [getattr(Language, name) for name in LANGUAGES]
    return LanguageDetectorBuilder.from_languages(*chosen).with_low_accuracy_mode().build()


@cache
def _marks() -> dict[str, str]:
    return {word: code for code, words in FOREIGN_WORDS.items() for word in words.split()}


def language_of(text: str) -> str:
    """The ISO 639-1 code of a text's language: "en" unless it is clearly one of LANGUAGES."""
    words = text.lower().split()
    said = [_marks()[word] for word in words if word in _marks()]
    if said:
        return max(set(said), key=said.count)
    if not any(map(str.isalpha, text)) or not _ENGLISH.isdisjoint(words):
        return "en"
    from lingua import Language

    values = _detector().compute_language_confidence_values(text)
    english = next((v.value for v in values if v.language == Language.ENGLISH), 0.0)
    best = values[0]
    if best.value >= SURE and english <= DOUBT:
        return best.language.iso_code_639_1.name.lower()
    return "en"

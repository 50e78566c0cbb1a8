"""A text as words with their corrections, and the vocabulary that they are looked up in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from cxr.language import chest_signs, lexicon, lung_signs, terms
from cxr.language.ordinary_words import ORDINARY_WORDS
from cxr.language.phrases import FILLERS, WORD, Found, PhraseTable, Token, expand, plain, stem_of
from cxr.language.spelling import Speller

_CUE_WORDS = """without no not nor neither never denies denied absence absent negative free clear of
    excluded excluding exclude ruled rule out possible possibly probable probably likely suspected
    suspicious suspicion questionable cannot versus evidence however although except resolved
    unlikely lacking maybe perhaps w wo o r excludes denying lacks lack minus sans nil concern
    concerning suggestive query queried aside apart ruling"""
_FOREIGN_DENIALS = frozenset(
    "kein keine keinen ohne nicht sans pas sin senza sem geen zonder niet não без нет nessun "
    "nessuna ningún ninguna aucun aucune bez brak".split()
)
_IGNORED_SYMBOLS = frozenset("<>=+-/^`$|~")


class Vocabulary:
    """Everything that a word can be looked up in."""

    def __init__(self) -> None:
        self.sides = _turned(terms.SIDE_WORDS)
        self.zones = _turned(terms.ZONE_WORDS)
        self.sizes = {w: name for name, ws in terms.SEVERITY_WORDS.items() for w in ws.split()}
        place = {*self.sides, *self.zones}
        skippable = {*place, *self.sizes, *terms.MOTION_WORDS, "sided", "side", "zone"}
        self.phrases = PhraseTable(skippable)
        self._add(_meanings())
        self.known = frozenset(
            {*FILLERS, *terms.PLAIN_WORDS, *terms.PLACE_WORDS, *place, *self.sizes}
            | set(_CUE_WORDS.split())
        )
        wanted = {*self.phrases.words, *place, *self.sizes, *_CUE_WORDS.split()}
        self.speller = Speller(wanted, self.known | ORDINARY_WORDS)
        self._add(_signs())
        self.narrower = {
            (name, _stems(phrase))
            for name, phrases in lexicon.NARROWER_WORDS.items()
            for phrase in _phrases(phrases)
        }

    def _add(self, meanings: Iterable[tuple[tuple[str, str], str]]) -> None:
        for meaning, phrases in meanings:
            for phrase in _phrases(phrases):
                self.phrases.add(phrase, meaning)

    def is_place(self, word: str) -> bool:
        """Whether a word names a side, a zone or a size."""
        return word in self.sides or word in self.zones or word in self.sizes

    def corrected(self, word: str) -> str:
        """A lower-case word as it was meant."""
        if word in self.known or self.phrases.knows(word):
            return word
        return self.speller.correct(word)


def _phrases(listed: str) -> Iterable[str]:
    """Every phrase that patterns with semicolons between them stand for."""
    for pattern in listed.split(";"):
        yield from expand(" ".join(pattern.split()), lexicon.GROUPS)


def _stems(phrase: str) -> tuple[str, ...]:
    return tuple(stem_of(word) for word in phrase.split() if word not in FILLERS)


def _turned(table: Mapping[str, str]) -> dict[str, list[str]]:
    """{meaning: "word word"} -> {word: [meanings]}."""
    words: dict[str, list[str]] = {}
    for meaning, listed in table.items():
        for word in listed.split():
            words.setdefault(word, []).append(meaning)
    return words


def _meanings() -> Iterable[tuple[tuple[str, str], str]]:
    """((kind, name), phrases) of everything; a term of OTHER_TERMS goes by its own words."""
    yield ("normal", "no finding"), lexicon.NORMAL_WORDS
    yield ("clear lungs", "no finding"), lexicon.CLEAR_LUNG_WORDS
    for kind, table in (
        ("excluded", lexicon.NORMAL_STRUCTURES),
        ("finding", lexicon.FINDINGS_WORDS),
        ("device", terms.DEVICE_WORDS),
        ("other", terms.OTHER_WORDS),
        ("anatomy", terms.ANATOMY_WORDS),
        ("view", terms.VIEW_WORDS),
    ):
        for name, phrases in table.items():
            yield (kind, name), phrases
    yield ("other", ""), terms.OTHER_TERMS
    yield ("second finding", "pleural effusion"), "hydropneumothorax; hemopneumothorax"


def _signs() -> Iterable[tuple[tuple[str, str], str]]:
    """((kind, name), phrases) of descriptive signs and comparisons."""
    yield ("normal", "no finding"), chest_signs.NORMAL_SIGNS
    for table in (lung_signs.LUNG_SIGNS, chest_signs.CHEST_SIGNS):
        for name, phrases in table.items():
            yield ("finding", name), phrases


@cache
def vocabulary() -> Vocabulary:
    """The one vocabulary of this process, built on first use."""
    return Vocabulary()


class Reading:
    """The words of a text, where they stand in it, and which of them have been understood."""

    def __init__(self, typed: str, foreign: bool = False) -> None:
        """foreign: take words as they are, and those that deny in other languages as "no"."""
        self.typed_text, self.plain = typed, plain(typed)
        words = vocabulary()
        self.tokens: list[Token] = []
        self.used: set[int] = set()
        self._places: list[tuple[int, int]] = []
        self._foreign = foreign
        corrections, pieces, length, end = {}, [], 0, 0
        for match in WORD.finditer(self.plain):
            raw = match[0]
            lower = raw.lower()
            if foreign:
                word = "no" if lower in _FOREIGN_DENIALS else lower
            else:
                word = words.corrected(lower)
                if word != lower:
                    corrections[raw] = word
            gap = " " if match.start() > end else ""
            pieces += [gap, word]
            start = length + len(gap)
            length, end = start + len(word), match.end()
            self._places.append((start, length))
            self.tokens.append(Token(raw, word, stem_of(word)))
        self.text = "".join(pieces)
        self.corrections = tuple(corrections.items())

    def span_of(self, spots: Sequence[int]) -> tuple[int, int]:
        """[start, end) of some words in `text`."""
        return self._places[spots[0]][0], self._places[spots[-1]][1]

    def spots_in(self, start: int, end: int) -> list[int]:
        """The words that overlap [start, end) of `text`."""
        return [i for i, (first, last) in enumerate(self._places) if first < end and start < last]

    def typed(self, spots: Sequence[int]) -> str:
        """Some words as they were read."""
        return " ".join(self.tokens[spot].word for spot in spots)

    def stems(self, spots: Sequence[int]) -> tuple[str, ...]:
        """Some words in American spelling and singular."""
        return tuple(self.tokens[spot].stem for spot in spots)

    def blanked(self, found: Sequence[Found]) -> str:
        """`text` with the words of phrases struck out, every other word in its place."""
        letters = list(self.text)
        for one in found:
            for spot in one.spots:
                start, end = self._places[spot]
                letters[start:end] = "_" * (end - start)
        return "".join(letters)

    def unknown(self) -> tuple[str, ...]:
        """Words and emoji that nothing was made of, as typed, each once."""
        words = vocabulary()
        left = []
        for spot, token in enumerate(self.tokens):
            renamed = self._foreign and token.word != token.raw.lower()
            if not renamed and (spot in self.used or token.word in words.known):
                continue
            if len(token.word) == 1 and token.word.isascii():
                continue
            if token.word.isdigit() and self.used and len(token.word) < 4:
                continue
            if token.is_word or _is_symbol(token.word):
                left.append(token.raw)
        return tuple(dict.fromkeys(left))

    @property
    def word_count(self) -> int:
        """How many words, leaving out punctuation."""
        return sum(token.is_word for token in self.tokens)


def _is_symbol(mark: str) -> bool:
    """Whether a mark is an emoji or the like, rather than punctuation."""
    return unicodedata.category(mark[0])[0] == "S" and mark not in _IGNORED_SYMBOLS

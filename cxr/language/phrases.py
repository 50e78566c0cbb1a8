"""Words of a text, and a table that finds the phrases of the lexicon among them.

Texts and phrases are reduced to the same stems: lower case, American spelling, singular.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

# Words that may stand inside a phrase without changing it: "heart is very large".
FILLERS = frozenset(
    "a an the is are was were be been of to too very quite rather really that this these those its "
    "his her their my your our some any looks look looking appears appear appearing seems seem "
    "seen there more most almost so slightly mildly moderately severely markedly "
    "massively grossly somewhat have has had having been being s abnormally increasingly".split()
)
DENIALS = frozenset("not isn't aren't wasn't isnt arent never".split())
MAX_GAP = 4  # words that may stand between two words of a phrase

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|\n|[^\w\s]|_")
_AMERICAN = (
    ("oedema", "edema"),
    ("oesoph", "esoph"),
    ("haem", "hem"),
    ("anaem", "anem"),
    ("paed", "ped"),
    ("tumour", "tumor"),
    ("colour", "color"),
    ("centre", "center"),
    ("fibre", "fiber"),
    ("calibre", "caliber"),
    ("dyspnoea", "dyspnea"),
    ("leuk", "leuc"),
    ("grey", "gray"),
    ("aluminium", "aluminum"),
)
_PLURALS = {
    "pneumothoraces": "pneumothorax",
    "hydropneumothoraces": "hydropneumothorax",
    "metastases": "metastasis",
    "vertebrae": "vertebra",
    "bullae": "bulla",
    "bronchi": "bronchus",
    "apices": "apex",
    "bases": "base",
    "emboli": "embolus",
    "diagnoses": "diagnosis",
    "pleurae": "pleura",
    "hila": "hilum",
    "women": "woman",
    "men": "man",
    "ladies": "lady",
    "bodies": "body",
    "lobes": "lobe",
    "axes": "axis",
    "masses": "mass",
    "abscesses": "abscess",
    "diseases": "disease",
    "spaces": "space",
    "prostheses": "prosthesis",
    "atelectases": "atelectasis",
}


# "#" beside a bone is how wards write a fracture: "rib #", "# clavicle"; elsewhere it is a mark.
_BONE = r"(?:ribs?|clavicles?|collar ?bones?|sternum|scapula|humerus|vertebra[el]?|spine|bones?)"
_HASH = re.compile(rf"#(?= ?(?:\w+ )?{_BONE}\b)|(?P<bone>\b{_BONE}) ?#(?!\w)", re.IGNORECASE)


# A cardiothoracic ratio from a half on, in figures, is a large one.
_RATIO = re.compile(
    r"\b(ctr|ct ratio|cardio ?thoracic (?:ratio|index))"
    r"(?: |of|is|at|was|=|>|\u2265|above|over|more than|greater than)*"
    r"(?:0?\.(?:[6-9]|5)\d*|(?:[6-9]\d|5\d) ?(?:%|percent\b))",
    re.IGNORECASE,
)


class Token(NamedTuple):
    """A word or a mark of a text: as typed, as read (lower case, corrected), and its stem."""

    raw: str
    word: str
    stem: str

    @property
    def is_word(self) -> bool:
        """Whether it holds a letter or a digit."""
        return self.word[:1].isalnum()


class Found(NamedTuple):
    """A phrase found. spots: indices of its words; denied: a "not" stands among them."""

    spots: tuple[int, ...]
    denied: bool
    meanings: tuple[tuple[str, str], ...]  # kind and name of each


def plain(text: str) -> str:
    """A text without half surrogates and in compatibility form, so that regexes may read it."""
    whole = text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text
    folded = unicodedata.normalize("NFKC", whole).replace("\u2019", "'").replace("\u2018", "'")
    folded = _RATIO.sub(r"increased \1", folded)
    return _HASH.sub(lambda found: f"{found['bone'] or ''} fracture ", folded)


def stem_of(word: str) -> str:
    """A word in lower case, American spelling and singular."""
    word = word.removesuffix("'s")
    for british, american in _AMERICAN:
        if british in word:
            word = word.replace(british, american)
    if word in _PLURALS:
        return _PLURALS[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("xes", "sses", "shes", "ches")) else word[:-1]


def expand(pattern: str, groups: Mapping[str, str]) -> Iterator[str]:
    """A pattern -> every phrase that it stands for.

    Args:
        pattern: words with {groups}, (a|b) alternatives and (a|b)? for what may be left out.
        groups: name -> its alternatives, "a|b".
    """

    def inner(match: re.Match[str]) -> str:
        return re.sub(r"\{(\w+)\}", lambda group: groups[group[1]], match[0])

    pattern = re.sub(r"\([^)]*\)", inner, pattern)
    pattern = re.sub(r"\{(\w+)\}", lambda group: f"({groups[group[1]]})", pattern)
    choices, end = [], 0
    for match in re.finditer(r"\(([^)]*)\)(\?)?", pattern):
        choices += [[pattern[end : match.start()]], match[1].split("|") + [""] * bool(match[2])]
        end = match.end()
    for choice in itertools.product(*choices, [pattern[end:]]):
        yield "".join(choice)


class PhraseTable:
    """Phrases -> what they mean; the longest phrase at a word wins."""

    def __init__(self, skippable: Iterable[str] = ()) -> None:
        """skippable: stems that may stand inside a phrase besides FILLERS, such as "left"."""
        self.words: set[str] = set()
        self._stems: set[str] = set()
        self._skippable = FILLERS | DENIALS | {stem_of(word) for word in skippable}
        self._root: dict = {}

    def add(self, phrase: str, meaning: tuple[str, str]) -> None:
        """Give a phrase a meaning, beside those of another kind that it has."""
        words = [word for word in WORD.findall(phrase.lower()) if word[0].isalnum()]
        kept = [word for word in words if word not in FILLERS] or words
        node = self._root
        for stem in map(stem_of, kept):
            node = node.setdefault(stem, {})
        if kept and all(kind != meaning[0] for kind, _ in node.get("", ())):
            node[""] = (*node.get("", ()), meaning)
        self.words.update(words)
        self._stems.update(map(stem_of, words))

    def knows(self, word: str) -> bool:
        """Whether a lower-case word, in singular or plural, occurs in any phrase."""
        return word in self.words or stem_of(word) in self._stems

    def find(self, tokens: Sequence[Token], barred: Iterable[int] = ()) -> list[Found]:
        """The phrases in a text from left to right; no word belongs to two of them.

        Args:
            tokens: of the text, in order.
            barred: indices of words that no phrase may use.
        """
        taken = set(barred)
        found = []
        for first in range(len(tokens)):
            if first not in taken and tokens[first].stem in self._root:
                best = self._longest(tokens, first, taken)
                if best:
                    found.append(best)
                    taken.update(best.spots)
        return found

    def _longest(self, tokens: Sequence[Token], first: int, taken: set[int]) -> Found | None:
        best: Found | None = None
        start: tuple[int, ...] = (first,)
        stack = [(self._root[tokens[first].stem], start, False)]
        while stack:
            node, spots, denied = stack.pop()
            if "" in node and (best is None or len(spots) > len(best.spots)):
                best = Found(spots, denied, node[""])
            for spot in range(spots[-1] + 1, min(spots[-1] + 2 + MAX_GAP, len(tokens))):
                token = tokens[spot]
                if spot not in taken and token.stem in node:
                    stack.append((node[token.stem], (*spots, spot), denied))
                if not self._may_skip(token):
                    break
                denied = denied or token.word in DENIALS
        return best

    def _may_skip(self, token: Token) -> bool:
        return token.stem in self._skippable or token.word == "-" or token.word.isdigit()

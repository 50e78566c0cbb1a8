"""How a query was read, in words: what the page says above the films, and the endpoint returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxr.findings import FINDINGS
from cxr.language import describe, parse
from cxr.retrieval import Understanding, asks_anything

if TYPE_CHECKING:
    from cxr.retrieval import Retriever
    from cxr.tabs.search.state import SearchQuery

LOOK_NOTE = "Compared by look alone: labels and reports are left aside."
UNREAD_NOTE = (
    "This gallery has not been read for findings, so that words and pictures are compared by one "
    "number alone; the command “cxr gallery findings” reads it."
)
_LANGUAGES = {
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
    "pl": "Polish",
    "tr": "Turkish",
    "ru": "Russian",
    "ar": "Arabic",
    "zh": "Chinese",
    "ja": "Japanese",
}
_SHORT = 80  # characters of what somebody typed that are said back


@dataclass(frozen=True)
class QueryNotes:
    """What is said of a query.

    Attributes:
        chips: what it was understood to ask for, in the order of cxr.language.describe.
        notes: sentences on misspellings, unknown words and contradictions. Plain text, both.
    """

    chips: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def understand(retriever: Retriever, text: str) -> Understanding:
    """How a query is read; the network is asked only where no rule reads anything.

    Raises:
        ValueError: as Retriever.understand does.
    """
    query = parse(text) if text.strip() else None
    return Understanding(query) if query and asks_anything(query) else retriever.understand(text)


def notes_on(understood: Understanding) -> QueryNotes:
    """What to say of how a query was read."""
    query = understood.query
    labels = [
        f"probably {chip.label}" if chip.value == understood.guessed else chip.label
        for chip in describe(query)
    ]
    said = [f"Read “{_short(typed)}” as {read}." for typed, read in query.corrections]
    if understood.guessed:
        said.append(f"No rule reads these words; {understood.guessed} is nearest in meaning.")
    elif query.unknown or understood.by_look:
        said.append(_not_understood(understood))
    for name in query.contradictions:
        if name == FINDINGS[0]:
            said.append("“Normal” contradicts the findings beside it; take one of them away.")
        else:
            said.append(f"“{name}” is both asked for and excluded; take one of the two away.")
    return QueryNotes(tuple(labels), tuple(said))


def notes_of(query: SearchQuery, unread: bool = False) -> QueryNotes:
    """What to say of a search above the films that it found.

    Args:
        query: the search.
        unread: whether the model reads findings and the gallery does not hold what it read.
    """
    if query.browses:
        return QueryNotes()
    if query.evidence == "image":
        return QueryNotes(notes=(LOOK_NOTE, *([UNREAD_NOTE] if unread and query.text else [])))
    return QueryNotes() if query.understood is None else notes_on(query.understood)


def describe_reading(understood: Understanding) -> dict:
    """How a query was read, as JSON: the chips, and what was and was not understood."""
    query = understood.query
    return {
        "chips": [chip.label for chip in describe(query)],
        "guessed": understood.guessed,
        "confidence": round(understood.confidence, 4),
        "by_look": understood.by_look,
        "corrections": [list(pair) for pair in query.corrections],
        "not_understood": list(query.unknown),
        "contradictions": list(query.contradictions),
        "language": query.language,
    }


def _not_understood(understood: Understanding) -> str:
    query = understood.query
    words = _short(", ".join(query.unknown) or query.text)
    foreign = query.language != "en"
    tongue = f" ({_LANGUAGES.get(query.language, query.language)})" if foreign else ""
    rest = "; searching by look alone" if understood.by_look else ""
    return f"Not understood: {words}{tongue}{rest}."


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1].rstrip() + "…"

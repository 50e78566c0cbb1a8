"""A collection: a name and the ids of studies, as JSON, and its studies in a gallery.

    {"format": "cxr-collection", "version": 1, "name": "Effusions",
     "gallery": "what its studies were chosen from, in words", "studies": ["id", "id"]}

A bare list of ids is read as a collection without a name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cxr.findings import Study
    from cxr.gallery import Gallery

FORMAT, VERSION = "cxr-collection", 1
MAX_STUDIES = 500  # of a collection
MAX_NAME, MAX_ID, MAX_GALLERY = 80, 200, 300  # characters
NAMELESS = "Collection"


@dataclass(frozen=True)
class Collection:
    """Studies that somebody put together, in their order.

    Attributes:
        studies: ids, each once.
        name: on one line; never empty.
        gallery: what the studies were chosen from, in words; "" where it is not known.
    """

    studies: tuple[str, ...]
    name: str = NAMELESS
    gallery: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; read_collection turns them back."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "gallery": self.gallery,
            "studies": list(self.studies),
        }


def read_collection(data: str | bytes) -> Collection:
    """Read a collection from JSON: a document of this form, or a list of ids.

    Args:
        data: the text of the file; UTF-8 where it is bytes.

    Returns:
        The collection; an id that stands in it twice is kept once.

    Raises:
        ValueError: no JSON, another kind of file, a newer version, or no list of ids.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            "expected a collection as JSON, got a file that is none; export it again"
        ) from error
    said = {"studies": value} if isinstance(value, list) else value
    if not isinstance(said, dict) or said.get("format", FORMAT) != FORMAT:
        raise ValueError(
            "expected a collection, or a list of ids, got JSON of another kind; "
            "choose a file that was exported as a collection"
        )
    version = said.get("version", VERSION)
    if isinstance(version, bool) or version != VERSION:
        raise ValueError(
            f"expected a collection of version {VERSION}, got {str(version)[:20]!r}; "
            "export it again, or update this package"
        )
    ids = checked_ids(said.get("studies"), MAX_STUDIES)
    if not ids:
        raise ValueError("expected a collection with studies, got an empty one; add some")
    return Collection(ids, checked_name(said.get("name")), _text(said.get("gallery"), MAX_GALLERY))


def checked_ids(ids: object, most: int) -> tuple[str, ...]:
    """Return ids of studies, each once, in their order.

    Args:
        ids: a list of texts.
        most: how many there may be.

    Raises:
        ValueError: no such list, or a longer one.
    """
    if not isinstance(ids, (list, tuple)):
        raise ValueError("expected studies as a list of ids, got something else; correct it")
    if not all(isinstance(one, str) and one.strip() and len(one) <= MAX_ID for one in ids):
        raise ValueError(
            f"expected ids of studies as text of 1 to {MAX_ID} characters, got something else "
            "among them; correct the list"
        )
    once = tuple(dict.fromkeys(ids))
    if len(once) > most:
        raise ValueError(f"expected at most {most} studies, got {len(once)}; divide the collection")
    return once


def checked_name(name: object) -> str:
    """Return a name on one line, cut to MAX_NAME characters; NAMELESS for none."""
    return _text(name, MAX_NAME) or NAMELESS


def find_studies(studies: Iterable[Study], ids: Sequence[str]) -> tuple[list[Study], list[str]]:
    """Find the studies of a collection.

    Args:
        studies: of a gallery.
        ids: which are wanted; an id that several sources share means the first.

    Returns:
        The studies that are there, in the order of `ids`, and the ids that are not.
    """
    wanted = set(ids)
    known: dict[str, Study] = {}
    for study in studies:
        if study.id in wanted:
            known.setdefault(study.id, study)
    return [known[one] for one in ids if one in known], [one for one in ids if one not in known]


def gallery_name(gallery: Gallery) -> dict[str, str]:
    """Return what a gallery is called: `source` in words, and `key`, short enough for a link."""
    source = _text(gallery.header.get("source"), MAX_GALLERY) or "a gallery without a name"
    return {"key": hashlib.sha256(source.encode()).hexdigest()[:8], "source": source}


def _text(value: object, most: int) -> str:
    """A text on one line without control characters, cut; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    printable = "".join(char if char.isprintable() else " " for char in value)
    return " ".join(printable.split())[:most].strip()

"""What the Search tab shows as the part of an address after "#search?", and back again."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlencode

from cxr.gallery import Where
from cxr.retrieval import EVIDENCE, MATCHED
from cxr.tabs.search.state import MAX_RESULTS, PAGE_SIZE, SearchQuery, SearchState

_LONGEST = 16_000  # characters: a query of 2,000 with every one escaped, and filters
_LISTS = {"view": "view", "with": "present", "without": "absent"}  # key -> field of Where
_VALUES = {"sex": "sex", "from": "age_min", "to": "age_max"}


@dataclass(frozen=True)
class Place:
    """What an address asks the Search tab to show.

    Attributes:
        query: the search, without its vector; None for the first page.
        film: id of the open study; "" where none is open.
    """

    query: SearchQuery | None = None
    film: str = ""


def write_place(state: SearchState) -> str:
    """The address of what a state shows; "" where it has none, as a search by an upload has."""
    query = state.query
    if query is None or (query.image is not None and not query.exclude):
        return ""
    pairs: list[tuple[str, str]] = []
    if query.text:
        pairs.append(("q", query.text))
    if query.exclude:
        pairs.append(("like", query.exclude))
        pairs += [("match", name) for name in query.matched]
        pairs += [("region", query.region)] if query.region else []
    for key, field in _LISTS.items():
        pairs += [(key, value) for value in getattr(query.where, field) or ()]
    for key, field in _VALUES.items():
        if (value := getattr(query.where, field)) is not None:
            pairs.append((key, str(value)))
    if query.evidence == EVIDENCE[1]:
        pairs.append(("by", "look"))
    if query.k != PAGE_SIZE and not query.only:
        pairs.append(("n", str(query.k)))
    film = query.only or (state.open.study.id if state.open else "")
    if film:
        pairs.append(("film", film))
    # Half of a surrogate pair, as a cut emoji leaves it, has no UTF-8.
    return urlencode(pairs, quote_via=quote, errors="replace")


def read_place(address: str) -> Place:
    """What an address asks for; keys that are not known are left out.

    Args:
        address: as write_place wrote it, or as somebody changed it.

    Raises:
        ValueError: it is too long, or its filters cannot be.
    """
    if len(address) > _LONGEST:
        raise ValueError(f"expected a link of at most {_LONGEST:,} characters; copy it again")
    said = parse_qs(address, errors="replace")
    first = {key: values[0] for key, values in said.items()}
    filters: dict[str, object] = {field: tuple(said.get(key, ())) for key, field in _LISTS.items()}
    filters["sex"] = first.get("sex")
    filters |= {field: _age(first.get(key)) for key, field in _VALUES.items() if key != "sex"}
    where = Where.of(filters)
    film = first.get("film", "")
    query = SearchQuery(
        text=first.get("q", "").strip(),
        exclude=first.get("like", ""),
        region=first.get("region", ""),
        matched=tuple(name for name in MATCHED if name in said.get("match", ())),
        where=where,
        evidence=EVIDENCE[1] if first.get("by") == "look" else EVIDENCE[0],
        k=_count(first.get("n", "")),
    )
    if query.text:
        query = SearchQuery(query.text, where=where, evidence=query.evidence, k=query.k)
    elif not query.exclude and where == Where():
        return Place(SearchQuery(only=film) if film else None, film)
    return Place(query, film)


def _age(years: str | None) -> int | None:
    if years is None:
        return None
    if not (years.isascii() and years.isdigit() and len(years) < 4):
        raise ValueError(f"expected an age in years in the link, got {years[:20]!r}; correct it")
    return int(years)


def _count(said: str) -> int:
    known = said.isascii() and said.isdigit() and len(said) < 4
    return min(max(int(said), 1), MAX_RESULTS) if known else PAGE_SIZE

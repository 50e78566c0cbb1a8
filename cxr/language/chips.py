"""How a query was understood, in short phrases that can be taken away one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cxr.findings import FINDINGS
from cxr.language.person import ADULT
from cxr.language.query import Query

_VIEWS = {"PA": "PA view", "AP": "AP view", "lateral": "lateral view", "frontal": "frontal view"}
_SIDES = {"right": "right side", "left": "left side", "both": "both sides"}
_PEOPLE = {"F": ("woman", "women"), "M": ("man", "men"), None: ("person", "people")}
_CHILDREN = {"F": ("girl", "girls"), "M": ("boy", "boys"), None: ("child", "children")}
_LISTS = ("present", "uncertain", "absent", "devices", "anatomy", "other")
_FIELDS = ("severity", "side", "zone", "view")
_LUNGS = ("lungs", "right lung", "left lung")


@dataclass(frozen=True)
class Chip:
    """One thing that a query asks for.

    Attributes:
        label: in a few words, such as "without pleural effusion".
        field: the field of Query that it stands for; "normal", or "person" for sex and age.
        value: what stands in that field; "" for "person" and "normal".
    """

    label: str
    field: str
    value: str = ""


def describe(query: Query) -> list[Chip]:
    """What a query asks for, as chips: findings first, then place, view and person."""
    chips = [Chip("normal", "normal")] if query.normal else []
    chips += [Chip(n, "present", n) for n in query.present if n != FINDINGS[0] or not query.normal]
    chips += [Chip(f"possible {name}", "uncertain", name) for name in query.uncertain]
    chips += [
        Chip("abnormal" if name == FINDINGS[0] else f"without {name}", "absent", name)
        for name in query.absent
    ]
    chips += [Chip(name, "devices", name) for name in query.devices]
    chips += [Chip(name, "other", name) for name in query.other]
    places = [name for name in query.anatomy if not _is_implied(query, name)]
    chips += [Chip(name, "anatomy", name) for name in places]
    for field in _FIELDS:
        value = getattr(query, field)
        if value is not None and not (field == "side" and f"{value} lung" in places):
            chips.append(Chip(_label(field, value), field, value))
    person = _person(query)
    return [*chips, Chip(person, "person")] if person else chips


def without(query: Query, chip: Chip) -> Query:
    """The query without what a chip stands for.

    Its text is put together from the chips that stay, so that whatever reads the text agrees with
    the fields; it is empty when none stays.
    """
    changes: dict[str, Any] = {}
    if chip.field == "person":
        changes = {"sex": None, "age_min": None, "age_max": None}
    elif chip.field == "normal":
        changes = {"normal": False, "present": _less(query.present, FINDINGS[0])}
    elif chip.field in _LISTS:
        changes = {chip.field: _less(getattr(query, chip.field), chip.value)}
        if chip.field == "other":
            changes["kinds"] = tuple(kind for kind in query.kinds if kind[0] != chip.value)
        elif chip.field in ("present", "uncertain"):  # its kinds would name it again
            gone = [term for term, finding in query.kinds if finding == chip.value]
            changes["other"] = tuple(term for term in query.other if term not in gone)
            changes["kinds"] = tuple(kind for kind in query.kinds if kind[1] != chip.value)
        if chip.field == "present" and chip.value == "support devices":
            changes["devices"] = ()
        if chip.value in _LUNGS[1:]:
            changes["side"] = None
    elif chip.field in _FIELDS:
        changes = {chip.field: None}
    else:
        raise ValueError(
            f"expected a chip that describe gave, got one of {chip.field!r}; give one of those"
        )
    left = replace(query, **changes)
    clashes = {*left.present, *left.uncertain}.intersection(left.absent)
    kept = tuple(name for name in left.contradictions if name in clashes)
    left = replace(left, contradictions=kept, unknown=(), corrections=(), language="en")
    return replace(left, text=", ".join(one.label for one in describe(left)))


def _less(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(one for one in names if one != name)


def _is_implied(query: Query, name: str) -> bool:
    """Whether a lung goes without saying beside a finding or a zone."""
    named = query.present or query.absent or query.uncertain or query.zone
    return name in _LUNGS and bool(named)


def _label(field: str, value: str) -> str:
    return {
        "severity": value,
        "side": _SIDES.get(value, value),
        "zone": f"{value} zone",
        "view": _VIEWS.get(value, value),
    }[field]


def _person(query: Query) -> str:
    """Who is meant: "women over 60", "64-year-old man"; "" when nobody is."""
    low, high = query.age_min, query.age_max
    minor = high is not None and high < ADULT
    one, many = (_CHILDREN if minor else _PEOPLE)[query.sex]
    if low is None and high is None:
        return many if query.sex else ""
    if low == high:
        return f"{low}-year-old {one}"
    if low is None:
        return f"{many} under {(high or 0) + 1}"
    if high is None:
        return f"{many} over {low}"
    return f"{many} aged {low} to {high}"

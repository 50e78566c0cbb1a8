"""A study in the words a trainee reads: as plain text, or as HTML where the docstring says so.

What stands in the HTML is escaped here; plain text is escaped by whoever puts it into a page.
"""

from __future__ import annotations

from html import escape

from cxr.data import SYNTHETIC
from cxr.findings import Study
from cxr.gallery import Where
from cxr.language import asked_for

SEX = {"F": "female", "M": "male"}
VIEW = {"PA": "PA", "AP": "AP", "lateral": "Lateral", "frontal": "Frontal"}
VIEW_MEANING = {
    "PA": "back to front, usually standing",
    "AP": "front to back, often portable and lying",
    "lateral": "from the side",
    "frontal": "from the front or the back, not recorded which",
}
BARS = 4  # of a similarity meter, one a word
CHIPS = 4  # on a card


def person(study: Study) -> str:
    """ "PA view, 64 y, female" as far as it is known. Plain text."""
    view = f"{VIEW[study.view]} view" if study.view else ""
    age = "" if study.age is None else f"{study.age} y"
    return ", ".join(part for part in (view, age, SEX.get(study.sex, "")) if part)


def is_synthetic(study: Study) -> bool:
    """Whether a generator made the film; no patient's then."""
    return study.source.startswith(SYNTHETIC)


def summary(study: Study) -> str:
    """The findings in a line of plain text: never "normal" for a film that nobody has read."""
    if not study.labelled:
        return "not labelled"
    listed = [*study.positive, *(f"possible {name}" for name in study.uncertain)]
    if listed:
        return ", ".join(listed)
    if study.findings.get("no finding") == 1:
        return "no finding"
    return "none of the labelled findings"


def chips(study: Study, highlight: str = "", most: int | None = None) -> str:
    """The findings as HTML chips; those that the query `highlight` asks for are marked and come
    first. most: chips at most, the rest is counted; None for all.
    """
    if not study.positive and not study.uncertain:
        kind = "none" if study.labelled else "unlabelled"
        return f'<span class="chip {kind}">{escape(summary(study))}</span>'
    hits = asked_for(highlight, study.positive)
    present = [
        f'<span class="chip{" hit" if name in hits else ""}">{escape(name)}</span>'
        for name in sorted(study.positive, key=lambda name: name not in hits)
    ]
    possible = [
        f'<span class="chip maybe">possible {escape(name)}</span>' for name in study.uncertain
    ]
    listed = present + possible
    if most is None or len(listed) <= most:
        return "".join(listed)
    left = len(listed) - most + 1
    return "".join(listed[: most - 1]) + f'<span class="chip none">and {left} more</span>'


def badge(study: Study) -> str:
    """The mark of a film that no patient stood for, as HTML."""
    return '<span class="badge">synthetic</span>' if is_synthetic(study) else ""


def meter(similarity: tuple[str, int]) -> str:
    """A similarity as Services.similarity gives it: its word beside as many of four bars."""
    word, bars = similarity
    marks = "".join(f'<i class="{"on" if i < bars else ""}"></i>' for i in range(BARS))
    return f'<span class="meter"><span aria-hidden="true">{marks}</span>{escape(word)}</span>'


def conditions(where: Where) -> list[str]:
    """A filter in plain words, one condition an item."""
    listed = []
    if where.view:
        listed.append(" or ".join(VIEW[view] for view in where.view) + " view")
    if where.sex:
        listed.append(SEX[where.sex])
    if where.age_min is not None and where.age_max is not None:
        listed.append(f"{where.age_min} to {where.age_max} years")
    elif where.age_min is not None:
        listed.append(f"{where.age_min} years or older")
    elif where.age_max is not None:
        listed.append(f"{where.age_max} years or younger")
    listed.extend(f"with {name}" for name in where.present)
    listed.extend(f"without {name}" for name in where.absent)
    return listed

"""A study in the words a trainee reads: plain text, or Markup where the type says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from cxr.data import SYNTHETIC
from cxr.findings import FINDINGS, Study
from cxr.gallery import Where
from cxr.language import asked_for
from cxr.tabs.shared.image_urls import ImageUrls
from cxr.tabs.shared.rendering import renderer

render = renderer(Path(__file__).parent)

SEX = {"F": "female", "M": "male"}
VIEW = {"PA": "PA", "AP": "AP", "lateral": "Lateral", "frontal": "Frontal"}
VIEW_MEANING = {
    "PA": "back to front, usually standing",
    "AP": "front to back, often portable and lying",
    "lateral": "from the side",
    "frontal": "from the front or the back, not recorded which",
}
CHIPS = 4  # on a card


def person(study: Study) -> str:
    """Return the view, age and sex as far as they are known: PA view, 64 y, female."""
    view = f"{VIEW[study.view]} view" if study.view else ""
    age = "" if study.age is None else f"{study.age} y"
    return ", ".join(part for part in (view, age, SEX.get(study.sex or "", "")) if part)


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


def findings_asked(text: str) -> list[str]:
    """The findings that a text asks for or thinks possible, in the order of FINDINGS."""
    asked = asked_for(text, FINDINGS[1:])
    return [finding for finding in FINDINGS if finding in asked]


def chips(study: Study, highlight: str = "", most: int | None = None) -> Markup:
    """Return the findings as HTML chips.

    Args:
        study: whose findings.
        highlight: a query; the findings that it asks for are marked and come first.
        most: chips at most, the rest is counted; None for all.
    """
    linked = most is None  # a card is a button, in which there can be no link
    return render("chips.html", listed=_listed(study, highlight, most), linked=linked)


def _listed(study: Study, highlight: str, most: int | None) -> list[tuple[str, str]]:
    """The chips of a study: (CSS class, text)."""
    if not study.positive and not study.uncertain:
        return [("none" if study.labelled else "unlabelled", summary(study))]
    hits = asked_for(highlight, study.positive)
    present = sorted(study.positive, key=lambda name: name not in hits)
    listed = [("hit" if name in hits else "", name) for name in present]
    listed += [("maybe", f"possible {name}") for name in study.uncertain]
    if most is None or len(listed) <= most:
        return listed
    return [*listed[: most - 1], ("none", f"and {len(listed) - most + 1} more")]


def badge(study: Study) -> Markup:
    """Return the mark of an image that no patient stood for; nothing for any other."""
    return render("badge.html", synthetic=is_synthetic(study))


def meter(similarity: tuple[str, int]) -> Markup:
    """Return a similarity as Services.similarity gives it: its word beside as many of four bars."""
    return render("meter.html", similarity=similarity)


def card(study: Study, images: ImageUrls, highlight: str = "") -> dict[str, Any]:
    """Return what a card shows of a study, for the macro `film` and a card's text.

    Args:
        study: the study.
        images: gives its image an address.
        highlight: a query; the findings that it asks for come first.
    """
    return {
        "id": study.id,
        "address": images.address(study, "small"),
        "synthetic": is_synthetic(study),
        "summary": summary(study),
        "person": person(study) or "view, age and sex not known",
        "chips": chips(study, highlight, CHIPS),
    }


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

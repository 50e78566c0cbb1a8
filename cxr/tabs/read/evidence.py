"""What each sentence of the suggested report rests on: a chance, studies, and where to look.

The HTML changes only with the report, so that the page keeps it open while findings are chosen.
"""

from __future__ import annotations

from html import escape

from cxr.reporting import ABSENT, BANK, Sentence
from cxr.tabs.read.findings import film_button, share
from cxr.tabs.read.state import ReadState
from cxr.tabs.services import Services


def grounds(box: ReadState, services: Services) -> str:
    """The sentences with their evidence, each claim once; "" as long as there is no report."""
    if box.suggestion is None or box.withheld:
        return ""
    told: dict[tuple, Sentence] = {}
    for one in box.suggestion.sentences:
        if one.claims:
            told.setdefault(tuple(one.claims), one)
    rows = "".join(_row(one, box, services) for one in told.values())
    return (
        '<details class="grounds"><summary>What each sentence rests on</summary>'
        f"<ol>{rows}</ol></details>"
    )


def _row(one: Sentence, box: ReadState, services: Services) -> str:
    name = next(iter(one.claims))
    denied = ABSENT in one.claims.values()
    where = (
        ""
        if denied
        else f'<button type="button" class="quiet" data-act="choose" data-name="{escape(name)}" '
        f'aria-label="Show where: {escape(name)}">Show where</button>'
    )
    return (
        f'<li><p class="said">{escape(one.text)}</p><p class="basis">{escape(_chance(one, box))} '
        f"{escape(_source(one))}{_support(one, denied)}</p>"
        f'<div class="support">{_films(one, box, services)}{where}</div></li>'
    )


def _chance(one: Sentence, box: ReadState) -> str:
    """How probable what is raised is; of what is denied, the likeliest. Plain text."""
    among = [found for found in box.suggestion.findings if found.name in one.claims]
    likeliest = among[0]
    said = f"{likeliest.name} {share(likeliest.probability)}"
    if len(among) > 1:
        return f"The likeliest of these {len(among)}: {said}."
    return f"{said[0].upper()}{said[1:]}, {likeliest.word}."


def _source(one: Sentence) -> str:
    if not one.source or one.source == BANK:
        return ""
    origin = f", report {one.origin}" if one.origin else ""
    return f"Sentence from {one.source}{origin}. "


def _support(one: Sentence, denied: bool) -> str:
    if not one.support:
        return "No similar study bears it out."
    return "Similar studies labelled without:" if denied else "Similar studies labelled so:"


def _films(one: Sentence, box: ReadState, services: Services) -> str:
    ids = [match.study.id for match in box.known]
    listed = [ids.index(match.study.id) for match in one.support if match.study.id in ids]
    return "".join(film_button(index, box, services) for index in listed)

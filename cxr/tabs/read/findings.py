"""The findings of a film as a list of bars, and what the one that is chosen rests on."""

from __future__ import annotations

from html import escape

from cxr.findings import FINDINGS
from cxr.language import affirmative, negative
from cxr.localization import parse
from cxr.tabs.read.state import REPORT, ReadState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words
from cxr.tabs.shared.viewer import HEAT_LIMITS

RAISED = ("likely", "possible")
SUPPORT = 3  # studies shown for a finding
MENDING = {
    "turned 90": "Turn it upright",
    "turned 180": "Turn it upright",
    "turned 270": "Turn it upright",
    "inverted": "Invert it",
}
_MEANING = (
    "The bar is the probability, the line across its end the 95% interval. Choose a "
    "finding to see where it is and what speaks for it."
)


def findings(box: ReadState, services: Services) -> str:
    """The warning of the gate if there is one, then the findings; "" without a film."""
    if box.suggestion is None:
        return _waiting(box)
    rows = "".join(_row(one, box, services) for one in box.suggestion.findings)
    doubted = "" if box.suggestion.in_domain else " doubted"
    listed = (
        f"<h3>Findings <span>{escape(_headline(box))}</span></h3>"
        f'<ol class="findings{doubted}">{rows}</ol><p class="hint">{_MEANING}</p>'
        if rows
        else ""
    )
    return f'<section class="read-findings" aria-label="Findings">{_warning(box)}{listed}</section>'


def share(value: float) -> str:
    """A probability in [0, 1] as a percentage; the extremes are never called certain."""
    if value < 0.01:
        return "<1%"
    return ">99%" if value > 0.99 else f"{value:.0%}"


def raised(box: ReadState) -> list[str]:
    """The findings that are suggested, the most probable first."""
    found = box.suggestion.findings if box.suggestion else ()
    return [one.name for one in found if one.word in RAISED]


def carriers(box: ReadState, name: str) -> list[int]:
    """Which of box.known carry a finding, by index, best first; a sentence's own come first."""
    ids = [match.study.id for match in box.known]
    told = [
        match.study.id
        for one in box.suggestion.sentences
        if name in one.claims
        for match in one.support
        if match.study.findings.get(name) == 1
    ]
    listed = [match.study.id for match in box.similar if match.study.findings.get(name) == 1]
    return [ids.index(one) for one in dict.fromkeys((*told, *listed)) if one in ids]


def _waiting(box: ReadState) -> str:
    if box.wanted != REPORT:
        return ""
    ghost = '<li class="ghost-row"><i></i><i></i></li>' * 6
    return (
        '<section class="read-findings" aria-label="Findings"><h3>Findings</h3>'
        f'<ol class="findings" aria-hidden="true">{ghost}</ol></section>'
    )


def _headline(box: ReadState) -> str:
    found = raised(box)
    if not found:
        return "none is suggested"
    return f"{len(found)} suggested"


def _warning(box: ReadState) -> str:
    said = " ".join(box.suggestion.warnings)
    if not said:
        return ""
    if box.withheld:
        mending = MENDING.get(box.suggestion.verdict.kind, "")
        mend = f'<button type="button" class="strong" data-act="mend">{mending}</button>'
        rest = (
            "<p>Findings and report are withheld.</p>"
            f'<div class="actions">{mend if mending else ""}<button type="button" class="plain" '
            'data-act="force">Read it all the same</button></div>'
        )
    else:
        rest = "<p>What follows is read against that advice and may be nonsense.</p>"
    return f'<div class="gate" role="alert"><p><strong>{escape(said)}</strong></p>{rest}</div>'


def _row(one, box: ReadState, services: Services) -> str:
    chosen = one.name == box.finding
    kind = one.word.replace(" ", "-")
    said = (
        f"{one.name}: {one.word}, {share(one.probability)}, "
        f"between {share(one.low)} and {share(one.high)}"
    )
    return (
        f'<li><button type="button" class="finding {kind}" data-act="choose" '
        f'data-name="{escape(one.name)}" aria-expanded="{str(chosen).lower()}" '
        f'aria-label="{escape(said)}"><span class="name">{escape(one.name)}</span>'
        f'<span class="bar"><i class="fill" style="width:{100 * one.probability:.1f}%"></i>'
        f'<i class="range" style="left:{100 * one.low:.1f}%;'
        f'width:{100 * (one.high - one.low):.1f}%"></i></span>'
        f'<span class="percent">{share(one.probability)}</span>'
        f'<span class="word">{escape(one.word)}</span></button>'
        f"{_why(one, box, services) if chosen else ''}</li>"
    )


def _why(one, box: ReadState, services: Services) -> str:
    """What a finding rests on: prompts, sentence, studies; and the ways on from here."""
    asked = " and ".join(f"“{text}”" for text in affirmative(one.name))
    against = " and ".join(f"“{text}”" for text in negative(one.name))
    rows = [
        ("Interval", f"{share(one.low)} to {share(one.high)}, over refits on resampled films"),
        ("Prompts", f"{escape(asked)} against {escape(against)}"),
        ("Heat map", _heat(box)),
        *_sentences(one.name, box),
        ("Support", _support(one.name, box, services)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    locate = (
        '<button type="button" class="plain" data-act="locate">Locate this</button>'
        if parse(one.name)
        else ""
    )
    search = (
        '<button type="button" class="plain" data-tab="search" '
        f'data-query="{escape(one.name)}">Search for this finding</button>'
    )
    return (
        f'<div class="why"><dl class="facts">{listed}</dl>'
        f'<div class="actions">{locate}{search}</div></div>'
    )


def _heat(box: ReadState) -> str:
    if box.finding not in box.heats:
        return '<span class="waiting">on its way…</span>'
    if not box.heat:
        return "none could be made"
    asked = escape(affirmative(box.finding)[0])
    return f'over the film: where it speaks most for “{asked}”<p class="hint">{HEAT_LIMITS}</p>'


def _sentences(name: str, box: ReadState) -> list[tuple[str, str]]:
    """The sentence about a finding, with others that a reader may put in its place."""
    for one in box.suggestion.sentences:
        if name in one.claims and one.section == "findings":
            chips = "".join(
                f'<button type="button" class="chip example" data-act="reword" '
                f'data-from="{escape(one.text)}" data-to="{escape(text)}">{escape(text)}</button>'
                for text in one.alternatives
            )
            more = (
                '<p class="hint">The model has not learned sides or sizes. If you see them, put '
                f'one of these in its place:</p><span class="chips">{chips}</span>'
                if chips
                else ""
            )
            return [("Sentence", f"“{escape(one.text)}”{more}")]
    return []


def _support(name: str, box: ReadState, services: Services) -> str:
    if not box.similar:
        return "no gallery to look in"
    found = carriers(box, name)
    count = sum(match.study.findings.get(name) == 1 for match in box.similar)
    told = f"{count} of the {len(box.similar)} most similar studies carry this label."
    if name not in FINDINGS or not found:
        return told
    films = "".join(film_button(index, box, services) for index in found[:SUPPORT])
    return f'{told}<span class="support">{films}</span>'


def film_button(index: int, box: ReadState, services: Services) -> str:
    """One of box.known as a small film that is compared at a click, HTML."""
    match = box.known[index]
    said = f"Compare with film {match.study.id}: {words.summary(match.study)}"
    return (
        f'<button type="button" class="film" data-act="compare" data-index="{index}" '
        f'aria-label="{escape(said)}" title="{escape(said)}"><img alt="" loading="lazy" '
        f'src="{services.images.address(match.study, "small")}">{words.badge(match.study)}</button>'
    )

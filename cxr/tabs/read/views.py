"""The Read tab's HTML: the image, its findings, the report, its evidence and similar studies.

Report and evidence change only with the report, so that the page keeps what the reader has written
and what is unfolded while findings are chosen.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

import cxr
from cxr.findings import FINDINGS, Study
from cxr.language import affirmative, negative
from cxr.localization import parse
from cxr.reporting import ABSENT, BANK, LOOKS_ABNORMAL, LOOKS_NORMAL
from cxr.tabs.read.known_labels import known_labels
from cxr.tabs.read.state import REPORT, ReadState
from cxr.tabs.services import PHOTOGRAPH, Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.rendering import renderer
from cxr.tabs.shared.viewer import HEAT_LIMITS, stage, tools

if TYPE_CHECKING:
    from cxr.reporting import Finding, Measurements, Overall, Sentence, Suggestion

WHOLE = "Abnormal as a whole"
EDUCATION = "For education only, not for diagnosis."
READING, LOOKING = "Reading the film…", "Looking where it is…"
LOADING = "Loading the model; the first film takes a few seconds…"
SUPPORT = 3  # studies shown for a finding
NEAR_AGE = 10  # years between two people of much the same age
CORRECTION_LABELS = {
    "turned 90": "Turn it upright",
    "turned 180": "Turn it upright",
    "turned 270": "Turn it upright",
    "inverted": "Invert it",
    PHOTOGRAPH: "Straighten it",
}
SETTING_LABELS = {"ward": "A ward", "screening": "Screening"}
render = renderer(Path(__file__).parent)


def start(services: Services) -> Markup:
    """The tab without an image: how to bring one, or what is missing."""
    return render("start.html", problem=services.unreadable())


def image_view(state: ReadState, services: Services) -> Markup:
    """The image on its stage, with another beside it; without an image, how to bring one."""
    if state.image is None:
        return start(services)
    comparison = state.comparison
    title = state.source
    if comparison:
        title += f" and {comparison.source[0].lower()}{comparison.source[1:]}"
    return render(
        "image.html",
        key=state.key,
        title=title,
        comparing=comparison is not None,
        study=state.study,
        report=state.suggestion is not None and not state.withheld,
        stages=[_first_stage(state, services), *([_second_stage(state)] if comparison else [])],
        tools=tools(bool(state.heat_map)),
    )


def findings(state: ReadState, services: Services) -> Markup:
    """The gate's warning if there is one, then the findings; nothing without an image."""
    suggestion = state.suggestion
    if suggestion is None:
        return render("findings_waiting.html") if state.waiting_for == REPORT else Markup()
    return render(
        "findings.html",
        warning=" ".join(suggestion.warnings),
        withheld=state.withheld,
        setting=state.setting,
        settings=SETTING_LABELS,
        correction=CORRECTION_LABELS.get(suggestion.verdict.kind, ""),
        doubted=not suggestion.in_domain,
        suggested=len(state.suggested),
        overall=_whole_bar(suggestion.overall),
        findings=[_bar(one, state) for one in suggestion.findings if one.assessed],
        not_assessed=[_why_not(one) for one in suggestion.findings if not one.assessed],
        known=known_labels(state.study, suggestion.findings, suggestion.overall),
        detail=_finding_detail(suggestion, state, services) if state.finding else None,
    )


def report(state: ReadState, services: Services) -> Markup:
    """The suggested report in a box to edit; nothing as long as there is none."""
    suggestion = state.suggestion
    if suggestion is None or state.withheld:
        return Markup()
    judged: list[tuple[str, Finding | Overall]] = [
        (one.name, one) for one in suggestion.findings if one.assessed
    ]
    if suggestion.overall is not None:
        judged.insert(0, (WHOLE.lower(), suggestion.overall))
    rows = [
        {
            "name": name,
            "word": one.word,
            "percent": percent(one.probability),
            "probability": one.probability,
            "low": one.low,
            "high": one.high,
        }
        for name, one in judged
    ]
    return render(
        "report.html",
        state=state,
        report=suggestion.report,
        findings=json.dumps(rows),
        model=model_version(services),
        mark="SYNTHETIC" if state.study and study_text.is_synthetic(state.study) else "",
        warning=" ".join(suggestion.warnings),
        note=EDUCATION,
    )


def evidence(state: ReadState, services: Services) -> Markup:
    """What each sentence rests on, each claim once; nothing as long as there is no report."""
    suggestion = state.suggestion
    if suggestion is None or state.withheld:
        return Markup()
    by_claims: dict[tuple[str, ...], Sentence] = {}
    for sentence in suggestion.sentences:
        if sentence.claims:
            by_claims.setdefault(tuple(sentence.claims), sentence)
    ids = [match.study.id for match in state.shown_studies]
    rows = []
    for sentence in by_claims.values():
        listed = [ids.index(one.study.id) for one in sentence.support if one.study.id in ids]
        rows.append(
            {
                "text": sentence.text,
                "denied": ABSENT in sentence.claims.values(),
                "finding": next(iter(sentence.claims)),
                "probability": _probability_text(sentence, suggestion),
                "source": _source(sentence),
                "support": [_thumbnail(index, state, services) for index in listed],
                "supported": bool(sentence.support),
            }
        )
    return render("evidence.html", rows=rows)


def similar(state: ReadState, services: Services) -> Markup:
    """Similar studies, most similar first; nothing before an image was read, or when refused."""
    if state.suggestion is None or state.withheld:
        return Markup()
    chosen = state.comparison.study if state.comparison else None
    cards = [
        study_text.card(match.study, services.images)
        | {
            "reason": reasons_alike(match.study, state),
            "similarity": services.similarity(match),
            "chosen": match.study is chosen,
        }
        for match in state.similar
    ]
    return render(
        "similar.html",
        cards=cards,
        missing=services.missing() or "This gallery holds no other film.",
        known=state.study is not None,
    )


def percent(probability: float) -> str:
    """A probability in [0, 1] as a percentage; the extremes are never called certain."""
    if probability < 0.01:
        return "<1%"
    return ">99%" if probability > 0.99 else f"{probability:.0%}"


def model_version(services: Services) -> str:
    """The program and the encoder that a suggestion comes from."""
    encoder = services.suggester.get().retriever.encoder
    return f"CXR Reading Room {cxr.__version__}, model {encoder[:12] or 'without a fingerprint'}"


def reasons_alike(study: Study, state: ReadState) -> str:
    """In what a study is like the image: findings, view, age. Plain text."""
    shared = [name for name in state.suggested if study.findings.get(name) == 1]
    if shared:
        reasons = [f"both show {', '.join(shared)}"]
    elif study.labelled and not state.suggested and not study.positive:
        reasons = ["neither shows a finding"]
    elif study.labelled:
        reasons = ["no finding in common; it looks alike"]
    else:
        reasons = ["not labelled; it looks alike"]
    if state.study:
        reasons += _person_alike(study, state.study)
    text = "; ".join(reasons)
    return text[0].upper() + text[1:]


def _person_alike(one: Study, other: Study) -> list[str]:
    if one.patient == other.patient and one.source == other.source:
        return ["the same patient"]
    reasons = []
    if one.view is not None and one.view == other.view:
        reasons.append(f"the same view, {study_text.VIEW[one.view]}")
    if one.age is not None and other.age is not None:
        apart = abs(one.age - other.age)
        if apart <= NEAR_AGE:
            years = "1 year" if apart == 1 else f"{apart} years"
            reasons.append("the same age" if apart == 0 else f"{years} apart in age")
    return reasons


def _first_stage(state: ReadState, services: Services) -> Markup:
    study = state.study
    top, said = study_text.person(study) if study else "", state.source
    if state.heat_map:
        top = "\n".join(filter(None, (top, f"Heat map: {state.finding}")))
        said += f", with a heat map of {state.finding}"
    note = ""
    if state.waiting_for == REPORT:
        note = READING if services.suggester.ready else LOADING
    elif state.waiting_for:
        note = LOOKING
    badge = study_text.badge(study) if study else ""
    return stage(state.image_url, said, top or state.source, badge, state.heat_map, note)


def _second_stage(state: ReadState) -> Markup:
    second = state.comparison
    assert second is not None, "only a comparison has a second stage"
    study = second.study
    if study is None:
        return stage(second.url, second.source, second.source)
    summary = study_text.summary(study)
    top = "\n".join(filter(None, (study_text.person(study), summary)))
    return stage(second.url, f"{second.source}: {summary}", top, study_text.badge(study))


def _bar(finding: Finding, state: ReadState) -> dict[str, Any]:
    """A finding as its bar shows it; left and width are percentages of the bar."""
    return {
        "name": finding.name,
        "kind": finding.word.replace(" ", "-"),
        "word": finding.word,
        "chosen": finding.name == state.finding,
        **_lengths(finding),
    }


def _whole_bar(overall: Overall | None) -> dict[str, Any] | None:
    """The image as a whole as its bar shows it, and what that is worth; None where unknown."""
    if overall is None:
        return None
    return {
        "name": WHOLE,
        "kind": overall.word.replace(" ", "-"),
        "word": overall.word.removeprefix("looks "),
        "worth": _worth(overall),
        **_lengths(overall),
    }


def _worth(overall: Overall) -> str:
    """What a judgement of the whole image is worth on validation images. Plain text."""
    point = overall.point
    if overall.word == LOOKS_ABNORMAL:
        return (
            f"Of {point.images} validation films, {percent(point.sensitivity)} of those that "
            f"radiologists call abnormal look so, for whatever they show, and "
            f"{percent(1 - point.specificity)} of the normal ones."
        )
    if overall.word == LOOKS_NORMAL:
        return (
            f"Of the validation films that look so, radiologists call {percent(point.npv)} normal; "
            f"{percent(point.missed)} of the abnormal ones look so as well."
        )
    if overall.probability < point.normal_below:
        return "It would look normal, were no finding suggested."
    return "Between the validation films that look normal and those that look abnormal."


def _lengths(judged: Finding | Overall) -> dict[str, str]:
    """A probability and its interval in words, and as lengths in percent of the bar."""
    return {
        "percent": percent(judged.probability),
        "low": percent(judged.low),
        "high": percent(judged.high),
        "fill": f"{100 * judged.probability:.1f}",
        "left": f"{100 * judged.low:.1f}",
        "width": f"{100 * (judged.high - judged.low):.1f}",
    }


def _why_not(finding: Finding) -> dict[str, str]:
    """A finding that is not assessed, and how rarely validation images let the model see it."""
    point = finding.operating_point
    if point is None or not point.positives:
        return {"name": finding.name, "why": "no validation image shows it"}
    images = "1 image" if point.positives == 1 else f"{point.positives} images"
    return {"name": finding.name, "why": f"seen in {percent(point.sensitivity)} of {images}"}


def _finding_detail(suggestion: Suggestion, state: ReadState, services: Services) -> dict[str, Any]:
    """What the chosen finding rests on: prompts, heat map, sentence, studies; and the ways on."""
    name = state.finding
    sentences = (
        one for one in suggestion.sentences if name in one.claims and one.section == "findings"
    )
    carrying = sum(match.study.findings.get(name) == 1 for match in state.similar)
    indexes = state.supporting(name)[:SUPPORT] if name in FINDINGS else []
    return {
        "asked": affirmative(name),
        "against": negative(name),
        "heat_map": state.heat_maps.get(name),
        "heat_limits": HEAT_LIMITS,
        "sentence": next(sentences, None),
        "measured": _measured_text(name, suggestion.measurements),
        "carrying": carrying,
        "total": len(state.similar),
        "support": [_thumbnail(index, state, services) for index in indexes],
        "locatable": parse(name) is not None,
    }


def _measured_text(name: str, measured: Measurements | None) -> str:
    """What was measured of a finding, and what that is good for. Plain text; "" for nothing."""
    if measured is None:
        return ""
    if name == "cardiomegaly" and measured.heart is not None:
        said = measured.heart.words
        counts = "It is part of the probability; on an AP film hearts look larger."
        return f"{said[0].upper()}{said[1:]}. {counts}"
    place = measured.places.get(name)
    return f"Outlined {place} by the localizer." if place else ""


def _probability_text(sentence: Sentence, suggestion: Suggestion) -> str:
    """How probable a claim is; of several findings that are denied, the likeliest. Plain text."""
    among = [found for found in suggestion.findings if found.name in sentence.claims]
    likeliest = among[0]
    said = f"{likeliest.name} {percent(likeliest.probability)}"
    if len(among) > 1:
        text = f"The likeliest of these {len(among)}: {said}."
    else:
        text = f"{said[0].upper()}{said[1:]}, {likeliest.word}."
    if math.isnan(sentence.npv):
        return text
    negatives = f"{'each ' if len(among) > 1 else ''}at least {percent(sentence.npv)}"
    return f"{text} Of validation films called negative, {negatives} were."


def _source(sentence: Sentence) -> str:
    """Where a sentence was written, where it is not from the program's own bank. Plain text."""
    if not sentence.source or sentence.source == BANK:
        return ""
    origin = f", report {sentence.origin}" if sentence.origin else ""
    return f"Sentence from {sentence.source}{origin}."


def _thumbnail(index: int, state: ReadState, services: Services) -> dict[str, Any]:
    """One of `shown_studies` as a small image that is compared at a click."""
    study = state.shown_studies[index].study
    return {
        "index": index,
        "label": f"Compare with film {study.id}: {study_text.summary(study)}",
        "address": services.images.address(study, "small"),
        "synthetic": study_text.is_synthetic(study),
    }

"""What each sentence of a suggested report rests on, as the page shows it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import pytest
from app_gallery import event
from reading_steps import answered, data

from cxr.findings import Study
from cxr.reporting.calibration import OperatingPoint
from cxr.reporting.claims import ABSENT
from cxr.reporting.compose import Sentence
from cxr.reporting.overall import (
    LOOKS_ABNORMAL,
    LOOKS_NORMAL,
    UNDECIDED,
    Overall,
    OverallPoint,
)
from cxr.tabs.read.known_labels import known_labels
from cxr.tabs.read.state import ReadState
from cxr.tabs.read.views import percent

EVIDENCE = 5  # of the outputs of show
POINT = OperatingPoint(True, 0.2, 0.8, 0.9, 0.98, 0.1, 20, "expert")


def test_every_claim_is_told_once_in_the_order_of_the_report(read_handlers, state):
    html = read_handlers.show(state)[EVIDENCE]
    said = [unescape(text) for text in re.findall(r'<p class="sentence">(.*?)</p>', html)]
    claimed = [one for one in state.suggestion.sentences if one.claims]
    assert said == [text for text in dict.fromkeys(one.text for one in claimed) if text in said]
    covered = {name for one in claimed if one.text in said for name in one.claims}
    assert covered == {name for one in claimed for name in one.claims}


def test_a_sentence_shows_its_chance_its_studies_and_where(read_handlers, state):
    html = read_handlers.show(state)[EVIDENCE]
    chances = {one.name: one.probability for one in state.suggestion.findings}
    rows = re.findall(r"<li>.*?</li>", html, re.DOTALL)
    assert rows
    for one in state.suggestion.sentences:
        row = next((row for row in rows if f'"sentence">{one.text}<' in unescape(row)), None)
        if row is None:
            continue
        assert percent(max(chances[name] for name in one.claims)) in unescape(row)
        denied = ABSENT in one.claims.values()
        assert ("Show where" in row) is not denied
        assert row.count('data-act="compare"') == len(one.support)
        assert one.support or "No similar study bears it out." in row


def test_every_study_named_can_be_compared(read_handlers, state):
    for index in map(int, re.findall(r'data-index="(\d+)"', read_handlers.show(state)[EVIDENCE])):
        beside = read_handlers.compare(state, event(index=index)).comparison
        assert beside.study is state.shown_studies[index].study
    assert state.shown_studies[: len(state.similar)] == state.similar


def test_it_stays_as_it_is_while_findings_are_chosen(read_handlers, state):
    html = read_handlers.show(state)[EVIDENCE]
    name = state.suggestion.findings[0].name
    chosen = answered(read_handlers, read_handlers.choose(state, event(name=name)))
    assert read_handlers.show(chosen)[EVIDENCE] == html
    assert read_handlers.show(ReadState())[EVIDENCE] == ""


def with_unassessed(state, *names):
    """The state with some findings that the model sees in 2 of 10 films."""
    unseen = replace(POINT, assessed=False, sensitivity=0.2, positives=10)
    found = [
        replace(one, word="not assessed", assessed=False, operating_point=unseen)
        if one.name in names
        else one
        for one in state.suggestion.findings
    ]
    return replace(state, suggestion=replace(state.suggestion, findings=found))


def test_findings_that_are_not_assessed_stand_apart_with_the_reason(read_handlers, state):
    html = read_handlers.show(with_unassessed(state, "nodule", "mass"))[2]
    bars, _, apart = html.partition('<div class="not-assessed">')
    assert bars.count('data-act="choose"') == 12
    assert 'data-name="nodule"' not in html and "neither suggests nor denies" in apart
    assert "nodule</a></span> <span>seen in 20% of 10 images" in apart and "mass</a>" in apart
    assert "not-assessed" not in read_handlers.show(state)[2]
    report = read_handlers.show(with_unassessed(state, "nodule", "mass"))[3]
    assert len(json.loads(data(report, "findings"))) == 12


def test_a_denial_says_how_often_it_is_right(read_handlers, state):
    name = state.suggestion.findings[-1].name
    denial = Sentence(f"No {name}.", "findings", {name: ABSENT}, 0.02, npv=0.97)
    denied = replace(state, suggestion=replace(state.suggestion, sentences=[denial]))
    html = unescape(read_handlers.show(denied)[EVIDENCE])
    assert "Of validation films called negative, at least 97% were." in html
    assert "called negative" not in read_handlers.show(state)[EVIDENCE]


def test_labels_of_a_gallery_image_stand_beside_the_model_and_disagreement_is_named(
    read_handlers, state
):
    suggested, other = state.suggested[:2]
    missed = next(one.name for one in state.suggestion.findings[::-1] if one.word == "unlikely")
    labels = {suggested: 0, other: 1, missed: 1, "nodule": 1}
    study = Study("7", "NIH", "7", findings=labels, label_source="expert")
    html = read_handlers.show(replace(with_unassessed(state, "nodule"), study=study))[2]
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
    assert "Known of this film:" in text and "(what radiologists saw)" in text
    assert f"suggests {suggested}, which this film is labelled as without." in text
    assert f"does not suggest {missed}, which this film is labelled with." in text
    assert "labelled with nodule, which the model does not assess." in text
    agreed = replace(study, findings={other: 1})
    assert "The model says nothing else." in read_handlers.show(replace(state, study=agreed))[2]
    assert "Known of this film" not in read_handlers.show(state)[2]


POINT_OF_ALL = OverallPoint(0.75, 0.25, 0.8, 0.9, 0.03, 0.4, 0.75, 500)


def with_overall(state, word, probability):
    whole = Overall(probability, probability - 0.05, probability + 0.04, word, POINT_OF_ALL)
    return replace(state, suggestion=replace(state.suggestion, overall=whole))


@pytest.mark.parametrize(
    ("word", "probability", "worth"),
    [
        (LOOKS_ABNORMAL, 0.93, "Of 500 validation films, 80% of those that radiologists call"),
        (LOOKS_NORMAL, 0.12, "radiologists call 82% normal; 3% of the abnormal ones look so"),
        (UNDECIDED, 0.5, "Between the validation films"),
        (UNDECIDED, 0.2, "It would look normal, were no finding suggested."),
    ],
)
def test_the_whole_film_is_judged_above_its_findings(
    read_handlers, state, word, probability, worth
):
    assert "Abnormal as a whole" not in read_handlers.show(state)[2]
    shown = read_handlers.show(with_overall(state, word, probability))
    whole, _, _ = unescape(shown[2]).partition('<ol class="findings')
    assert "Abnormal as a whole" in whole and percent(probability) in whole and worth in whole
    assert json.loads(data(shown[3], "findings"))[0] == {
        "name": "abnormal as a whole",
        "word": word,
        "percent": percent(probability),
        "probability": probability,
        "low": probability - 0.05,
        "high": probability + 0.04,
    }


def test_a_label_that_the_whole_film_contradicts_is_named(state):
    findings = state.suggestion.findings
    healthy = replace(state.suggestion.evidence[0].study, findings={"no finding": 1})
    ill = replace(healthy, findings={"mass": 1})
    normal, abnormal = (
        with_overall(state, word, 0.5).suggestion.overall for word in (LOOKS_NORMAL, LOOKS_ABNORMAL)
    )

    def said(study, whole):
        return [one for one in known_labels(study, findings, whole).disagreements if "whole" in one]

    assert "is labelled as without finding" in said(healthy, abnormal)[0]
    assert "is labelled with a finding" in said(ill, normal)[0]
    assert not said(healthy, normal) and not said(ill, abnormal)

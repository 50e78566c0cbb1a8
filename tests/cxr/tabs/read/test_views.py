"""What each sentence of a suggested report rests on, as the page shows it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

from app_gallery import event
from reading_steps import answered, data

from cxr.findings import Study
from cxr.reporting.calibration import OperatingPoint
from cxr.reporting.claims import ABSENT
from cxr.reporting.compose import Sentence
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

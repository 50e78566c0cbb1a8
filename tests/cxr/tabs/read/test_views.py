"""What each sentence of a suggested report rests on, as the page shows it."""

from __future__ import annotations

import re
from html import unescape

from app_gallery import event
from reading_steps import answered

from cxr.reporting.claims import ABSENT
from cxr.tabs.read.state import ReadState
from cxr.tabs.read.views import percent

EVIDENCE = 5  # of the outputs of show


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

"""What each sentence of a suggested report rests on, as the page shows it."""

from __future__ import annotations

import re
from html import unescape

from app_gallery import event
from reading_steps import answered

from cxr.reporting.claims import ABSENT
from cxr.tabs.read.findings import share
from cxr.tabs.read.state import ReadState

GROUNDS = 5  # of the outputs of show


def test_every_claim_is_told_once_in_the_order_of_the_report(read_desk, box):
    html = read_desk.show(box)[GROUNDS]
    said = [unescape(text) for text in re.findall(r'<p class="said">(.*?)</p>', html)]
    claimed = [one for one in box.suggestion.sentences if one.claims]
    assert said == [text for text in dict.fromkeys(one.text for one in claimed) if text in said]
    covered = {name for one in claimed if one.text in said for name in one.claims}
    assert covered == {name for one in claimed for name in one.claims}


def test_a_sentence_shows_its_chance_its_studies_and_where(read_desk, box):
    html = read_desk.show(box)[GROUNDS]
    chances = {one.name: one.probability for one in box.suggestion.findings}
    rows = re.findall(r"<li>.*?</li>", html)
    assert rows
    for one in box.suggestion.sentences:
        row = next((row for row in rows if f'"said">{one.text}<' in unescape(row)), None)
        if row is None:
            continue
        assert share(max(chances[name] for name in one.claims)) in unescape(row)
        denied = ABSENT in one.claims.values()
        assert ("Show where" in row) is not denied
        assert row.count('data-act="compare"') == len(one.support)
        assert one.support or "No similar study bears it out." in row


def test_every_study_named_can_be_compared(read_desk, box):
    for index in map(int, re.findall(r'data-index="(\d+)"', read_desk.show(box)[GROUNDS])):
        beside = read_desk.compare(box, event(index=index)).beside
        assert beside.study is box.known[index].study
    assert box.known[: len(box.similar)] == box.similar


def test_it_stays_as_it_is_while_findings_are_chosen(read_desk, box):
    html = read_desk.show(box)[GROUNDS]
    name = box.suggestion.findings[0].name
    chosen = answered(read_desk, read_desk.choose(box, event(name=name)))
    assert read_desk.show(chosen)[GROUNDS] == html
    assert read_desk.show(ReadState())[GROUNDS] == ""

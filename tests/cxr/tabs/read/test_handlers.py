"""The handlers of the Read tab, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
from html import escape, unescape

import gradio as gr
import pytest
from app_gallery import event, opened
from PIL import Image
from reading_steps import answered, data, panes

from cxr.checkpoints.io import fingerprint
from cxr.tabs.api import report_endpoint
from cxr.tabs.localize.handlers import LocalizeHandlers
from cxr.tabs.read.findings import raised
from cxr.tabs.read.similar import why
from cxr.tabs.read.state import REPORT, ReadState
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared.example_cards import examples
from cxr.tabs.shared.models import Model


def test_a_film_is_shown_at_once_and_read_afterwards(read_desk, upload):
    box = read_desk.take(ReadState(), upload)
    assert box.wanted == REPORT and "…</p>" in panes(read_desk, box)
    read = answered(read_desk, box)
    assert read.wanted == "" and len(read.suggestion.findings) == 14
    assert read_desk.ask(read) is None and read_desk.hear(read, None) is None


def test_findings_come_with_probability_interval_and_word(read_desk, box):
    html = panes(read_desk, box)
    assert html.count('data-act="choose"') == 14
    for one in box.suggestion.findings:
        said = unescape(re.search(f'data-name="{one.name}"[^>]*aria-label="([^"]*)"', html)[1])
        assert re.fullmatch(rf"{one.name}: {one.word}, [<>]?\d+%, between \S+% and \S+%", said)
    assert raised(box) == [
        one.name for one in box.suggestion.findings if one.word in ("likely", "possible")
    ]


def test_the_report_can_be_edited_and_says_what_it_is_for(read_desk, box):
    html = read_desk.show(box)[3]
    text = unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)[1])
    assert text == box.suggestion.report == data(html, "report")
    assert data(html, "note") == "For education only, not for diagnosis."
    assert fingerprint(read_desk.services.weights)[:12] in data(html, "model")
    assert [one["name"] for one in json.loads(data(html, "findings"))] == [
        one.name for one in box.suggestion.findings
    ]
    chosen = answered(read_desk, read_desk.choose(box, event(name=raised(box)[0])))
    compared = read_desk.compare(chosen, event(index=1))
    assert read_desk.show(compared)[3] == html  # what the reader has written stays


def test_a_finding_shows_heat_map_prompts_sentence_and_support(read_desk, box):
    name = raised(box)[0]
    chosen = read_desk.choose(box, event(name=name))
    assert chosen.wanted == name and "Looking where it is" in read_desk.show(chosen)[1]
    warm = answered(read_desk, chosen)
    assert f'class="heat" alt="" src="{warm.heat}"' in read_desk.show(warm)[1]
    layer = Image.open(io.BytesIO(base64.b64decode(warm.heat.partition(",")[2])))
    assert layer.mode == "RGBA" and max(layer.size) == 300
    why_html = read_desk.show(warm)[2]
    assert f"“{name}”" in why_html and f"“no {name}”" in why_html
    (told,) = [
        one.text
        for one in box.suggestion.sentences
        if name in one.claims and one.section == "findings"
    ]
    assert f"“{escape(told)}”" in why_html and f'data-query="{name}"' in why_html
    again = read_desk.choose(warm, event(name=name))
    assert again.finding == "" and again.heat == "" and again.wanted == ""
    assert read_desk.choose(again, event(name=name)).heat == warm.heat  # computed once


def test_support_is_counted_among_the_similar_studies(read_desk, box):
    for one in box.suggestion.findings:
        carried = [match for match in box.similar if match.study.findings.get(one.name) == 1]
        html = read_desk.show(read_desk.choose(box, event(name=one.name)))[2]
        assert f"{len(carried)} of the {len(box.similar)} most similar studies" in html
        assert html.count('class="film" data-act="compare"') == min(3, len(carried))


def test_similar_studies_say_in_what_they_are_alike(read_desk, desk):
    room = opened(desk, "big heart")
    box = answered(read_desk, read_desk.carry(ReadState(), room))
    assert len(box.similar) == 11 and box.study not in [match.study for match in box.similar]
    html = read_desk.show(box)[4]
    assert html.count('data-act="compare"') == 11
    for match in box.similar:
        said = why(match.study, box)
        assert escape(said) in html
        assert ("both show" in said.lower()) == any(
            match.study.findings.get(name) == 1 for name in raised(box)
        )
        assert ("the same view, PA" in said) == (match.study.view == "PA")
        near = match.study.age is not None and abs(match.study.age - box.study.age) <= 10
        assert ("age" in said) == near


def test_two_films_stand_side_by_side(read_desk, box, film, tmp_path):
    both = read_desk.compare(box, event(index=2))
    html = read_desk.show(both)[1]
    assert html.count('class="stage"') == 2 and "comparing" in html
    assert read_desk.services.images.address(both.beside.study) in html
    assert read_desk.show(both)[4].count("aria-current") == 1
    assert read_desk.show(read_desk.alone(both))[1].count('class="stage"') == 1
    film(7, (200, 100)).save(tmp_path / "old.png")
    mine = read_desk.compare_upload(box, str(tmp_path / "old.png"))
    assert mine.beside.picture.startswith("data:image/png") and mine.suggestion is box.suggestion
    assert not (tmp_path / "old.png").exists()
    for wrong in (event(index=99), event(index=-1), event(index="0"), event()):
        with pytest.raises(ValueError, match="no longer on the page"):
            read_desk.compare(box, wrong)


def test_an_answer_never_lands_on_another_film(read_desk, box, film, tmp_path):
    name = raised(box)[0]
    waiting = read_desk.choose(box, event(name=name))
    answer = read_desk.ask(waiting)
    film(2).save(tmp_path / "next.png")
    other = read_desk.take(box, str(tmp_path / "next.png"))
    assert read_desk.hear(other, answer) is None
    assert read_desk.hear(ReadState(), answer) is None
    assert read_desk.hear(read_desk.alone(waiting), answer).heat == answer.value
    assert all(update == gr.skip() for update in read_desk.show(None))


def test_films_of_the_gallery_begin_and_go(read_desk):
    html = read_desk.examples()
    offered = examples(read_desk.services)
    assert html.count('data-act="pick"') == len(offered) > 0
    picked = read_desk.pick(ReadState(), event(index=1))
    assert picked.study.id == offered[1].id and picked.picture.startswith("films/")
    assert read_desk.away(picked) == ReadState()
    for wrong in (event(index=9), event(index="0"), event(), gr.EventData(None, None)):
        with pytest.raises(ValueError, match="no longer on the page"):
            read_desk.pick(ReadState(), wrong)
    with pytest.raises(ValueError, match="No film is open"):
        read_desk.carry(ReadState(), SearchState())


def test_film_and_finding_are_carried_to_the_localize_tab(read_desk, box):
    localizing = LocalizeHandlers(read_desk.services)
    chosen = read_desk.choose(box, event(name="consolidation"))
    bench = localizing.carry_read(None, chosen)
    assert bench.film.size == box.film.size and bench.source == "Your film"
    assert localizing.carry_finding(chosen) == "consolidation"
    assert 'data-act="locate"' in read_desk.show(chosen)[2]
    hernia = read_desk.show(read_desk.choose(box, event(name="hernia")))[2]
    assert 'data-act="locate"' not in hernia  # the localizer has not learned it
    with pytest.raises(ValueError, match="no film in the Read tab"):
        localizing.carry_read(None, ReadState())


def test_the_endpoint_for_programs_reports(reading, strict, film):
    stream = io.BytesIO()
    film(1, (300, 240)).save(stream, "PNG")
    good = base64.b64encode(stream.getvalue()).decode()
    told = report_endpoint(reading)(good)
    assert told["in_domain"] and len(told["findings"]) == 14 and told["report"]
    assert told["model"].startswith("CXR Reading Room") and len(told["evidence"]) == 12
    assert reading.gallery not in json.dumps(told)
    assert report_endpoint(strict)(good)["findings"] == []
    assert report_endpoint(strict)(good, True)["report"]
    for wrong in ("%%%", "", "aGVsbG8=", None, "x" * 5000):
        with pytest.raises(gr.Error, match="(?i)expected"):
            report_endpoint(reading)(wrong)
    missing = Services(reading.gallery, reading.weights, reporting="none")
    assert isinstance(missing.suggester, Model)
    with pytest.raises(gr.Error, match="train.reporting"):
        report_endpoint(missing)(good)

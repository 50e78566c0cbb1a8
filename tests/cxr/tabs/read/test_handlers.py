"""The handlers of the Read tab, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from dataclasses import replace
from html import unescape

import gradio as gr
import pytest
from app_gallery import event, opened
from drawn_models import PLACES, DrawnLocalizer, drawn
from markupsafe import escape
from PIL import Image
from reading_steps import answered, data, html_of

from cxr.checkpoints.fingerprints import fingerprint
from cxr.tabs.api import report_endpoint
from cxr.tabs.localize.handlers import LocalizeHandlers
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import REPORT, ReadState
from cxr.tabs.read.views import reasons_alike
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared.example_cards import examples
from cxr.tabs.shared.models import Model


def test_a_film_is_shown_at_once_and_read_afterwards(read_handlers, upload):
    state = read_handlers.upload(ReadState(), upload)
    assert state.waiting_for == REPORT and "…</p>" in html_of(read_handlers, state)
    read = answered(read_handlers, state)
    assert read.waiting_for == "" and len(read.suggestion.findings) == 14
    assert read_handlers.ask(read) is None and read_handlers.receive(read, None) is None


def test_a_mirrored_film_is_warned_of(reading, upload, monkeypatch):
    monkeypatch.setattr(reading, "localizer", drawn(DrawnLocalizer))
    handlers, again = ReadHandlers(reading), shutil.copy(upload, f"{upload}.again")
    read = answered(handlers, handlers.upload(ReadState(), upload))
    assert "mirrored" not in html_of(handlers, read)
    monkeypatch.setitem(PLACES, "heart and mediastinum", (0.42, 0.7, 0.1, 0.1))
    read = answered(handlers, handlers.upload(ReadState(), again))
    assert "seems to be mirrored" in html_of(handlers, read)


def test_a_photograph_that_can_be_straightened_is_read_then(strict, film, upload, monkeypatch):
    """The gate refuses every picture but the one that is cut out."""
    cut = film(3, (200, 200))
    gate = strict.suggester.get()
    judge, suggest = gate.judge, gate.suggest

    def suggested(image, force=False, **measured):
        return suggest(image, force=force or image.size == cut.size)

    def judged(image, embedding=None):
        return replace(judge(image, embedding), in_domain=image.size == cut.size)

    monkeypatch.setattr(gate, "judge", judged)
    monkeypatch.setattr(gate, "suggest", suggested)
    monkeypatch.setattr("cxr.tabs.services.straighten", lambda image: cut)
    monkeypatch.setattr("cxr.tabs.read.handlers.straighten", lambda image: cut)
    handlers = ReadHandlers(strict)
    state = answered(handlers, handlers.upload(ReadState(), upload))
    html = html_of(handlers, state)
    assert state.withheld and "photograph of a film" in html and "Straighten it" in html
    straightened = answered(handlers, handlers.correct(state))
    assert straightened.image.size == cut.size and not straightened.withheld


def test_findings_come_with_probability_interval_and_word(read_handlers, state):
    html = html_of(read_handlers, state)
    assert html.count('data-act="choose"') == 14
    for one in state.suggestion.findings:
        button = re.search(f'<button[^>]*data-name="{one.name}".*?</button>', html, re.DOTALL)[0]
        said = " ".join(unescape(re.sub(r"<[^>]*>", "", button)).split())
        pattern = rf"{one.name} [<>]?\d+% {one.word}, between \S+% and \S+%"
        assert re.fullmatch(pattern, said) and "aria-label" not in button
    assert state.suggested == [
        one.name for one in state.suggestion.findings if one.word in ("likely", "possible")
    ]


def test_the_report_can_be_edited_and_says_what_it_is_for(read_handlers, state):
    html = read_handlers.show(state)[3]
    text = unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)[1])
    assert text == state.suggestion.report == data(html, "report")
    assert data(html, "note") == "For education only, not for diagnosis."
    assert fingerprint(read_handlers.services.weights)[:12] in data(html, "model")
    assert [one["name"] for one in json.loads(data(html, "findings"))] == [
        one.name for one in state.suggestion.findings
    ]
    chosen = answered(read_handlers, read_handlers.choose(state, event(name=state.suggested[0])))
    compared = read_handlers.compare(chosen, event(index=1))
    assert read_handlers.show(compared)[3] == html  # what the reader has written stays


def test_a_finding_shows_heat_map_prompts_sentence_and_support(read_handlers, state):
    name = state.suggested[0]
    chosen = read_handlers.choose(state, event(name=name))
    assert chosen.waiting_for == name and "Looking where it is" in read_handlers.show(chosen)[1]
    warm = answered(read_handlers, chosen)
    assert f'class="heat" alt="" src="{warm.heat_map}"' in read_handlers.show(warm)[1]
    layer = Image.open(io.BytesIO(base64.b64decode(warm.heat_map.partition(",")[2])))
    assert layer.mode == "RGBA" and max(layer.size) == 300
    why_html = read_handlers.show(warm)[2]
    assert f"“{name}”" in why_html and f"“no {name}”" in why_html
    (told,) = [
        one.text
        for one in state.suggestion.sentences
        if name in one.claims and one.section == "findings"
    ]
    assert f"“{escape(told)}”" in why_html and f'data-query="{name}"' in why_html
    again = read_handlers.choose(warm, event(name=name))
    assert again.finding == "" and again.heat_map == "" and again.waiting_for == ""
    assert read_handlers.choose(again, event(name=name)).heat_map == warm.heat_map  # computed once


def test_support_is_counted_among_the_similar_studies(read_handlers, state):
    for one in state.suggestion.findings:
        carried = [match for match in state.similar if match.study.findings.get(one.name) == 1]
        html = read_handlers.show(read_handlers.choose(state, event(name=one.name)))[2]
        assert f"{len(carried)} of the {len(state.similar)} most similar studies" in html
        # What a sentence rests on may lie beyond the similar studies that are shown.
        supporting = state.supporting(one.name)
        assert len(supporting) >= len(carried)
        assert html.count('class="film" data-act="compare"') == min(3, len(supporting))


def test_similar_studies_say_in_what_they_are_alike(read_handlers, desk):
    search_state = opened(desk, "big heart")
    state = answered(read_handlers, read_handlers.carry_from_search(ReadState(), search_state))
    assert len(state.similar) == 11 and state.study not in [match.study for match in state.similar]
    html = read_handlers.show(state)[4]
    assert html.count('data-act="compare"') == 11
    for match in state.similar:
        said = reasons_alike(match.study, state)
        assert escape(said) in html
        assert ("both show" in said.lower()) == any(
            match.study.findings.get(name) == 1 for name in state.suggested
        )
        assert ("the same view, PA" in said) == (match.study.view == "PA")
        near = match.study.age is not None and abs(match.study.age - state.study.age) <= 10
        assert ("age" in said) == near


def test_two_films_stand_side_by_side(read_handlers, state, film, tmp_path):
    both = read_handlers.compare(state, event(index=2))
    html = read_handlers.show(both)[1]
    assert html.count('class="stage"') == 2 and "comparing" in html
    assert read_handlers.services.images.address(both.comparison.study) in html
    assert read_handlers.show(both)[4].count("aria-current") == 1
    assert read_handlers.show(read_handlers.end_comparison(both))[1].count('class="stage"') == 1
    film(7, (200, 100)).save(tmp_path / "old.png")
    mine = read_handlers.compare_upload(state, str(tmp_path / "old.png"))
    assert mine.comparison.url.startswith("data:image/png") and mine.suggestion is state.suggestion
    assert not (tmp_path / "old.png").exists()
    for wrong in (event(index=99), event(index=-1), event(index="0"), event()):
        with pytest.raises(ValueError, match="no longer on the page"):
            read_handlers.compare(state, wrong)


def test_an_answer_never_lands_on_another_film(read_handlers, state, film, tmp_path):
    name = state.suggested[0]
    waiting = read_handlers.choose(state, event(name=name))
    answer = read_handlers.ask(waiting)
    film(2).save(tmp_path / "next.png")
    other = read_handlers.upload(state, str(tmp_path / "next.png"))
    assert read_handlers.receive(other, answer) is None
    assert read_handlers.receive(ReadState(), answer) is None
    assert (
        read_handlers.receive(read_handlers.end_comparison(waiting), answer).heat_map
        == answer.value
    )
    assert all(update == gr.skip() for update in read_handlers.show(None))


def test_films_of_the_gallery_begin_and_go(read_handlers):
    html = read_handlers.examples()
    offered = examples(read_handlers.services)
    assert html.count('data-act="pick"') == len(offered) > 0
    picked = read_handlers.choose_example(ReadState(), event(index=1))
    assert picked.study.id == offered[1].id and picked.image_url.startswith("films/")
    assert read_handlers.close(picked) == ReadState()
    for wrong in (event(index=9), event(index="0"), event(), gr.EventData(None, None)):
        with pytest.raises(ValueError, match="no longer on the page"):
            read_handlers.choose_example(ReadState(), wrong)
    with pytest.raises(ValueError, match="No film is open"):
        read_handlers.carry_from_search(ReadState(), SearchState())


def test_film_and_finding_are_carried_to_the_localize_tab(read_handlers, state):
    localizing = LocalizeHandlers(read_handlers.services)
    chosen = read_handlers.choose(state, event(name="consolidation"))
    localize_state = localizing.carry_from_read(None, chosen)
    assert localize_state.image.size == state.image.size and localize_state.source == "Your film"
    assert localizing.text_from_read(chosen) == "consolidation"
    assert 'data-act="locate"' in read_handlers.show(chosen)[2]
    hernia = read_handlers.show(read_handlers.choose(state, event(name="hernia")))[2]
    assert 'data-act="locate"' not in hernia  # the localizer has not learned it
    with pytest.raises(ValueError, match="no film in the Read tab"):
        localizing.carry_from_read(None, ReadState())


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


def test_another_setting_reads_the_image_again_with_other_probabilities(read_handlers, upload):
    state = answered(read_handlers, read_handlers.upload(ReadState(), upload))
    screening = read_handlers.choose_setting(state, event(name="screening"))
    assert screening.waiting_for and screening.setting == "screening"
    screening = answered(read_handlers, screening)
    before = {one.name: one.probability for one in state.suggestion.findings}
    after = {one.name: one.probability for one in screening.suggestion.findings}
    assert all(after[name] < value for name, value in before.items() if value < 0.999)
    html = str(read_handlers.show(screening)[2])
    assert 'data-name="screening" aria-pressed="true"' in html
    assert read_handlers.choose_setting(screening, event(name="screening")) is screening

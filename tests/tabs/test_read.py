"""The handlers of the Read tab, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
from html import escape, unescape

import gradio as gr
import numpy as np
import pytest
from app_gallery import HOSTILE, event, opened
from dicom_files import dicom, ramp
from PIL import Image
from reporting_parts import save_reporting

from cxr.checkpoints import fingerprint
from cxr.gate import WARNING
from cxr.tabs.api import report_endpoint
from cxr.tabs.guard import UNEXPECTED, guarded
from cxr.tabs.lightbox import REPORT, Answer, Lightbox
from cxr.tabs.localize_desk import LocalizeDesk
from cxr.tabs.localize_pane import examples
from cxr.tabs.models import Model
from cxr.tabs.read_desk import ReadDesk
from cxr.tabs.read_findings import raised
from cxr.tabs.read_similar import why
from cxr.tabs.room import Room
from cxr.tabs.services import Services

JUNK = [b"", b"GIF89a", b"%PDF-1.4 not a film", b"\xff\xd8\xff\xe0", dicom(ramp())[:300]]


def reading_services(services, folder, limit: float = 1e9) -> Services:
    reporting = save_reporting(folder, fingerprint(services.weights), limit)
    return Services(services.gallery, services.weights, lambda **_: services.retriever(),
                    reporting=str(reporting))  # fmt: skip


@pytest.fixture(scope="module")
def reading(services, tmp_path_factory):
    return reading_services(services, tmp_path_factory.mktemp("reporting") / "own")


@pytest.fixture(scope="module")
def strict(services, tmp_path_factory):
    return reading_services(services, tmp_path_factory.mktemp("reporting") / "strict", -1e9)


@pytest.fixture
def read_desk(reading):
    return ReadDesk(reading)


@pytest.fixture
def upload(film, tmp_path):
    path = tmp_path / "mine.png"
    film(1, (300, 240)).save(path)
    return str(path)


def answered(desk: ReadDesk, box: Lightbox) -> Lightbox:
    """The box after the model has said what it has to say."""
    return desk.hear(box, desk.ask(box))


@pytest.fixture
def box(read_desk, upload):
    """An uploaded film with what was read in it."""
    return answered(read_desk, read_desk.take(Lightbox(), upload))


def panes(desk: ReadDesk, box: Lightbox) -> str:
    return "".join(desk.show(box)[:5])


def data(html: str, name: str) -> str:
    return unescape(re.search(f'data-{name}="([^"]*)"', html)[1])


def test_a_film_is_shown_at_once_and_read_afterwards(read_desk, upload):
    box = read_desk.take(Lightbox(), upload)
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
    assert raised(box) == [one.name for one in box.suggestion.findings
                           if one.word in ("likely", "possible")]  # fmt: skip


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
    (told,) = [one.text for one in box.suggestion.sentences
               if name in one.claims and one.section == "findings"]  # fmt: skip
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


def test_findings_that_are_not_there_say_so(read_desk, box):
    for wrong in (event(name="gout"), event(name=None), event(), gr.EventData(None, None)):
        for here in (box, Lightbox()):
            with pytest.raises(ValueError, match="no longer on the page"):
                read_desk.choose(here, wrong)


def test_similar_studies_say_in_what_they_are_alike(read_desk, desk):
    room = opened(desk, "big heart")
    box = answered(read_desk, read_desk.carry(Lightbox(), room))
    assert len(box.similar) == 11 and box.study not in [match.study for match in box.similar]
    html = read_desk.show(box)[4]
    assert html.count('data-act="compare"') == 11
    for match in box.similar:
        said = why(match.study, box)
        assert escape(said) in html
        assert ("both show" in said.lower()) == any(
            match.study.findings.get(name) == 1 for name in raised(box))
        assert ("the same view, PA" in said) == (match.study.view == "PA")
        near = match.study.age is not None and abs(match.study.age - box.study.age) <= 10
        assert ("age" in said) == near


def test_two_films_stand_side_by_side(read_desk, box, film, tmp_path):
    both = read_desk.compare(box, event(index=2))
    html = read_desk.show(both)[1]
    assert html.count('class="stage"') == 2 and "comparing" in html
    assert read_desk.services.films.address(both.beside.study) in html
    assert read_desk.show(both)[4].count("aria-current") == 1
    assert read_desk.show(read_desk.alone(both))[1].count('class="stage"') == 1
    film(7, (200, 100)).save(tmp_path / "old.png")
    mine = read_desk.compare_upload(box, str(tmp_path / "old.png"))
    assert mine.beside.picture.startswith("data:image/png") and mine.suggestion is box.suggestion
    assert not (tmp_path / "old.png").exists()
    for wrong in (event(index=99), event(index=-1), event(index="0"), event()):
        with pytest.raises(ValueError, match="no longer on the page"):
            read_desk.compare(box, wrong)


def test_a_picture_that_is_no_chest_film_is_refused_in_plain_words(strict, upload):
    desk = ReadDesk(strict)
    box = answered(desk, desk.take(Lightbox(), upload))
    html = panes(desk, box)
    assert WARNING in html and "withheld" in html and box.withheld
    assert 'data-act="choose"' not in html and "<textarea" not in html
    assert desk.show(box)[4] == ""
    forced = answered(desk, desk.force(box))
    html = panes(desk, forced)
    assert WARNING in html and 'class="findings doubted"' in html and "<textarea" in html
    assert WARNING in data(desk.show(forced)[3], "warning")
    assert desk.force(forced) is forced


def test_a_blank_picture_is_refused(read_desk, tmp_path):
    Image.new("L", (64, 64), 90).save(tmp_path / "blank.png")
    box = answered(read_desk, read_desk.take(Lightbox(), str(tmp_path / "blank.png")))
    assert box.withheld and WARNING in panes(read_desk, box)


def test_an_answer_never_lands_on_another_film(read_desk, box, film, tmp_path):
    name = raised(box)[0]
    waiting = read_desk.choose(box, event(name=name))
    answer = read_desk.ask(waiting)
    film(2).save(tmp_path / "next.png")
    other = read_desk.take(box, str(tmp_path / "next.png"))
    assert read_desk.hear(other, answer) is None
    assert read_desk.hear(Lightbox(), answer) is None
    assert read_desk.hear(read_desk.alone(waiting), answer).heat == answer.value
    assert all(update == gr.skip() for update in read_desk.show(None))


def test_an_error_is_told_and_the_film_stays(read_desk, box, monkeypatch):
    monkeypatch.setattr(read_desk, "_heat", lambda box, finding: 1 / 0)
    failed = answered(read_desk, read_desk.choose(box, event(name=raised(box)[0])))
    assert UNEXPECTED in read_desk.show(failed)[0] and failed.wanted == "" and failed.heat == ""
    assert failed.film is box.film and "none could be made" in read_desk.show(failed)[2]
    assert read_desk.hear(box, Answer(box.key, REPORT, problem="late")) is None


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_refused_and_deleted_and_the_film_stays(read_desk, box, tmp_path, junk):
    for work in (read_desk.take, read_desk.compare_upload):
        path = tmp_path / "junk.dcm"
        path.write_bytes(junk)
        shown = list(guarded(work, read_desk.show)(box, str(path)))[-1]
        assert 'role="alert"' in shown[0] and "Expected" in shown[0] and shown[-1] is box
        assert not path.exists()
    with pytest.raises(ValueError, match="No film arrived"):
        read_desk.take(box, None)


@pytest.mark.parametrize("mode", ["I;16", "P", "RGBA", "1"])
def test_films_of_any_mode_are_read(read_desk, tmp_path, film, mode):
    levels = film(1, (200, 240))
    deep = Image.fromarray(np.asarray(levels).astype(np.uint16) * 200)
    (deep if mode == "I;16" else levels.convert("RGB").convert(mode)).save(tmp_path / "f.png")
    box = read_desk.take(Lightbox(), str(tmp_path / "f.png"))
    assert box.film.mode == "L" and answered(read_desk, box).suggestion.report


@pytest.mark.parametrize("fields", [{}, {"PhotometricInterpretation": "MONOCHROME1"}])
def test_a_dicom_film_is_read_and_its_patient_is_never_named(read_desk, tmp_path, fields):
    (tmp_path / "film").write_bytes(dicom(ramp(), **fields))
    box = answered(read_desk, read_desk.take(Lightbox(), str(tmp_path / "film")))
    html = panes(read_desk, box)
    assert box.suggestion.report and "Rosenrot" not in html and "4711" not in html


def test_films_of_the_gallery_begin_and_go(read_desk):
    html = read_desk.show(Lightbox())[1]
    offered = examples(read_desk.services)
    assert html.count('data-act="pick"') == len(offered) > 0
    picked = read_desk.pick(Lightbox(), event(index=1))
    assert picked.study.id == offered[1].id and picked.picture.startswith("films/")
    assert read_desk.away(picked) == Lightbox()
    for wrong in (event(index=9), event(index="0"), event(), gr.EventData(None, None)):
        with pytest.raises(ValueError, match="no longer on the page"):
            read_desk.pick(Lightbox(), wrong)
    with pytest.raises(ValueError, match="No film is open"):
        read_desk.carry(Lightbox(), Room())


def test_film_and_finding_are_carried_to_the_localize_tab(read_desk, box):
    localizing = LocalizeDesk(read_desk.services)
    chosen = read_desk.choose(box, event(name="consolidation"))
    bench = localizing.carry_read(None, chosen)
    assert bench.film.size == box.film.size and bench.source == "Your film"
    assert localizing.carry_finding(chosen) == "consolidation"
    assert 'data-act="locate"' in read_desk.show(chosen)[2]
    hernia = read_desk.show(read_desk.choose(box, event(name="hernia")))[2]
    assert 'data-act="locate"' not in hernia  # the localizer has not learned it
    with pytest.raises(ValueError, match="no film in the Read tab"):
        localizing.carry_read(None, Lightbox())


def test_a_hostile_study_is_only_text(read_desk, desk):
    box = answered(read_desk, read_desk.carry(Lightbox(), opened(desk, "hostile")))
    html = panes(read_desk, read_desk.compare(box, event(index=0)))
    assert HOSTILE not in html and "<script" not in html


def test_without_weights_the_tab_says_what_to_do(services, upload, tmp_path):
    none = str(tmp_path / "none")
    bare = Services(services.gallery, services.weights, reporting=none)
    untrained = Services(services.gallery, none, reporting=none)
    for here, said in ((bare, "train.calibrate"), (untrained, "train.retrieval")):
        desk = ReadDesk(here)
        html = desk.show(Lightbox())[1]
        assert said in html and "\n" not in here.unreadable() and 'class="state setup"' in html
    box = answered(ReadDesk(bare), ReadDesk(bare).take(Lightbox(), upload))
    assert "train.calibrate" in ReadDesk(bare).show(box)[0] and box.wanted == ""


def test_without_a_gallery_a_film_is_read_and_one_line_says_what_is_missing(
    reading, upload, tmp_path
):
    bare = Services(str(tmp_path / "none"), reading.weights, reporting=reading.suggester.weights)
    desk = ReadDesk(bare)
    assert "Bring a film" in desk.show(Lightbox())[1]
    box = answered(desk, desk.take(Lightbox(), upload))
    assert box.suggestion.report and "gallery build" in desk.show(box)[4]
    assert "no gallery to look in" in desk.show(desk.choose(box, event(name="mass")))[2]


def test_a_calibration_of_another_encoder_is_refused_with_the_remedy(services, upload, tmp_path):
    folder = save_reporting(tmp_path / "other", "ab" * 32)
    model = Services(services.gallery, services.weights, lambda **_: services.retriever(),
                     reporting=str(folder))  # fmt: skip
    desk = ReadDesk(model)
    box = answered(desk, desk.take(Lightbox(), upload))
    assert "python -m train.calibrate" in desk.show(box)[0]


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
    with pytest.raises(gr.Error, match="train.calibrate"):
        report_endpoint(missing)(good)

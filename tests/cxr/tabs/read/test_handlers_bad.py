"""The Read tab with junk, strange pictures and odd files, and with something missing."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
from app_gallery import HOSTILE, event, opened
from dicom_files import dicom, ramp
from PIL import Image, ImageOps
from reading_steps import answered, data, html_of
from reporting_parts import save_reporting

from cxr.reporting.ood_gate import WARNING
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import REPORT, ReadState
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import UNEXPECTED
from cxr.tabs.shared.wiring import Answer, VisitorState, guarded

JUNK = [b"", b"GIF89a", b"%PDF-1.4 not a film", b"\xff\xd8\xff\xe0", dicom(ramp())[:300]]


def test_findings_that_are_not_there_say_so(read_handlers, state):
    for wrong in (event(name="gout"), event(name=None), event(), gr.EventData(None, None)):
        for here in (state, ReadState()):
            with pytest.raises(ValueError, match="no longer on the page"):
                read_handlers.choose(here, wrong)


def test_a_picture_that_is_no_chest_film_is_refused_in_plain_words(strict, upload):
    handlers = ReadHandlers(strict)
    state = answered(handlers, handlers.upload(ReadState(), upload))
    html = html_of(handlers, state)
    assert WARNING in html and "withheld" in html and state.withheld
    assert 'data-act="choose"' not in html and "<textarea" not in html
    assert handlers.show(state)[4] == ""
    forced = answered(handlers, handlers.force(state))
    html = html_of(handlers, forced)
    assert WARNING in html and 'class="findings doubted"' in html and "<textarea" in html
    assert WARNING in data(handlers.show(forced)[3], "warning")
    assert handlers.force(forced) is forced


@pytest.mark.parametrize(
    ("kind", "mask_patches"),
    [
        ("turned 90", lambda film: film.transpose(Image.Transpose.ROTATE_90)),
        ("turned 180", lambda film: film.transpose(Image.Transpose.ROTATE_180)),
        ("turned 270", lambda film: film.transpose(Image.Transpose.ROTATE_270)),
        ("inverted", ImageOps.invert),
    ],
)
def test_a_film_on_its_side_or_inverted_is_put_right_at_a_click(strict, film, kind, mask_patches):
    handlers, right = ReadHandlers(strict), film(1, (300, 240))
    spoilt = ReadState("key", mask_patches(right), "data:", "Your film")
    state = answered(handlers, spoilt)
    verdict = replace(state.suggestion.verdict, kind=kind)
    state = replace(state, suggestion=replace(state.suggestion, verdict=verdict))
    assert 'data-act="correct"' in handlers.show(state)[2]
    corrected = handlers.correct(state)
    assert np.array_equal(np.asarray(corrected.image), np.asarray(right))
    assert corrected.key != state.key and corrected.waiting_for == REPORT
    assert (
        handlers.receive(corrected, handlers.ask(state)) is None
    )  # what is said of the other film is not heard


def test_what_cannot_be_put_right_offers_no_such_click(strict, upload):
    handlers = ReadHandlers(strict)
    state = answered(handlers, handlers.upload(ReadState(), upload))
    other = replace(state.suggestion, verdict=replace(state.suggestion.verdict, kind="other"))
    state = replace(state, suggestion=other)
    assert 'data-act="correct"' not in handlers.show(state)[2] and handlers.correct(state) is state
    assert handlers.correct(ReadState()) == ReadState()


def test_a_blank_picture_is_refused(read_handlers, tmp_path):
    Image.new("L", (64, 64), 90).save(tmp_path / "blank.png")
    state = answered(read_handlers, read_handlers.upload(ReadState(), str(tmp_path / "blank.png")))
    assert state.withheld and WARNING in html_of(read_handlers, state)


def test_an_error_is_told_and_the_film_stays(read_handlers, state, monkeypatch):
    monkeypatch.setattr(read_handlers, "_heat_map", lambda state: 1 / 0)
    failed = answered(read_handlers, read_handlers.choose(state, event(name=state.suggested[0])))
    assert (
        UNEXPECTED in read_handlers.show(failed)[0]
        and failed.waiting_for == ""
        and failed.heat_map == ""
    )
    assert failed.image is state.image and "none could be made" in read_handlers.show(failed)[2]
    assert read_handlers.receive(state, Answer((state.key, REPORT), problem="late")) is None


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_refused_and_deleted_and_the_film_stays(read_handlers, state, tmp_path, junk):
    for work in (read_handlers.upload, read_handlers.compare_upload):
        path = tmp_path / "junk.dcm"
        path.write_bytes(junk)
        shown = list(guarded(work, read_handlers.show)(VisitorState(state), str(path)))[-1]
        assert 'role="alert"' in shown[0] and "Expected" in shown[0] and shown[-1].value is state
        assert not path.exists()
    with pytest.raises(ValueError, match="No film arrived"):
        read_handlers.upload(state, None)


@pytest.mark.parametrize("mode", ["I;16", "P", "RGBA", "1"])
def test_films_of_any_mode_are_read(read_handlers, tmp_path, film, mode):
    levels = film(1, (200, 240))
    deep = Image.fromarray(np.asarray(levels).astype(np.uint16) * 200)
    (deep if mode == "I;16" else levels.convert("RGB").convert(mode)).save(tmp_path / "f.png")
    state = read_handlers.upload(ReadState(), str(tmp_path / "f.png"))
    assert state.image.mode == "L" and answered(read_handlers, state).suggestion.report


@pytest.mark.parametrize("fields", [{}, {"PhotometricInterpretation": "MONOCHROME1"}])
def test_a_dicom_film_is_read_and_its_patient_is_never_named(read_handlers, tmp_path, fields):
    (tmp_path / "film").write_bytes(dicom(ramp(), **fields))
    state = answered(read_handlers, read_handlers.upload(ReadState(), str(tmp_path / "film")))
    html = html_of(read_handlers, state)
    assert state.suggestion.report and "Rosenrot" not in html and "4711" not in html


def test_a_hostile_study_is_only_text(read_handlers, desk):
    state = answered(
        read_handlers, read_handlers.carry_from_search(ReadState(), opened(desk, "hostile"))
    )
    html = html_of(read_handlers, read_handlers.compare(state, event(index=0)))
    assert HOSTILE not in html and "<script" not in html


def test_without_weights_the_tab_says_what_to_do(services, upload, tmp_path):
    none = str(tmp_path / "none")
    bare = Services(services.gallery, services.weights, reporting=none)
    untrained = Services(services.gallery, none, reporting=none)
    for here, said in ((bare, "train.reporting"), (untrained, "train.retrieval")):
        handlers = ReadHandlers(here)
        html = handlers.show(ReadState())[1]
        assert said in html and "\n" not in here.unreadable() and 'class="state setup"' in html
    state = answered(ReadHandlers(bare), ReadHandlers(bare).upload(ReadState(), upload))
    assert "train.reporting" in ReadHandlers(bare).show(state)[0] and state.waiting_for == ""


def test_without_a_gallery_a_film_is_read_and_one_line_says_what_is_missing(
    reading, upload, tmp_path
):
    bare = Services(str(tmp_path / "none"), reading.weights, reporting=reading.suggester.weights)
    handlers = ReadHandlers(bare)
    assert "Bring a film" in handlers.show(ReadState())[1]
    state = answered(handlers, handlers.upload(ReadState(), upload))
    assert state.suggestion.report and "gallery build" in handlers.show(state)[4]
    assert "no gallery to search" in handlers.show(handlers.choose(state, event(name="mass")))[2]


def test_a_calibration_of_another_encoder_is_refused_with_the_remedy(services, upload, tmp_path):
    folder = save_reporting(tmp_path / "other", "ab" * 32)
    model = Services(
        services.gallery, services.weights, lambda **_: services.retriever(), reporting=str(folder)
    )
    handlers = ReadHandlers(model)
    state = answered(handlers, handlers.upload(ReadState(), upload))
    assert "python -m train.reporting" in handlers.show(state)[0]

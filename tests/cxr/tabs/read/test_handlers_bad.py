"""The Read tab with junk, strange pictures and odd files, and with something missing."""

from __future__ import annotations

from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
from app_gallery import HOSTILE, event, opened
from dicom_files import dicom, ramp
from PIL import Image, ImageOps
from reading_steps import answered, data, panes
from reporting_parts import save_reporting

from cxr.reporting.ood_gate import WARNING
from cxr.tabs.read.findings import raised
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import REPORT, ReadState
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import UNEXPECTED
from cxr.tabs.shared.wiring import Answer, guarded

JUNK = [b"", b"GIF89a", b"%PDF-1.4 not a film", b"\xff\xd8\xff\xe0", dicom(ramp())[:300]]


def test_findings_that_are_not_there_say_so(read_desk, box):
    for wrong in (event(name="gout"), event(name=None), event(), gr.EventData(None, None)):
        for here in (box, ReadState()):
            with pytest.raises(ValueError, match="no longer on the page"):
                read_desk.choose(here, wrong)


def test_a_picture_that_is_no_chest_film_is_refused_in_plain_words(strict, upload):
    desk = ReadHandlers(strict)
    box = answered(desk, desk.take(ReadState(), upload))
    html = panes(desk, box)
    assert WARNING in html and "withheld" in html and box.withheld
    assert 'data-act="choose"' not in html and "<textarea" not in html
    assert desk.show(box)[4] == ""
    forced = answered(desk, desk.force(box))
    html = panes(desk, forced)
    assert WARNING in html and 'class="findings doubted"' in html and "<textarea" in html
    assert WARNING in data(desk.show(forced)[3], "warning")
    assert desk.force(forced) is forced


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
    desk, right = ReadHandlers(strict), film(1, (300, 240))
    spoilt = ReadState("key", mask_patches(right), "data:", "Your film")
    box = answered(desk, spoilt)
    verdict = replace(box.suggestion.verdict, kind=kind)
    box = replace(box, suggestion=replace(box.suggestion, verdict=verdict))
    assert 'data-act="mend"' in desk.show(box)[2]
    mended = desk.mend(box)
    assert np.array_equal(np.asarray(mended.film), np.asarray(right))
    assert mended.key != box.key and mended.wanted == REPORT
    assert desk.hear(mended, desk.ask(box)) is None  # what is said of the other film is not heard


def test_what_cannot_be_put_right_offers_no_such_click(strict, upload):
    desk = ReadHandlers(strict)
    box = answered(desk, desk.take(ReadState(), upload))
    other = replace(box.suggestion, verdict=replace(box.suggestion.verdict, kind="other"))
    box = replace(box, suggestion=other)
    assert 'data-act="mend"' not in desk.show(box)[2] and desk.mend(box) is box
    assert desk.mend(ReadState()) == ReadState()


def test_a_blank_picture_is_refused(read_desk, tmp_path):
    Image.new("L", (64, 64), 90).save(tmp_path / "blank.png")
    box = answered(read_desk, read_desk.take(ReadState(), str(tmp_path / "blank.png")))
    assert box.withheld and WARNING in panes(read_desk, box)


def test_an_error_is_told_and_the_film_stays(read_desk, box, monkeypatch):
    monkeypatch.setattr(read_desk, "_heat", lambda box, finding: 1 / 0)
    failed = answered(read_desk, read_desk.choose(box, event(name=raised(box)[0])))
    assert UNEXPECTED in read_desk.show(failed)[0] and failed.wanted == "" and failed.heat == ""
    assert failed.film is box.film and "none could be made" in read_desk.show(failed)[2]
    assert read_desk.hear(box, Answer((box.key, REPORT), problem="late")) is None


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
    box = read_desk.take(ReadState(), str(tmp_path / "f.png"))
    assert box.film.mode == "L" and answered(read_desk, box).suggestion.report


@pytest.mark.parametrize("fields", [{}, {"PhotometricInterpretation": "MONOCHROME1"}])
def test_a_dicom_film_is_read_and_its_patient_is_never_named(read_desk, tmp_path, fields):
    (tmp_path / "film").write_bytes(dicom(ramp(), **fields))
    box = answered(read_desk, read_desk.take(ReadState(), str(tmp_path / "film")))
    html = panes(read_desk, box)
    assert box.suggestion.report and "Rosenrot" not in html and "4711" not in html


def test_a_hostile_study_is_only_text(read_desk, desk):
    box = answered(read_desk, read_desk.carry(ReadState(), opened(desk, "hostile")))
    html = panes(read_desk, read_desk.compare(box, event(index=0)))
    assert HOSTILE not in html and "<script" not in html


def test_without_weights_the_tab_says_what_to_do(services, upload, tmp_path):
    none = str(tmp_path / "none")
    bare = Services(services.gallery, services.weights, reporting=none)
    untrained = Services(services.gallery, none, reporting=none)
    for here, said in ((bare, "train.reporting"), (untrained, "train.retrieval")):
        desk = ReadHandlers(here)
        html = desk.show(ReadState())[1]
        assert said in html and "\n" not in here.unreadable() and 'class="state setup"' in html
    box = answered(ReadHandlers(bare), ReadHandlers(bare).take(ReadState(), upload))
    assert "train.reporting" in ReadHandlers(bare).show(box)[0] and box.wanted == ""


def test_without_a_gallery_a_film_is_read_and_one_line_says_what_is_missing(
    reading, upload, tmp_path
):
    bare = Services(str(tmp_path / "none"), reading.weights, reporting=reading.suggester.weights)
    desk = ReadHandlers(bare)
    assert "Bring a film" in desk.show(ReadState())[1]
    box = answered(desk, desk.take(ReadState(), upload))
    assert box.suggestion.report and "gallery build" in desk.show(box)[4]
    assert "no gallery to look in" in desk.show(desk.choose(box, event(name="mass")))[2]


def test_a_calibration_of_another_encoder_is_refused_with_the_remedy(services, upload, tmp_path):
    folder = save_reporting(tmp_path / "other", "ab" * 32)
    model = Services(
        services.gallery, services.weights, lambda **_: services.retriever(), reporting=str(folder)
    )
    desk = ReadHandlers(model)
    box = answered(desk, desk.take(ReadState(), upload))
    assert "python -m train.reporting" in desk.show(box)[0]

"""The handlers of the Localize tab, without a browser."""

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
from drawn_models import DrawnLocalizer, drawn
from PIL import Image

from cxr.tabs.api import locate_endpoint
from cxr.tabs.localize.handlers import LocalizeHandlers, placed
from cxr.tabs.localize.outlines import START, THRESHOLDS
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared.example_cards import examples
from cxr.tabs.shared.models import Model
from cxr.tabs.shared.wiring import Answer, guarded


@pytest.fixture(scope="module")
def locating(services):
    return Services(
        services.gallery,
        services.weights,
        lambda **_: services.retriever(),
        localizer=drawn(DrawnLocalizer),
    )


@pytest.fixture
def bench_desk(locating):
    return LocalizeHandlers(locating)


@pytest.fixture
def bench(film):
    return placed(film(1, (300, 240)), "Your film")


def located(desk, bench, text):
    """The bench after the model has said where a text's finding is."""
    return answered(desk, desk.locate(bench, text))


def answered(desk, bench):
    return desk.hear(bench, desk.seek(bench))


def page(desk, bench):
    return desk.show(bench)[1]


def data(html, name):
    return unescape(re.search(f'data-{name}="([^"]*)"', html)[1])


def picture(address):
    head, _, body = address.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def reading(bench, percent=START):
    return bench.outline.readings[percent - THRESHOLDS[0]]


def test_a_finding_is_outlined_and_measured_at_every_threshold(bench_desk, bench):
    found = located(bench_desk, bench, "  GGO ")
    assert found.text == "GGO" and found.outline.taken == "ground-glass opacity"
    at = reading(found)
    assert at.found and at.verdict == "Right lung, mostly the lower zone"
    assert re.fullmatch(r"[0-9.]+% of the lungs", at.area) and at.each.endswith("left 0%")
    areas = [float(reading(found, t).area.split("%")[0]) for t in (10, 50, 90)]
    assert areas[0] > areas[1] > areas[2] > 0
    assert len(found.outline.readings) == len(THRESHOLDS)


def test_the_page_gets_one_map_and_the_film_unsquashed(bench_desk, film):
    bench = located(bench_desk, placed(film(1, (3000, 1200)), "Your film"), "right lung")
    html = page(bench_desk, bench)
    assert picture(data(html, "film")).size == (1024, 410)
    assert picture(data(html, "map")).size == (512, 205)
    assert data(html, "size") == "3000 1200" and data(html, "truth") == ""
    rows = json.loads(data(html, "readings"))
    assert rows["low"] == THRESHOLDS[0] and len(rows["rows"]) == len(THRESHOLDS)
    heat = np.asarray(picture(data(html, "map")))
    left_half = heat[:, :256] >= 128
    assert left_half.any() and not (heat[:, 256:] >= 128).any()  # the patient's right


def test_what_no_pixel_is_sure_of_is_not_found(bench_desk, bench):
    found = located(bench_desk, bench, "airways")
    assert not reading(found).found and "Not found" in reading(found).verdict
    assert "highest is 20%" in reading(found).verdict
    assert reading(found, 10).found and "of the picture" in reading(found, 10).area


def test_a_text_that_names_nothing_says_so(bench_desk, bench):
    found = located(bench_desk, bench, "🫁 bonjour")
    assert not reading(found, 5).found and "Nothing was named" in reading(found, 5).verdict
    assert found.outline.taken == ""


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_texts_that_cannot_be_are_refused(bench_desk, bench, text):
    with pytest.raises(ValueError, match="(?i)expected a text"):
        bench_desk.locate(bench, text)


def test_without_a_film_there_is_nothing_to_outline(bench_desk):
    with pytest.raises(ValueError, match="Bring a film first"):
        bench_desk.locate(LocalizeState(), "lungs")
    assert bench_desk.seek(LocalizeState()) is None


def test_a_film_that_has_come_is_outlined_when_the_box_says_what(bench_desk, upload):
    bench = bench_desk.take(LocalizeState(), upload, " lungs ")
    assert bench.wanted and "Outlining" in page(bench_desk, bench)
    found = answered(bench_desk, bench)
    assert found.text == "lungs" and found.outline and not found.wanted
    assert bench_desk.seek(found) is None


def test_an_answer_to_an_earlier_film_or_text_changes_nothing(bench_desk, bench, film):
    first = bench_desk.locate(bench, "right lung")
    late = bench_desk.seek(first)
    for now in (
        bench_desk.locate(bench, "left lung"),
        bench_desk.locate(bench, "right lung"),
        placed(film(3, (200, 240)), "Your film").asked("right lung"),
        bench_desk.away(first),
    ):
        assert bench_desk.hear(now, late) is None
    assert bench_desk.show(None) == (gr.skip(),) * 3
    assert bench_desk.hear(first, late).outline


def test_a_model_that_fails_is_said_and_the_film_stays(bench_desk, bench):
    asked = bench_desk.locate(bench, "lungs")
    told = bench_desk.hear(asked, Answer(asked.key, problem="No memory is left."))
    assert not told.wanted and told.film is bench.film
    assert "No memory is left." in bench_desk.show(told)[0]


def test_an_upload_is_read_and_deleted(bench_desk, tmp_path, film):
    path = tmp_path / "mine.jpg"
    film(1, (3000, 1200)).save(path)
    bench = bench_desk.take(LocalizeState(), str(path), "")
    assert not path.exists() and bench.size == (3000, 1200) and bench.film.size == (1024, 410)


@pytest.mark.parametrize(
    "junk",
    [b"", b"GIF89a", b"%PDF-1.4 not a film", b"\xff\xd8\xff\xe0", dicom(ramp())[:300]],
)
def test_junk_is_refused_and_deleted_and_the_film_stays(bench_desk, bench, tmp_path, junk):
    path = tmp_path / "junk.dcm"
    path.write_bytes(junk)
    shown = list(guarded(bench_desk.take, bench_desk.show)(bench, str(path), "lungs"))[-1]
    assert 'role="alert"' in shown[0] and "Expected" in shown[0] and shown[2] is bench
    assert not path.exists()
    with pytest.raises(ValueError, match="No film arrived"):
        bench_desk.take(bench, None, "")


def test_a_picture_that_is_no_chest_film_is_doubted(strict, film, upload):
    doubting = Services(
        strict.gallery, strict.weights, localizer=drawn(DrawnLocalizer), suggester=strict.suggester
    )
    desk = LocalizeHandlers(doubting)
    bench = desk.take(LocalizeState(), upload, "")
    assert "does not look like a frontal chest X-ray" in page(desk, bench)
    assert "does not look like" in page(desk, located(desk, bench, "lungs"))


@pytest.mark.parametrize("mode", ["I;16", "P", "RGBA", "1"])
def test_films_of_any_mode_are_taken(bench_desk, tmp_path, film, mode):
    path = tmp_path / "film.png"
    levels = film(1, (200, 240))
    deep = Image.fromarray(np.asarray(levels).astype(np.uint16) * 200)
    (deep if mode == "I;16" else levels.convert("RGB").convert(mode)).save(path)
    assert bench_desk.take(LocalizeState(), str(path), "").film.mode == "L"


def test_a_dicom_film_is_taken(bench_desk, tmp_path):
    path = tmp_path / "film"
    path.write_bytes(dicom(ramp()))
    bench = bench_desk.take(LocalizeState(), str(path), "")
    assert reading(located(bench_desk, bench, "left lung")).verdict == "Found"


def test_the_open_film_of_a_search_is_carried_over(bench_desk, desk):
    room = opened(desk, "generated", query="big heart")
    bench = bench_desk.carry(LocalizeState(), room)
    assert bench.study.id == "generated" and bench_desk.carry_text(room) == "big heart"
    assert bench.text == "big heart" and bench.wanted
    html = page(bench_desk, bench)
    assert '<span class="badge">synthetic</span>' in html and data(html, "mark") == "SYNTHETIC"
    with pytest.raises(ValueError, match="No film is open"):
        bench_desk.carry(LocalizeState(), desk.close_film(room))
    with pytest.raises(ValueError, match="No film is open"):
        bench_desk.carry(LocalizeState(), SearchState())
    assert bench_desk.carry_text(SearchState()) == ""


def test_the_empty_tab_offers_films_of_the_gallery(bench_desk):
    html = bench_desk.examples()
    offered = examples(bench_desk.services)
    assert "Bring a film" in page(bench_desk, LocalizeState())
    assert html.count('data-act="pick"') == len(offered) == 4
    assert [study.id for study in offered[:2]] == ["big heart", "unsure"]
    picked = bench_desk.pick(LocalizeState(), "heart", event(index=1))
    assert picked.study.id == offered[1].id and bench_desk.away(picked) == LocalizeState()
    for wrong in (event(index=9), event(index="0"), event(), gr.EventData(None, None)):
        with pytest.raises(ValueError, match="no longer on the page"):
            bench_desk.pick(LocalizeState(), "", wrong)


def test_nothing_a_visitor_types_becomes_html(bench_desk, bench):
    html = page(bench_desk, located(bench_desk, bench, HOSTILE))
    assert HOSTILE not in html and "<script" not in html and escape(HOSTILE) in html


def test_without_weights_the_tab_says_what_to_do(services, bench, tmp_path):
    bare = Services(
        services.gallery,
        services.weights,
        localizer=Model(str(tmp_path / "none"), None, "train one"),
    )
    desk = LocalizeHandlers(bare)
    assert "No model at" in page(desk, LocalizeState()) and "train one" in page(
        desk, LocalizeState()
    )
    told = desk.show(located(desk, bench, "lungs"))
    assert "train one" in told[0] and told[2].film is bench.film


def test_the_endpoint_for_programs_locates(locating, film):
    film_bytes = io.BytesIO()
    film(1, (300, 240)).save(film_bytes, "PNG")
    call = locate_endpoint(locating)
    found = call(base64.b64encode(film_bytes.getvalue()).decode(), "opacity", 0.4)
    assert found["found"] and found["taken"] == "opacity" and found["left"] == 0 < found["right"]
    heat = np.asarray(Image.open(io.BytesIO(base64.b64decode(found["heat"]))))
    assert heat.shape == (240, 300) and heat.dtype == np.uint8 and heat.max() > 200
    json.dumps(found)
    good = base64.b64encode(film_bytes.getvalue()).decode()
    for wrong in (
        ("%%%", "lungs"),
        ("", "lungs"),
        ("aGVsbG8=", "lungs"),
        (good, ""),
        (good, "lungs", 0.0),
        (good, "lungs", 1.5),
        (good, "lungs", float("nan")),
    ):
        with pytest.raises(gr.Error, match="(?i)expected"):
            call(*wrong)

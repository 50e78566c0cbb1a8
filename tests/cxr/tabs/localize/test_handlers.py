"""The handlers of the Localize tab, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from dataclasses import replace
from html import unescape

import gradio as gr
import numpy as np
import pytest
from app_gallery import HOSTILE, event, opened
from dicom_files import dicom, ramp
from drawn_models import PLACES, DrawnLocalizer, drawn
from markupsafe import escape
from PIL import Image

from cxr.checkpoints.format import read_config
from cxr.defaults import LOCALIZER, find_shipped
from cxr.images.load import Preprocess
from cxr.localization.localizer import Localization
from cxr.localization.lung_measures import LUNG_MEASURES, RIGHT_AREA, Measured
from cxr.localization.measure import Ratio
from cxr.localization.targets import Target, parse
from cxr.tabs.api import locate_endpoint
from cxr.tabs.localize.handlers import LocalizeHandlers, with_image
from cxr.tabs.localize.outlines import START, THRESHOLDS, outlined
from cxr.tabs.localize.state import LocalizeState
from cxr.tabs.localize.tab import SUGGESTIONS
from cxr.tabs.search.state import SearchState
from cxr.tabs.services import Services
from cxr.tabs.shared.example_cards import examples
from cxr.tabs.shared.models import Model
from cxr.tabs.shared.wiring import Answer, VisitorState, guarded


@pytest.fixture(scope="module")
def locating(services):
    return Services(
        services.gallery,
        services.weights,
        lambda **_: services.retriever(),
        localizer=drawn(DrawnLocalizer),
    )


@pytest.fixture
def handlers(locating):
    return LocalizeHandlers(locating)


@pytest.fixture
def state(film):
    return with_image(film(1, (300, 240)), "Your film")


def located(handlers, state, text):
    """The state after the model has said where a text's finding is."""
    return answered(handlers, handlers.locate(state, text))


def answered(handlers, state):
    return handlers.receive(state, handlers.ask(state))


def page(handlers, state):
    return handlers.show(state)[1]


def data(html, name):
    return unescape(re.search(f'data-{name}="([^"]*)"', html)[1])


def picture(address):
    head, _, body = address.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def measure(state, percent=START):
    return state.outline.measures[percent - THRESHOLDS[0]]


def test_a_finding_is_outlined_and_measured_at_every_threshold(handlers, state):
    found = located(handlers, state, "  GGO ")
    assert found.text == "GGO" and found.outline.taken == "ground-glass opacity"
    at = measure(found)
    assert at.found and at.verdict == "Right lung, mostly the lower zone"
    assert re.fullmatch(r"[0-9.]+% of the lungs", at.area) and at.each.endswith("left 0%")
    areas = [float(measure(found, t).area.split("%")[0]) for t in (10, 50, 90)]
    assert areas[0] > areas[1] > areas[2] > 0
    assert len(found.outline.measures) == len(THRESHOLDS)


def test_the_page_gets_one_map_and_the_film_unsquashed(handlers, film):
    state = located(handlers, with_image(film(1, (3000, 1200)), "Your film"), "right lung")
    html = page(handlers, state)
    assert picture(data(html, "film")).size == (1024, 410)
    assert picture(data(html, "map")).size == (512, 205)
    assert data(html, "size") == "3000 1200" and data(html, "reference") == ""
    rows = json.loads(data(html, "measures"))
    assert rows["low"] == THRESHOLDS[0] and len(rows["rows"]) == len(THRESHOLDS)
    heat = np.asarray(picture(data(html, "map")))
    left_half = heat[:, :256] >= 128
    assert left_half.any() and not (heat[:, 256:] >= 128).any()  # the patient's right


def test_what_no_pixel_is_sure_of_is_not_found(handlers, state):
    found = located(handlers, state, "airways")
    assert not measure(found).found and "Not found" in measure(found).verdict
    assert "highest is 20%" in measure(found).verdict
    assert measure(found, 10).found and "of the picture" in measure(found, 10).area


def test_a_text_that_names_nothing_is_an_error_and_not_something_that_was_not_found(
    handlers, state
):
    asked = located(handlers, state, "🫁 bonjour")
    message, html, _ = handlers.show(asked)
    assert "🫁 bonjour" in message and "such as lungs" in message
    assert asked.outline is None and "ot found" not in message + html
    assert asked.image is state.image and not asked.waiting


@pytest.mark.parametrize("text", ["cardiomegaly", "enlarged heart", "big heart"])
def test_the_size_of_the_heart_stands_beside_its_outline(handlers, state, text):
    asked = located(handlers, state, text)
    assert measure(asked).verdict == "Found" and asked.outline.caveat == ""
    assert float(asked.outline.ratio) == pytest.approx(0.2 / 0.7, abs=0.02)  # as PLACES draws them
    assert f"ratio {asked.outline.ratio}, measured" in page(handlers, asked)


def test_a_finding_that_its_own_probability_denies_is_not_found(state):
    maps = np.full((3, 32, 32), 0.4, np.float32)
    found = Localization(
        Target("pneumothorax"),
        (32, 32),
        maps,
        Preprocess(32),
        probability=0.1,
        found_from=0.3,
        present=False,
    )
    low = outlined(found, "pneumothorax").measures[0]
    assert not low.found
    assert low.verdict == "Not found: the model gives it 10%, and it counts from 30% on."
    doubted = replace(found, query=Target("opacity"), probability=0.9, doubted=(0.36, 0.75))
    assert outlined(doubted, "opacity").measures[0].verdict == (
        "Not found: the model sees something like it (90%), but the film does not look abnormal as "
        "a whole (36%, and that counts from 75% on)."
    )
    unlikely = replace(
        doubted, query=Target("consolidation"), present=True, doubted=None, unlikely=(0.13, 0.18)
    )
    assert "Read, which weighs the look of the whole film too, calls it unlikely (13%)." in (
        outlined(unlikely, "consolidation").caveat
    )
    enlarged = replace(found, query=Target("cardiomegaly"), ratio=Ratio(0.44, 0.4, 0.48))
    said = outlined(enlarged, "big heart")
    assert said.measures[0].verdict == (
        "Not found: the cardiothoracic ratio is 0.44 (0.40 to 0.48), and the heart counts as "
        "enlarged here from 0.30 on."
    )
    assert said.ratio == "0.44 (0.40 to 0.48)" and said.lungs == ()
    unknown = outlined(replace(enlarged, ratio=None), "big heart")
    assert "cannot be measured" in unknown.measures[0].verdict


def test_what_was_measured_of_the_lungs_stands_beside_them(state):
    maps = np.full((3, 32, 32), 0.6, np.float32)
    measured = (Measured(RIGHT_AREA, 0.55, 0.52, 0.58),)
    found = Localization(Target("lungs"), (32, 32), maps, Preprocess(32), lungs=measured)
    facts = dict(outlined(found, "lungs").lungs)
    assert len(facts) == len(LUNG_MEASURES)
    assert facts["Right lung's share of the area"] == "0.55 (0.52 to 0.58)"
    assert facts["Right costophrenic angle"] == "not measured"
    assert outlined(replace(found, query=Target("opacity")), "opacity").lungs == ()


def test_a_finding_taken_for_an_opacity_is_not_assessed(handlers, state):
    asked = located(handlers, state, "pneumonia")
    assert asked.outline.caveat == (
        "Pneumonia itself is not assessed. Outlined is opacity, whatever its cause."
    )
    asked = located(handlers, state, "scoliosis in the right upper lobe")
    assert asked.outline.caveat.startswith("Scoliosis itself is not assessed. Outlined is the or")
    assert measure(asked).verdict.startswith("Outlined: ") and asked.outline.ratio == ""


@pytest.mark.parametrize(
    "text", ["heart", "Left lung", "consolidation", "lung opacity", "airways", "the heart border"]
)
def test_what_the_localizer_knows_needs_no_caveat(handlers, state, text):
    assert located(handlers, state, text).outline.caveat == ""


@pytest.mark.parametrize("text", ["", "   ", "x" * 2001])
def test_texts_that_cannot_be_are_refused(handlers, state, text):
    with pytest.raises(ValueError, match="(?i)expected a text"):
        handlers.locate(state, text)


def test_without_a_film_there_is_nothing_to_outline(handlers):
    with pytest.raises(ValueError, match="Bring a film first"):
        handlers.locate(LocalizeState(), "lungs")
    assert handlers.ask(LocalizeState()) is None


def test_a_film_that_has_come_is_outlined_when_the_box_says_what(handlers, upload):
    state = handlers.upload(LocalizeState(), upload, " lungs ")
    assert state.waiting and "Outlining" in page(handlers, state)
    found = answered(handlers, state)
    assert found.text == "lungs" and found.outline and not found.waiting
    assert handlers.ask(found) is None


def test_an_answer_to_an_earlier_film_or_text_changes_nothing(handlers, state, film):
    first = handlers.locate(state, "right lung")
    late = handlers.ask(first)
    for now in (
        handlers.locate(state, "left lung"),
        handlers.locate(state, "right lung"),
        with_image(film(3, (200, 240)), "Your film").with_text("right lung"),
        handlers.close(first),
    ):
        assert handlers.receive(now, late) is None
    assert handlers.show(None) == (gr.skip(),) * 3
    assert handlers.receive(first, late).outline


def test_a_model_that_fails_is_said_and_the_film_stays(handlers, state):
    asked = handlers.locate(state, "lungs")
    told = handlers.receive(asked, Answer(asked.key, problem="No memory is left."))
    assert not told.waiting and told.image is state.image
    assert "No memory is left." in handlers.show(told)[0]


def test_an_upload_is_read_and_deleted(handlers, tmp_path, film):
    path = tmp_path / "mine.jpg"
    film(1, (3000, 1200)).save(path)
    state = handlers.upload(LocalizeState(), str(path), "")
    assert not path.exists() and state.size == (3000, 1200) and state.image.size == (1024, 410)


@pytest.mark.parametrize(
    "junk",
    [b"", b"GIF89a", b"%PDF-1.4 not a film", b"\xff\xd8\xff\xe0", dicom(ramp())[:300]],
)
def test_junk_is_refused_and_deleted_and_the_film_stays(handlers, state, tmp_path, junk):
    path = tmp_path / "junk.dcm"
    path.write_bytes(junk)
    shown = list(guarded(handlers.upload, handlers.show)(VisitorState(state), str(path), "lungs"))[
        -1
    ]
    assert 'role="alert"' in shown[0] and "Expected" in shown[0] and shown[2].value is state
    assert not path.exists()
    with pytest.raises(ValueError, match="No film arrived"):
        handlers.upload(state, None, "")


def test_a_picture_that_is_no_chest_film_is_doubted(strict, film, upload):
    doubting = Services(
        strict.gallery, strict.weights, localizer=drawn(DrawnLocalizer), suggester=strict.suggester
    )
    handlers = LocalizeHandlers(doubting)
    state = handlers.upload(LocalizeState(), upload, "")
    assert "does not look like a frontal chest X-ray" in page(handlers, state)
    assert "does not look like" in page(handlers, located(handlers, state, "lungs"))


def test_a_film_with_the_heart_on_the_right_is_warned_of(handlers, upload, monkeypatch):
    again = shutil.copy(upload, f"{upload}.again")
    assert "mirrored" not in page(handlers, handlers.upload(LocalizeState(), upload, ""))
    monkeypatch.setitem(PLACES, "heart and mediastinum", (0.42, 0.7, 0.1, 0.1))
    state = handlers.upload(LocalizeState(), again, "")
    assert "seems to be mirrored" in page(handlers, state)


@pytest.mark.parametrize("mode", ["I;16", "P", "RGBA", "1"])
def test_films_of_any_mode_are_taken(handlers, tmp_path, film, mode):
    path = tmp_path / "film.png"
    levels = film(1, (200, 240))
    deep = Image.fromarray(np.asarray(levels).astype(np.uint16) * 200)
    (deep if mode == "I;16" else levels.convert("RGB").convert(mode)).save(path)
    assert handlers.upload(LocalizeState(), str(path), "").image.mode == "L"


def test_a_dicom_film_is_taken(handlers, tmp_path):
    path = tmp_path / "film"
    path.write_bytes(dicom(ramp()))
    state = handlers.upload(LocalizeState(), str(path), "")
    assert measure(located(handlers, state, "left lung")).verdict == "Found"


def test_the_open_film_of_a_search_is_carried_over(handlers, desk):
    search_state = opened(desk, "generated", query="big heart")
    state = handlers.carry_from_search(LocalizeState(), search_state)
    assert state.study.id == "generated" and handlers.text_from_search(search_state) == "big heart"
    assert state.text == "big heart" and state.waiting
    html = page(handlers, state)
    assert '<span class="badge">synthetic</span>' in html and data(html, "mark") == "SYNTHETIC"
    with pytest.raises(ValueError, match="No film is open"):
        handlers.carry_from_search(LocalizeState(), desk.close_film(search_state))
    with pytest.raises(ValueError, match="No film is open"):
        handlers.carry_from_search(LocalizeState(), SearchState())
    assert handlers.text_from_search(SearchState()) == ""


def test_the_empty_tab_offers_films_of_the_gallery(handlers):
    html = handlers.examples()
    offered = examples(handlers.services)
    assert "Bring a film" in page(handlers, LocalizeState())
    assert html.count('data-act="pick"') == len(offered) == 4
    assert [study.id for study in offered[:2]] == ["big heart", "unsure"]
    picked = handlers.choose_example(LocalizeState(), "heart", event(index=1))
    assert picked.study.id == offered[1].id and handlers.close(picked) == LocalizeState()
    for wrong in (event(index=9), event(index="0"), event(), gr.EventData(None, None)):
        with pytest.raises(ValueError, match="no longer on the page"):
            handlers.choose_example(LocalizeState(), "", wrong)


def test_nothing_a_visitor_types_becomes_html(handlers, state):
    html = page(handlers, located(handlers, state, HOSTILE))
    assert HOSTILE not in html and "<script" not in html and escape(HOSTILE) in html


def test_without_weights_the_tab_says_what_to_do(services, state, tmp_path):
    bare = Services(
        services.gallery,
        services.weights,
        localizer=Model(str(tmp_path / "none"), None, "train one"),
    )
    handlers = LocalizeHandlers(bare)
    assert "No model at" in page(handlers, LocalizeState()) and "train one" in page(
        handlers, LocalizeState()
    )
    told = handlers.show(located(handlers, state, "lungs"))
    assert "train one" in told[0] and told[2].image is state.image


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


def test_what_the_tab_suggests_is_not_refused_by_the_shipped_model():
    config = read_config(find_shipped(LOCALIZER))
    refused = {name for name, level in config["levels"]["targets"].items() if level["refused"]}
    assert refused and all(parse(text).target not in refused for text in SUGGESTIONS)

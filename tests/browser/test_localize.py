"""A trainee's way through the Localize tab."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pytest
from app_gallery import make_shelf
from app_server import REPOSITORY, serving
from drawn_models import DrawnLocalizer
from PIL import Image
from steps import canvas, download, loaded, open_film, overflow, search, slide, uploads

SIZE = (300, 240)


@pytest.fixture
def mine(tmp_path, film):
    film(2, SIZE).save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


@pytest.fixture
def visit_tab(visit, drawn_server):
    """visit_tab(width, height, **options) -> the page, opened at the tab by its address."""

    def open_tab(*size, path="#localize", **options):
        return visit(drawn_server, *size, path=path, ready="#located .state", **options)

    return open_tab


def bring(page, path) -> None:
    """Upload a film, and wait until it is drawn."""
    chooser = page.locator("#locate-upload").locator("xpath=..").locator("input[type=file]")
    chooser.set_input_files(path)
    page.wait_for_selector(".locate[data-drawn]")


def ask(page, text: str) -> None:
    """Ask where something is, and wait until the answer is drawn."""
    page.fill("#locate-query textarea", text)
    page.press("#locate-query textarea", "Enter")
    page.wait_for_selector(f'.locate[data-name="{text}"][data-drawn]:has(.verdict:not(:empty))')


def said(page, name: str) -> str:
    return page.locator(f"[data-read={name}]").inner_text()


def test_a_film_is_outlined_and_the_sliders_answer_in_the_page(visit_tab, mine):
    page = visit_tab()
    bring(page, mine)
    ask(page, "opacity in the right lung")
    assert said(page, "verdict") == "Right lung, mostly the lower zone"
    assert "% of the lungs" in said(page, "area")
    loaded(page)
    asked = []
    page.on("request", lambda r: r.url.startswith("blob:") or asked.append(r.url))
    plain, both = canvas(page, ".plain-film"), canvas(page, ".marked-film")
    assert plain.shape[1] / plain.shape[0] == pytest.approx(SIZE[0] / SIZE[1], rel=0.01)
    page.click('[data-set="drawing"][data-to="heat"]')
    heat = canvas(page, ".marked-film")
    coloured = (heat.max(2).astype(int) - heat.min(2)) > 8
    rows, columns = np.nonzero(coloured)
    assert coloured.any() and columns.max() < heat.shape[1] / 2  # the patient's right
    assert not np.array_equal(heat, both)
    slide(page, "opacity", 0)
    assert np.array_equal(canvas(page, ".marked-film"), plain)
    area = said(page, "area")
    slide(page, "threshold", 90)
    assert float(said(page, "area").split("%")[0]) < float(area.split("%")[0])
    slide(page, "opacity", 100)
    fewer = canvas(page, ".marked-film")
    assert 0 < ((fewer.max(2).astype(int) - fewer.min(2)) > 8).sum() < coloured.sum()
    page.click('[data-set="drawing"][data-to="contour"]')
    lines = canvas(page, ".marked-film")
    assert (lines != plain).any(2).mean() < 0.05
    assert asked == []


def test_the_curtain_and_side_by_side(visit_tab, mine):
    page = visit_tab()
    bring(page, mine)
    ask(page, "right lung")
    clip = "getComputedStyle(document.querySelector('.marked-side')).clipPath"
    first = page.get_attribute(".curtain", "aria-valuenow")
    assert 0 < int(first) < 30  # what was found is uncovered
    page.focus(".curtain")
    page.keyboard.press("End")
    assert page.evaluate(clip) == "inset(0px 0px 0px 100%)"
    page.keyboard.press("ArrowLeft")
    assert page.get_attribute(".curtain", "aria-valuenow") == "95"
    box = page.locator(".pair").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 40)
    page.mouse.up()
    assert page.get_attribute(".curtain", "aria-valuenow") == "25"
    page.click("text=Side by side")
    one, two = (
        page.locator(f"{name} canvas").bounding_box() for name in (".plain-side", ".marked-side")
    )
    assert two["x"] >= one["x"] + one["width"] and one["width"] == pytest.approx(two["width"], 0.01)
    assert one["width"] / one["height"] == pytest.approx(SIZE[0] / SIZE[1], rel=0.02)


def test_the_last_of_several_questions_is_answered(visit_tab, mine):
    page = visit_tab()
    bring(page, mine)
    for text in ("right lung", "heart", "left lung"):
        page.fill("#locate-query textarea", text)
        page.press("#locate-query textarea", "Enter")
        page.wait_for_timeout(40)  # sooner than any model answers
    page.wait_for_selector('.locate[data-name="left lung"][data-drawn] .verdict:not(:empty)')
    assert said(page, "each") == "right 0%, left 100%"


def test_what_is_not_there_is_not_found(visit_tab, mine):
    page = visit_tab()
    bring(page, mine)
    ask(page, "airways")
    assert "Not found" in said(page, "verdict") and "20%" in said(page, "verdict")
    slide(page, "threshold", 15)
    assert said(page, "verdict") == "Found"


def test_a_finding_that_is_not_assessed_and_a_text_that_names_nothing_say_so(visit_tab, mine):
    page = visit_tab()
    bring(page, mine)
    ask(page, "pneumonia")
    assert "Pneumonia itself is not assessed" in page.inner_text(".caveat")
    assert page.get_attribute(".locate .lessons a", "href") == "#learn/pneumonia"
    ask(page, "cardiomegaly")
    assert "ratio 0.2" in page.inner_text("[data-fact=ratio]")
    page.fill("#locate-query textarea", "bonjour")
    page.press("#locate-query textarea", "Enter")
    page.wait_for_selector('#locate-notice [role="alert"]:has-text("bonjour")')
    page.wait_for_selector(".locate:not(:has(.verdict))")


def test_mask_and_picture_are_downloaded(visit_tab, mine):
    page = visit_tab()
    bring(page, mine)
    ask(page, "left lung")
    name, data = download(page, '[data-act="mask"]')
    mask = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    expected = DrawnLocalizer().find(Image.open(mine), "left lung").heat >= 0.5
    assert name == "left-lung-mask.png" and mask.shape == SIZE[::-1]
    assert set(np.unique(mask)) == {0, 255}
    marked = mask > 0
    assert (marked & expected).sum() / (marked | expected).sum() > 0.97
    name, data = download(page, '[data-act="picture"]')
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    film = canvas(page, ".marked-film")
    assert name == "left-lung.png" and picture.shape[0] > film.shape[0]
    assert np.array_equal(picture[: film.shape[0]], film)
    strip = picture[film.shape[0] :]
    assert strip.max() == 255 and np.median(strip) == 0  # white words on black


def test_an_open_film_of_a_search_is_located(visit, drawn_server):
    page = visit(drawn_server)
    search(page, "heart")
    open_film(page)
    page.click('[data-act="locate"]')
    page.wait_for_selector(".locate .verdict:not(:empty)")
    assert page.input_value("#locate-query textarea") == "heart"
    assert page.url.endswith("#localize") and page.locator(".viewer").is_hidden()
    page.click("text=Another film")
    page.wait_for_selector("#located .bring")
    page.click('#locate-examples [data-act="pick"] >> nth=0')
    page.wait_for_selector(".locate[data-drawn]")


def test_on_a_phone_a_film_that_comes_is_gone_to(visit_tab, mine):
    page = visit_tab(390, 844)
    bring(page, mine)
    page.wait_for_function("document.activeElement?.matches('.locate-bar h2')")
    assert -1 < page.locator(".locate-bar h2").bounding_box()["y"] < 844


def test_junk_gets_a_message_and_the_film_stays(visit_tab, drawn_server, mine):
    page = visit_tab()
    bring(page, mine)
    chooser = page.locator("#locate-upload").locator("xpath=..").locator("input[type=file]")
    chooser.set_input_files({"name": "<b>.dcm", "mimeType": "", "buffer": b"no film"})
    page.wait_for_selector('#locate-notice [role="alert"]:has-text("Expected")')
    assert page.locator(".locate").is_visible() and not uploads(drawn_server)
    page.click("#locate-go")
    page.wait_for_selector('#locate-notice [role="alert"]:has-text("empty")')
    ask(page, "heart")
    assert page.locator('[role="alert"]').count() == 0


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_overflows_on_a_phone(visit_tab, mine, scheme):
    page = visit_tab(390, 844, path=f"?__theme={scheme}&tab=localize")
    assert overflow(page) == 0
    bring(page, mine)
    ask(page, "ground-glass opacity in both lungs of this film")
    assert overflow(page) == 0
    page.click("text=Side by side")
    assert overflow(page) == 0
    box = page.locator(".pair").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_the_tab_bar_has_addresses_and_answers_the_keyboard(visit, drawn_server):
    page = visit(drawn_server)
    page.focus("#tab-search-button")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash == '#read'")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#located .state")
    assert page.evaluate("document.activeElement.id") == "tab-localize-button"
    assert page.url.endswith("#localize")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id").endswith("-button")
    page.evaluate("location.hash = 'search'")
    page.wait_for_selector("#welcome .tiles")
    page.evaluate("location.hash = 'no/such\"tab'")
    assert page.locator("#welcome .tiles").is_visible()


def test_without_weights_the_tabs_say_what_to_do(visit, tmp_path):
    nothing = {"CXR_LOCALIZER": str(tmp_path / "a"), "CXR_GENERATOR": str(tmp_path / "b")}
    with serving(tmp_path, tmp_path / "no gallery", tmp_path / "none", **nothing) as server:
        page = visit(server, path="#localize", ready="#located .setup")
        assert "train.localizer" in page.inner_text("#located .setup")
        page.click("#tab-generate-button")
        assert "train.gan" in page.inner_text("#generated .setup")


@pytest.mark.skipif(
    not (REPOSITORY / "weights" / "localizer" / "config.json").is_file(),
    reason="no trained localizer in weights/localizer: train one",
)
def test_the_shipped_model_tells_left_from_right_on_a_real_film(
    visit, browser, real_data, tmp_path, film
):
    shelf = make_shelf(tmp_path, film)
    with open(real_data / "anatomy" / "images.csv", newline="") as file:
        row = next(csv.DictReader(file))
    with serving(tmp_path, shelf.gallery, shelf.weights) as server:
        page = visit(server, path="#localize", ready="#located .state")
        bring(page, real_data / "anatomy" / "images" / row["image"])
        for side in ("left", "right"):
            ask(page, f"{side} lung")
            assert said(page, "verdict") == "Found"
            assert float(said(page, "area").split("%")[0]) > 20
            right, left = (float(part) for part in re.findall(r"(\d+)%", said(page, "each")))
            assert (right > left) == (side == "right")

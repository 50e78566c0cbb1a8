"""A trainee's way through the Generate tab."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from steps import canvas, changed, download, loaded, overflow, slide

FILM = ".made-film canvas"


@pytest.fixture
def visit_tab(visit, drawn_server):
    """visit_tab(width, height, **options) -> the page, opened at the tab by its address."""

    def open_tab(*size, path="?tab=generate", **options):
        return visit(drawn_server, *size, path=path, ready="#generated .state", **options)

    return open_tab


def make(page, text: str) -> None:
    """Ask for films, and wait until all that is said of the first is there."""
    page.fill("#generate-text textarea", text)
    page.press("#generate-text textarea", "Enter")
    page.wait_for_selector(f'.made[data-text="{text}"][data-drawn]:has(.check.good)')


def test_sliders_go_through_films_and_from_normal_to_the_finding(visit_tab):
    page = visit_tab()
    make(page, "severe cardiomegaly, a pacemaker on the left")
    assert page.inner_text(".not-drawn") == "Not drawn: pacemaker, left side."
    assert page.locator(".drawn .chip").all_inner_texts() == ["severe cardiomegaly"]
    assert page.locator(".ends span").all_inner_texts() == [
        "no cardiomegaly",
        "severe cardiomegaly",
    ]
    assert "Not a copy" in page.inner_text(".check") and page.is_visible(".near img")
    loaded(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    whole = canvas(page, FILM)
    slide(page, "step", 0)
    normal = canvas(page, FILM)
    slide(page, "step", 8)
    between = canvas(page, FILM)
    slide(page, "step", 15)
    assert np.array_equal(canvas(page, FILM), whole) and asked == []
    change = [np.abs(normal.astype(int) - film).mean() for film in (between, whole)]
    assert 0 < change[0] < change[1]
    slide(page, "film", 2)
    assert page.inner_text("[data-show=place]").startswith("film 3")
    assert not np.array_equal(canvas(page, FILM), whole)
    page.wait_for_selector('.made[data-index="2"][data-drawn]:has(.check.good)')
    slide(page, "step", 0)
    assert not np.array_equal(canvas(page, FILM), normal)  # another film's own way


def test_every_film_carries_the_mark(visit_tab):
    page = visit_tab()
    make(page, "edema")
    shown = canvas(page, FILM)
    corner = shown[-70:, :420]
    assert corner.max() > 200 and (corner < 20).mean() > 0.3  # white words on black
    name, data = download(page, '[data-act="save"]')
    film = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert name == "synthetic.png" and film.shape[1] == 512 and film.shape[0] > 530
    assert film[480:512, :200].max() > 200 and (film[512:] > 200).any()  # the mark, the words
    name, data = download(page, '[data-act="sheet"]')
    assert name == "synthetic-all.png" and Image.open(io.BytesIO(data)).width == 4 * 256
    page.click(".made .lessons a")
    page.wait_for_selector('.lesson[data-name="edema"]')


def test_the_grid_leads_to_a_film(visit_tab):
    page = visit_tab()
    make(page, "nodule")
    page.click("text=All films")
    assert page.locator(".made-grid .card").count() == 8 and not page.is_visible(FILM)
    page.click('.made-grid [data-index="5"]')
    page.wait_for_selector('.made[data-index="5"]:has(.check.good)')
    assert page.is_visible(FILM) and "6 of 8" in page.inner_text(".made-one")


def test_between_two_texts_with_another_seed(visit_tab):
    page = visit_tab()
    make(page, "mass")
    first = canvas(page, FILM)
    page.click("text=Where the slide starts")
    page.get_by_label("Slide from").fill("effusion")
    page.get_by_text("4", exact=True).click()
    page.click("#another-seed")
    page.wait_for_selector('.ends:has-text("effusion")')
    page.wait_for_selector(".made[data-drawn]:has(.check.good)")
    assert page.locator(".made-grid .card").count() == 4
    changed(page, FILM, first)
    page.get_by_label("Seed", exact=True).fill("-1")
    page.click("#generate-go")
    page.wait_for_selector('#generate-notice [role="alert"]:has-text("seed")')
    page.fill("#generate-text textarea", "a cat")
    page.get_by_label("Seed", exact=True).fill("1")
    page.click("#generate-go")
    page.wait_for_selector('#generate-notice [role="alert"]:has-text("pleural thickening")')
    assert page.is_visible(FILM)  # the films stay


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_overflows_on_a_phone(visit_tab, scheme):
    page = visit_tab(390, 844, path=f"?__theme={scheme}#generate")
    assert overflow(page) == 0
    page.click("text=Where the slide starts")
    make(page, "64-year-old female, frontal AP view. Findings: edema.")
    assert overflow(page) == 0
    page.click("text=All films")
    assert overflow(page) == 0

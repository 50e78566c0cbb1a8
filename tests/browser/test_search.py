"""A trainee's way through the Search tab."""

from __future__ import annotations

import io

import numpy as np
import pytest
from app_gallery import COUNT
from PIL import Image
from steps import (
    FILMS,
    ask,
    cards,
    drawn,
    loaded,
    open_film,
    overflow,
    pixels,
    search,
    slide,
    until,
)

NOTE = "For education, not for diagnosis."


def test_a_query_finds_films_with_their_words(server, visit):
    page = visit(server)
    assert page.title() == "CXR Reading Room" and page.get_by_text(NOTE).count() >= 2
    said = search(page, "big heart")
    assert len(said) == 12 and "labelled: cardiomegaly" in said[0]
    assert all("labelled" in card or "looks like it" in card or "report" in card for card in said)
    page.click('[data-act="more"]')
    page.wait_for_function(f"document.querySelectorAll('{FILMS}').length === {COUNT}")
    assert "not labelled; AP view, 30 y, female" in " ".join(cards(page))
    assert page.locator(".card .badge", has_text="synthetic").count() == 1
    page.locator(".card .chip", has_text="cardiomegaly").first.click()  # its name, not the film
    page.wait_for_selector('.lesson[data-name="cardiomegaly"]')
    assert page.locator(".viewer").count() == 0


def test_films_are_png_and_never_squashed(server, visit):
    page = visit(server)
    search(page, "heart")
    page.locator("#results .film img").first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('#results .film img').naturalWidth > 0")
    fits = page.locator("#results .film img").evaluate_all(
        "all => all.map(i => getComputedStyle(i).objectFit)"
    )
    assert set(fits) == {"contain"}
    source = page.locator("#results .film img").first.evaluate("image => image.src")
    answer = page.request.get(source)
    assert Image.open(io.BytesIO(answer.body())).format == "PNG"


def test_examples_and_tiles_search_at_a_click(server, visit):
    page = visit(server)
    page.click(".tiles [data-name=cardiomegaly]")
    page.wait_for_selector('.asked-for:has-text("cardiomegaly")')
    typed(page, "cardiomegaly")
    page.click("text=collapsed lung")
    page.wait_for_selector('.asked-for:has-text("collapsed lung")')
    assert page.input_value("#query textarea") == "collapsed lung"


def test_what_is_typed_while_a_tile_is_answered_stays(server, visit):
    page, held = visit(server), []
    page.route("**/queue/join*", lambda route: held.append(route), times=1)
    page.click(".tiles [data-name=cardiomegaly]")
    until(page, lambda: held, "the tile's question")
    page.fill("#query textarea", "mass")
    page.fill("#filters .age input >> nth=0", "40")
    held[0].continue_()
    page.wait_for_selector('.asked-for:has-text("cardiomegaly")')
    page.wait_for_selector('#filters .token:has-text("cardiomegaly")')  # what was left alone
    assert page.input_value("#query textarea") == "mass"
    assert page.get_by_label("Age from").input_value() == "40"


def typed(page, text: str) -> None:
    """Wait until the box holds a text, which follows the films."""
    page.wait_for_function(f"document.querySelector('#query textarea').value === '{text}'")


def test_what_was_understood_is_said_and_can_be_taken_away(server, visit):
    page = visit(server)
    search(page, "cardiomegly without effusion in women over 60")
    chips = page.locator(".read-as")
    assert [text.split(" ×")[0] for text in chips.all_inner_texts()] == [
        "cardiomegaly",
        "without pleural effusion",
        "women over 60",
    ]
    assert "Read “cardiomegly” as cardiomegaly." in page.inner_text(".reading")
    chips.nth(1).click()
    page.wait_for_selector('.asked-for:has-text("“cardiomegaly, women over 60”")')
    typed(page, "cardiomegaly, women over 60")
    ask(page, "kein Erguss")
    page.wait_for_selector(".reading >> text=(German); searching by look alone.")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_copied_link_shows_another_visitor_the_same(server, visit, width):
    page = visit(server, width, 844)
    search(page, "mass, no edema")
    if width == 390:
        page.click("#filters > button")
    page.get_by_label("By look alone").click()
    page.wait_for_selector("text=Compared by look alone")
    open_film(page, 2)
    page.wait_for_function("location.hash.includes('film=')")
    slide(page, "window", 100)
    slide(page, "level", 90)
    page.wait_for_function("location.hash.includes('window=100&level=90')")
    seen, link = cards(page), page.evaluate("location.hash")
    other = visit(server, width, 844, link, ready=".viewer")
    assert cards(other) == seen and other.locator('.viewer[data-index="2"]').count() == 1
    assert other.evaluate("location.hash") == link and overflow(other) == 0
    typed(other, "mass, no edema")
    assert other.input_value("[data-slider=window]") == "100"
    assert other.input_value("[data-slider=level]") == "90"
    other.wait_for_selector(".by-look input:checked", state="attached")
    assert other.get_by_label("By look alone").is_checked()
    other.reload()
    other.wait_for_selector('.viewer[data-index="2"]')
    other.wait_for_function("document.querySelector('[data-slider=level]').value === '90'")
    assert other.evaluate("location.hash") == link
    other.get_by_label("Next film").click()
    other.wait_for_selector('.viewer[data-index="3"]')
    other.wait_for_function("!location.hash.includes('window=')")
    assert other.input_value("[data-slider=window]") == "255"


def test_back_and_forward_restore_the_page(server, visit):
    page = visit(server)
    search(page, "cardiomegaly")
    search(page, "mass")
    open_film(page)
    page.go_back()
    page.wait_for_selector(".viewer", state="detached")
    page.go_back()
    page.wait_for_selector('.asked-for:has-text("cardiomegaly")')
    typed(page, "cardiomegaly")
    page.click("#tab-read-button")
    page.wait_for_function("location.hash === '#read'")
    page.go_back()
    page.wait_for_selector('.asked-for:has-text("cardiomegaly")')
    page.go_back()
    page.wait_for_selector("#welcome .tiles")


def test_the_address_opened_last_is_shown_also_while_another_is_on_its_way(server, visit):
    page = visit(server)
    search(page, "cardiomegaly")
    search(page, "mass")
    page.evaluate(
        "() => new Promise(done => { new MutationObserver((_, observer) => {"
        " if (!document.querySelector('[data-search=waiting]')) return;"
        " observer.disconnect(); cxr.restore('q=cardiomegaly'); done(); })"
        ".observe(document.querySelector('#results'), { childList: true, subtree: true });"
        " cxr.restore('q=effusion'); })"
    )
    page.wait_for_selector('.asked-for:has-text("cardiomegaly")')
    typed(page, "cardiomegaly")


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("#search?film=gone", "Film gone is not in this gallery"),
        ("#search?q=mass&film=gone", "The link opens film gone"),
        ("#search?like=gone", "Film gone is not in this gallery"),
        ("#search?view=sideways", "Expected a view"),
        ("#search?q=%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E%20mass", "Not understood"),
    ],
)
def test_a_link_that_leads_nowhere_says_so(server, visit, link, said):
    page = visit(server, path=link, ready=f"text={said}")
    page.wait_for_selector(".card:visible")


def test_filters_narrow_the_search_and_clear_again(server, visit):
    page = visit(server)
    search(page, "heart")
    page.get_by_label("Showing", exact=True).click()
    page.get_by_role("option", name="cardiomegaly").click()
    page.wait_for_selector('.chip.filter:has-text("with cardiomegaly")')
    assert len(cards(page)) == 2
    page.keyboard.press("Escape")
    page.get_by_label("Age from").fill("60")
    page.get_by_label("Age from").press("Enter")
    page.wait_for_selector('.chip.filter:has-text("60 years or older")')
    assert [card.split("; ")[1] for card in cards(page)] == ["PA view, 64 y, female"]
    page.get_by_text("Male", exact=True).click()
    page.wait_for_selector("text=No film passes these filters.")
    page.click("text=Clear filters")
    page.wait_for_function(f"document.querySelectorAll('{FILMS}').length === 12")
    assert page.locator(".chip.filter").count() == 0
    assert page.get_by_label("Age from").input_value() == ""


def test_window_and_level_change_the_picture_without_the_server(server, visit):
    page = visit(server)
    search(page, "heart")
    open_film(page)
    stored = pixels(page)
    loaded(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    slide(page, "window", 100)
    slide(page, "level", 90)
    spread = (stored - (90 - 100 / 2)) * (255 / 100)  # the levels 40 to 140 over 0 to 255
    expected = np.floor(spread.clip(0, 255) + 0.5).astype(np.uint8)
    assert np.array_equal(pixels(page), expected) and not np.array_equal(stored, expected)
    page.click("[data-tool=invert]")
    assert np.array_equal(pixels(page), 255 - expected)
    page.click("[data-tool=invert]")
    page.click("[data-preset=lungs]")
    assert pixels(page).mean() > stored.mean()  # dark lungs are lifted
    page.click("[data-preset=full]")
    assert np.array_equal(pixels(page), stored) and asked == []


def test_the_open_film_is_the_file_at_full_size(server, visit):
    page = visit(server)
    search(page, "heart")
    open_film(page)
    answer = page.request.get(f"{server.url}/{page.get_attribute('.stage', 'data-film')}")
    assert np.array_equal(pixels(page), np.asarray(Image.open(io.BytesIO(answer.body()))))
    box = page.locator(".stage canvas").evaluate("c => getComputedStyle(c).objectFit")
    assert box == "contain" and page.get_by_text("CC0").count() == 1


def test_zoom_and_drag_move_the_film(server, visit):
    page = visit(server)
    search(page, "heart")
    open_film(page)
    where = "getComputedStyle(document.querySelector('.stack')).transform"
    assert page.evaluate(where) == "matrix(1, 0, 0, 1, 0, 0)"
    page.click("[data-tool=in]")
    page.click("[data-tool=in]")
    assert page.inner_text("[data-show=zoom]") == "156%"
    stage = page.locator(".stage").bounding_box()
    page.mouse.move(stage["x"] + 200, stage["y"] + 200)
    page.mouse.down()
    page.mouse.move(stage["x"] + 230, stage["y"] + 180)
    page.mouse.up()
    assert page.evaluate(where) == "matrix(1.5625, 0, 0, 1.5625, 30, -20)"
    page.click("[data-tool=fit]")
    assert page.evaluate(where) == "matrix(1, 0, 0, 1, 0, 0)"


def test_heat_map_more_like_this_and_back(server, visit):
    page = visit(server)
    before = search(page, "heart")
    open_film(page, 1)
    page.click('[data-act="heat"]')
    page.wait_for_selector(".stack .heat")
    slide(page, "heat", 0)
    assert page.locator(".heat").evaluate("layer => layer.style.opacity") == "0"
    page.click("text=Hide the heat map")
    page.wait_for_selector(".stack .heat", state="detached")
    page.click("text=More like this")
    page.wait_for_selector('.asked-for:has-text("films like film")')
    page.wait_for_selector(FILMS)
    assert before[1] not in cards(page) and page.locator(".viewer").count() == 0
    page.click("#results >> text=Back")
    page.wait_for_selector('.asked-for:has-text("heart")')
    assert [card.split(": ")[1] for card in cards(page)] == [c.split(": ")[1] for c in before]


def test_next_and_previous_film(server, visit):
    page = visit(server)
    search(page, "heart")
    open_film(page)
    first = page.get_attribute(".stage", "data-film")
    assert page.get_by_label("Previous film").is_disabled()
    page.get_by_label("Next film").click()
    page.wait_for_selector('.viewer[data-index="1"]')
    drawn(page)
    assert page.get_attribute(".stage", "data-film") != first
    page.click(".viewer >> text=Close")
    page.wait_for_selector(".viewer", state="detached")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_overflows_on_a_phone(server, visit, scheme):
    page = visit(server, 390, 844, f"?__theme={scheme}", color_scheme="light")
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    assert overflow(page) == 0
    search(page, "enlarged heart with fluid at the left base")
    assert overflow(page) == 0
    open_film(page)
    assert overflow(page) == 0
    stage = page.locator(".stage").bounding_box()
    assert stage["y"] >= 0 and stage["x"] >= 0 and stage["x"] + stage["width"] <= 390
    page.click("text=Filters")
    page.wait_for_selector("text=Not showing", state="visible")
    assert overflow(page) == 0


def test_the_palette_is_kept(server, visit):
    page = visit(server, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.click("#palette")
    page.wait_for_function(f"{ground} !== '{dark}'")
    light = page.evaluate(ground)
    page.reload()
    page.wait_for_selector("#welcome .tiles")
    assert page.evaluate(ground) == light


def test_visitors_do_not_see_each_other(server, visit):
    one, other = visit(server), visit(server)
    search(one, "heart")
    open_film(one, 3)
    ask(other, "lung")
    other.wait_for_selector('.asked-for:has-text("lung")')
    assert other.locator(".viewer").count() == 0
    one.get_by_label("Next film").click()
    one.wait_for_selector('.viewer[data-index="4"]')


@pytest.mark.parametrize("how", ["tile", "example", "typed", "upload", "more like this"])
def test_a_phone_shows_what_was_found_and_names_it(server, visit, how, film, tmp_path):
    page = visit(server, 390, 844)
    if how == "tile":
        page.click(".tiles [data-name=cardiomegaly]")
    elif how == "example":
        page.click("text=big heart")
    elif how == "typed":
        ask(page, "heart")
    elif how == "upload":
        film(2, (300, 240)).save(tmp_path / "mine.png")
        page.set_input_files("input[type=file]", tmp_path / "mine.png")
    else:
        search(page, "heart")
        open_film(page)
        page.click('[data-act="similar"]')
        page.wait_for_selector('.asked-for:has-text("films like film")')
    page.wait_for_function("document.activeElement?.matches('#results .asked-for')")
    heading = page.locator(".asked-for").bounding_box()
    assert 0 <= heading["y"] < 844 / 2
    assert page.locator(FILMS).first.bounding_box()["y"] < 844


def test_a_search_on_a_wide_page_leaves_the_box_its_focus(server, visit):
    page = visit(server)
    search(page, "heart")
    assert page.evaluate("document.activeElement.closest('#query') !== null")
    assert page.evaluate("scrollY") == 0


def test_a_filter_and_an_open_film_move_no_focus_to_the_heading(server, visit):
    page = visit(server, 390, 844)
    search(page, "heart")
    open_film(page)
    assert page.evaluate("document.activeElement.matches('.viewer h2')")
    page.click(".viewer >> text=Close")
    page.wait_for_function("document.activeElement.dataset.index === '0'")


@pytest.mark.parametrize("searched", [False, True])
def test_the_results_are_a_few_tabs_from_the_box(server, visit, searched):
    page = visit(server)
    if searched:
        search(page, "heart")
    page.focus("#query textarea")
    for _ in range(3):  # the two buttons, then the link
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Skip to the results"
    page.keyboard.press("Enter")
    target = "#results .asked-for" if searched else "#welcome h2"
    assert page.evaluate(f"document.activeElement.matches('{target}')")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.card')"):
            break
    assert page.evaluate("document.activeElement.matches('.card')")


def test_the_name_of_a_control_holds_the_words_that_are_seen(server, visit):
    page = visit(server)
    search(page, "heart")
    open_film(page)
    named_otherwise = page.evaluate(  # axe: label-content-name-mismatch
        """() => {
          const words = (text) => text.toLowerCase().replace(/[^\\p{L}\\p{N}]+/gu, " ").trim();
          return [...document.querySelectorAll("button[aria-label], a[aria-label]")]
            .filter((one) => one.offsetParent)
            .filter((one) => !words(one.ariaLabel).includes(words(one.innerText)))
            .map((one) => one.outerHTML);
        }"""
    )
    assert named_otherwise == []

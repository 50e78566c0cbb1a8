"""Clumsy queries, junk files, hostile studies, no mouse, and nothing to search in."""

from __future__ import annotations

import pytest
from app_gallery import HOSTILE
from app_server import serving
from steps import FILMS, ask, cards, drawn, open_film, search, uploads

REFUSED = (
    ("", "Expected a query"),
    ("   ", "Expected a query"),
    ("x" * 2001, "at most 2,000 characters"),
    ("🫁❤️‍🔥", "only signs"),
    ("${1+1} {{7}}", "only signs"),
)
READ = (  # each with what the page says of it, "" for nothing in particular
    ("effusion, no effusion", "“pleural effusion” is both asked for and excluded"),
    ("COPD but no bullae", "Not understood: no bullae."),
    ("ضخامة القلب", "searching by look alone."),
    ("心脏扩大", "searching by look alone."),
    ('<b>big</b> & "heart"', ""),
)


def test_a_query_that_cannot_be_is_answered_in_words(server, visit):
    page = visit(server)
    for number, (query, said) in enumerate(REFUSED):
        before = search(page, ("heart", "lung")[number % 2])  # another each time, to wait for it
        assert page.locator('[role="alert"]').count() == 0  # that of the last one is gone
        ask(page, query)
        page.wait_for_selector(f'[role="alert"]:has-text("{said}")')
        page.wait_for_selector(FILMS)
        assert cards(page) == before  # what was found stays
    for query, said in READ:
        ask(page, query)
        page.wait_for_function(
            "text => document.querySelector('.asked-for')?.innerText === text", arg=f"“{query}”"
        )
        page.wait_for_selector(FILMS)
        assert said in " ".join(page.locator(".reading").all_inner_texts())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("holiday.png", b"not a picture at all"),
        ("empty.dcm", b""),
        ("<b>evil</b>.jpg", b"\xff\xd8\xff\xe0 cut off"),
    ],
)
def test_junk_gets_a_message_and_leaves_no_file(server, visit, name, data):
    page = visit(server)
    page.set_input_files("input[type=file]", {"name": name, "mimeType": "", "buffer": data})
    page.wait_for_selector('[role="alert"]')
    assert "Expected" in page.inner_text('[role="alert"]')
    assert not uploads(server)
    search(page, "heart")


def test_a_film_finds_films_like_it_and_is_not_kept(server, visit, film, tmp_path):
    film(2, (300, 240)).save(tmp_path / "mine.png")
    page = visit(server)
    page.set_input_files("input[type=file]", tmp_path / "mine.png")
    page.wait_for_selector('.asked-for:has-text("films like your film")')
    page.wait_for_selector(FILMS)
    open_film(page)
    assert page.locator('[data-act="heat"]').count() == 0  # there is no query in words
    assert not uploads(server)


def test_a_pasted_film_is_searched_for(server, visit, film, tmp_path):
    film(5, (120, 120)).save(tmp_path / "pasted.png")
    page = visit(server)
    page.evaluate(
        """bytes => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
          document.body.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData: files, bubbles: true }));
        }""",
        list((tmp_path / "pasted.png").read_bytes()),
    )
    page.wait_for_selector('.asked-for:has-text("films like your film")')


def test_a_hostile_study_is_only_text(server, visit):
    page = visit(server)
    search(page, "heart")
    page.click('[data-act="more"]')
    index = next(i for i, card in enumerate(more_cards(page)) if ": mass;" in card)
    open_film(page, index)
    assert page.inner_text(".prose-text") == f"{HOSTILE} and so on"
    assert page.evaluate("window.hacked") is None


def more_cards(page) -> list[str]:
    page.wait_for_selector(f'{FILMS}[data-index="15"]')
    return cards(page)


def test_the_keyboard_alone_is_enough(server, visit):
    page = visit(server)
    page.keyboard.press("/")
    page.keyboard.type("heart")
    page.keyboard.press("Enter")
    page.wait_for_selector(FILMS)
    focused = "document.activeElement.matches('#results .card')"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(focused):
            break
    assert page.evaluate(focused)
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_selector('.viewer[data-index="1"]')
    drawn(page)
    page.wait_for_function("document.activeElement.matches('.viewer h2')")
    for _ in range(4):  # previous, next, close, film
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.stage')")
    page.keyboard.press("+")
    assert page.inner_text("[data-show=zoom]") == "125%"
    page.keyboard.press("Escape")
    page.wait_for_selector(".viewer", state="detached")
    page.wait_for_function("document.activeElement.dataset.index === '1'")


def test_every_control_has_a_name(server, visit):
    page = visit(server)
    search(page, "heart")
    open_film(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input:not([type=file]), textarea")]
          .filter(e => e.offsetParent)
          .filter(e => !(e.ariaLabel || e.innerText || e.labels?.length || e.title))
          .map(e => e.outerHTML)"""
    )
    assert nameless == []


def test_without_a_gallery_the_page_says_how_to_build_one(browser, visit, tmp_path):
    with serving(tmp_path, tmp_path / "no gallery", tmp_path / "no weights") as server:
        page = visit(server, 390, 844)
        said = page.inner_text("#welcome .state")
        assert "python -m cxr gallery build ROOT --out DIR" in said and "CXR_GALLERY" in said
        ask(page, "heart")
        page.wait_for_selector('[role="alert"]:has-text("python -m cxr gallery build")')
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

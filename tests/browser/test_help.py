"""The sheet of keys, the tour of a first visit, and the row of tabs on a narrow screen."""

from __future__ import annotations

import pytest
from steps import overflow

TOUR = "#tour:not([hidden])"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_tour_leads_through_five_tabs_and_never_comes_again(server, visit, width):
    page = visit(server, width, 844, toured=False)
    page.wait_for_selector(TOUR)
    assert page.evaluate("document.activeElement === document.body")  # it holds no focus
    seen = []
    for step in range(1, 6):
        assert page.inner_text(".tour-place") == f"{step} of 5" and overflow(page) == 0
        seen.append(page.inner_text("[role=tab][aria-selected=true]"))
        assert page.inner_text(".tour-step:not([hidden]) h2") in page.text_content(
            "[data-tour-said]"
        )
        page.click("[data-tour=next]")
    assert seen == ["Search", "Read", "Generate", "Practice", "Learn"]
    page.wait_for_selector("#tour", state="hidden")
    page.goto(server.url)
    page.wait_for_selector("#welcome .tiles")
    assert not page.is_visible("#tour")


def test_the_tour_is_left_by_a_key_and_found_again_in_help(server, visit):
    page = visit(server, toured=False)
    page.wait_for_selector(TOUR)
    page.focus("[data-tour=next]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#tour", state="hidden")
    assert page.evaluate("document.activeElement.id") == "tab-search-button"
    assert page.evaluate("JSON.parse(localStorage.getItem('cxr-tour')).version") == 1
    page.click("[data-help=open]")
    page.click("[data-tour=begin]")
    page.wait_for_selector(TOUR)
    page.keyboard.press("Enter")  # Next has the focus
    assert page.inner_text(".tour-place") == "2 of 5"
    page.click("[data-tour=back]")
    page.click("[data-tour=leave]")
    assert not page.is_visible("#tour")


def test_no_tour_stands_before_what_a_link_shows(server, visit):
    page = visit(server, path="/#collections", ready=".collection", toured=False)
    assert not page.is_visible("#tour")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_key_opens_the_sheet_and_the_page_goes_on_where_it_was(server, visit, width):
    page = visit(server, width, 844)
    page.focus("#tab-search-button")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    assert page.locator("#help kbd").count() >= 15 and overflow(page) == 0
    assert page.evaluate("document.querySelector('#help').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.wait_for_selector("#help", state="hidden")
    assert page.evaluate("document.activeElement.id") == "tab-search-button"
    page.click("[data-help=open]")
    page.mouse.click(4, 4)  # beside the sheet
    page.wait_for_selector("#help", state="hidden")
    page.focus("#query textarea")
    page.keyboard.type("big heart?")
    assert page.input_value("#query textarea") == "big heart?" and not page.is_visible("#help")


def test_every_tab_is_reached_on_a_narrow_screen(server, visit):
    page = visit(server, 390, 844)
    names = page.locator("[role=tab]").all_inner_texts()
    assert names[0] == "Search" and "Collections" in names
    for index, name in enumerate(names):
        page.locator("[role=tab]").nth(index).click()
        assert page.inner_text("[role=tab][aria-selected=true]") == name and overflow(page) == 0
    last = page.locator("[role=tab]").last.bounding_box()
    assert 0 <= last["x"] and last["x"] + last["width"] <= 390
    other = visit(server, 390, 844, "/#collections", ready=".collection")
    assert other.inner_text("[role=tab][aria-selected=true]") == "Collections"

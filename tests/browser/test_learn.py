"""A trainee's way through the Learn tab."""

from __future__ import annotations

import pytest
from steps import overflow

START = "#learn-lesson .state"


@pytest.fixture
def visit_tab(visit, drawn_server):
    """visit_tab(width, height, path=, ready=) -> the page, opened at the tab by its address."""

    def open_tab(*size, path="#learn", ready=START, **options):
        return visit(drawn_server, *size, path=path, ready=ready, **options)

    return open_tab


def lesson(page, name: str) -> None:
    """Wait until a lesson is open with all that stands beside it."""
    page.wait_for_selector(f'.lesson[data-name="{name}"]')
    page.wait_for_selector("#learn-studies section")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_lesson_with_its_films_questions_and_slide(visit_tab, width):
    page = visit_tab(width, 844)
    assert page.locator("#learn-list a").count() == 23
    page.click('#learn-list [data-lesson="cardiomegaly"]')
    lesson(page, "cardiomegaly")
    assert page.evaluate("location.hash") == "#learn/cardiomegaly"
    assert page.get_attribute("#learn-list [aria-current]", "data-lesson") == "cardiomegaly"
    page.wait_for_selector(".lesson-outline img")
    assert "Cardiothoracic ratio" in page.inner_text(".measured")
    page.wait_for_selector(".lesson-slide img")
    image = page.get_attribute(".lesson-slide img", "src")
    page.locator("[data-slider=lesson]").press("Home")
    assert page.get_attribute(".lesson-slide img", "src") != image
    question = page.locator("[data-question]").first
    right = int(question.get_attribute("data-right"))
    question.locator(".choice").nth((right + 1) % 3).click()
    assert question.locator(".explained").inner_text().startswith("Not this one. ")
    assert question.locator(".choice.right").count() == question.locator(".choice.wrong").count()
    question.locator(".choice").nth(right).press("Enter")
    assert question.locator(".explained").inner_text().startswith("Correct. ")
    assert question.locator(".choice.wrong").count() == 0 and overflow(page) == 0


def test_a_link_opens_a_lesson_and_its_films_open_in_search(visit_tab):
    page = visit_tab(path="#learn/pleural-effusion", ready='.lesson[data-name="pleural-effusion"]')
    page.click('.look-alikes [href="#learn/atelectasis"]')
    lesson(page, "atelectasis")
    page.go_back()
    lesson(page, "pleural-effusion")
    page.click("#learn-studies a.card >> nth=0")
    page.wait_for_selector(".viewer")
    assert "unsure" in page.inner_text(".viewer .facts")
    page.click("#tab-learn-button")
    assert page.evaluate("location.hash") == "#learn/pleural-effusion"
    assert page.is_visible('.lesson[data-name="pleural-effusion"]')


def test_an_address_of_no_lesson_is_answered(visit_tab):
    page = visit_tab(path="#learn/feet", ready="#learn-notice [role=alert]")
    assert "no lesson on feet" in page.inner_text("#learn-notice")

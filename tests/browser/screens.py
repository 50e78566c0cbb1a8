"""Each tab of the page with something on it: for the check of access and for the pictures in docs.

A screen takes a page of a visitor who just came, on any gallery that has a pleural effusion.
"""

from __future__ import annotations

from collections.abc import Callable

from steps import FILMS, search

QUERY = "pleural effusion"


def tab(page, name: str, ready: str) -> None:
    """Open a tab, and wait for something on it."""
    page.click(f"#tab-{name}-button")
    page.wait_for_selector(ready)


def welcome(page) -> None:
    """The first page."""


def found(page) -> None:
    """Films found, one of them open."""
    search(page, QUERY)
    page.click(f'{FILMS}[data-index="0"] .film')
    page.wait_for_selector('.viewer[data-index="0"] .stage-note:empty', state="attached")


def read(page) -> None:
    """An open film's findings and suggested report."""
    found(page)
    page.click('#detail [data-act="read"]')
    page.wait_for_selector("#report-text")
    page.locator(".finding").first.click()
    page.wait_for_selector("#read-film .heat")


def localize(page) -> None:
    """What a text names, outlined in an open film."""
    found(page)
    page.click('#detail [data-act="locate"]')
    page.wait_for_selector(".locate[data-drawn]")
    page.wait_for_selector(".locate .verdict:not(:empty)")
    page.fill("#locate-query textarea", "left lung")
    page.press("#locate-query textarea", "Enter")
    page.wait_for_selector('.locate[data-name="left lung"][data-drawn] .verdict:not(:empty)')


def generate(page) -> None:
    """Synthetic films, beside the nearest real one."""
    tab(page, "generate", "#generate-text")
    page.fill("#generate-text textarea", "cardiomegaly and a pacemaker")
    page.press("#generate-text textarea", "Enter")
    page.wait_for_selector(".made[data-drawn]:has(.check.good)")


def practice(page) -> None:
    """The start of practice."""
    tab(page, "practice", ".practice-start")


def question(page) -> None:
    """A film to commit to."""
    practice(page)
    page.click('[data-do="begin"][data-mode="practice"]')
    page.wait_for_selector(".practice-ask")
    page.click('[data-say="abnormal"]')
    page.click(f'[data-do="pick"][data-finding="{QUERY}"]')


def feedback(page) -> None:
    """A corrected answer with films to compare, its label noted as wrong."""
    question(page)
    page.click('[data-do="commit"]')
    page.wait_for_selector("[data-part=answer]")
    page.click('[data-do="flag"]')
    page.wait_for_selector("[data-flag=reason]")


def lessons(page) -> None:
    """The list of lessons."""
    tab(page, "learn", "#learn-list a")


def lesson(page) -> None:
    """A lesson with its films."""
    lessons(page)
    page.click('#learn-list [data-lesson="cardiomegaly"]')
    page.wait_for_selector("#learn-studies section")
    page.wait_for_selector(".lesson-slide img")


def collection(page) -> None:
    """Three films that are kept."""
    search(page, QUERY)
    for index in range(3):
        page.locator("#results [data-keep]").nth(index).click()
    page.click("[data-tray=open]")
    page.wait_for_function("document.querySelectorAll('#collection li[data-study]').length === 3")


def comparison(page) -> None:
    """Two films under one window."""
    collection(page)
    for index in range(2):
        page.locator("[data-choose]").nth(index).check()
    page.click('[data-do="compare"]')
    page.wait_for_selector("#comparison .stage")


def atlas(page) -> None:
    """The gallery as a map."""
    page.click("#tab-atlas-button")
    page.wait_for_selector("#atlas [data-drawn], #atlas[data-drawn]", state="attached")


def keys(page) -> None:
    """The sheet of keys."""
    page.click("[data-help=open]")
    page.wait_for_selector("#help[open]")


def first_visit(page) -> None:
    """The tour's first step."""
    page.click("[data-help=open]")
    page.click("[data-tour=begin]")
    page.wait_for_selector("#tour:not([hidden])")


SCREENS: dict[str, Callable] = {
    screen.__name__: screen
    for screen in (
        welcome,
        found,
        read,
        localize,
        generate,
        practice,
        question,
        feedback,
        lessons,
        lesson,
        collection,
        comparison,
        atlas,
        first_visit,
        keys,
    )
}


def palette(page, dark: bool) -> None:
    """Show the page dark or light."""
    page.evaluate(
        "dark => { if (document.body.classList.contains('dark') !== dark)"
        " document.querySelector('#palette').click(); }",
        dark,
    )

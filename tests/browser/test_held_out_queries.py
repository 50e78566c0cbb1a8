"""The held-out queries as a reader types them: right films on the first row, links that reopen.

The queries are the first forty of tests/queries/held_out.tsv that the shipped gallery can answer;
what is right for each stands there by hand. Rules of reading are not changed to please this test.
"""

from __future__ import annotations

import pytest
from app_server import REPOSITORY, START_S, serving
from steps import FILMS, overflow

from cxr.gallery import Gallery
from cxr.retrieval import LabelTable
from train.evaluate.search_queries import read_queries, relevance

COUNT = 40
ENOUGH = 38  # of them, asked of the page; see the search table of the model card for all of them
GALLERY = REPOSITORY / "examples" / "gallery"


@pytest.fixture(scope="module")
def shipped(browser, tmp_path_factory):
    """The app over the gallery and the weights that ship."""
    folder = tmp_path_factory.mktemp("held-out")
    with serving(folder, GALLERY, REPOSITORY / "weights" / "retrieval") as running:
        yield running


@pytest.fixture(scope="module")
def asked() -> list[tuple[str, set[str]]]:
    """Each query with the ids of the studies that are right for it."""
    studies = Gallery.open(GALLERY).studies
    table = LabelTable(studies)
    found = []
    for query in read_queries(REPOSITORY / "tests" / "queries" / "held_out.tsv"):
        right = {studies[row].id for row in relevance(table, query.meaning).nonzero()[0]}
        if right:
            found.append((query.text, right))
    return found[:COUNT]


def rows_of(page) -> list[tuple[str, float]]:
    """Id and top of each film found."""
    return page.locator("#results .films li").evaluate_all(
        "all => all.map(one => [one.querySelector('[data-keep]').dataset.keep,"
        " one.getBoundingClientRect().top])"
    )


def first_row(page) -> list[str]:
    """The ids of the films beside the first one."""
    films = rows_of(page)
    return [name for name, top in films if abs(top - films[0][1]) < 2] if films else []


def typed(page, text: str) -> bool:
    """Ask; whether films came, rather than a sentence on why none did."""
    page.fill("#query textarea", text)
    page.press("#query textarea", "Enter")
    page.wait_for_function(
        "text => document.querySelector('#results h2.asked-for')?.innerText === `“${text}”`"
        " || document.querySelector('#notice')?.innerText.includes('expected')"
        " || document.querySelector('#notice')?.innerText.includes('Expected')",
        arg=text,
        timeout=START_S * 1000,  # the first query loads the model
    )
    shown = page.evaluate("document.querySelector('#results h2.asked-for')?.innerText")
    return shown == f"“{text}”"


@pytest.mark.parametrize("width", [1280, 390])
def test_held_out_queries_find_the_right_films_and_their_links_reopen(shipped, visit, asked, width):
    page = visit(shipped, width, 844)
    seen, missed = [], []
    for text, right in asked:
        row = first_row(page) if typed(page, text) else []
        wanted = min(len(row), len(right))
        if not row or not set(row[:wanted]) <= right:
            missed.append((text, row))
        if row:
            page.wait_for_function(
                "link => location.hash !== link", arg=seen[-1][1] if seen else ""
            )
            seen.append((text, page.evaluate("location.hash"), rows_of(page)))
    assert overflow(page) == 0
    shown = [name for name, _ in rows_of(page)]
    assert not typed(page, "asdfgh qwertz")  # words of no language are refused in a sentence
    assert "did not understand 'asdfgh" in page.inner_text("#notice")
    assert [name for name, _ in rows_of(page)] == shown
    assert len({link for _, link, _ in seen}) == len(seen)

    other = visit(shipped, width, 844, seen[0][1], ready=FILMS)
    for text, link, films in seen:
        other.evaluate("link => { location.hash = link; }", link)
        other.wait_for_function(
            "([text, ids]) => document.querySelector('#query textarea').value === text"
            " && [...document.querySelectorAll('#results .films [data-keep]')]"
            ".map(one => one.dataset.keep).join() === ids",
            arg=[text, ",".join(name for name, _ in films)],
        )
        assert other.evaluate("location.hash") == link
    assert len(asked) == COUNT and COUNT - len(missed) >= ENOUGH, missed

"""Whole visits, from the first page to what a visitor takes home, wide and narrow.

CXR_VISITS=10 makes each of them ten times in a row, by a new visitor each time.
"""

from __future__ import annotations

import csv
import io
import os

import numpy as np
import pytest
from practice_pool import SHOWN, study
from screens import QUERY, generate
from steps import canvas, download, open_film, overflow, search, slide, uploads

TIMES = int(os.environ.get("CXR_VISITS", "1"))
EFFUSION, NORMAL = 0, len(SHOWN) * 5  # places of studies in the gallery of make_practice_shelf
DUE = """finding => Object.values(JSON.parse(localStorage.getItem('cxr-practice')).profile.courses)
  .flatMap(course => Object.entries(course.cards))
  .filter(([pair]) => pair.startsWith(finding))
  .map(([, card]) => (new Date(card.due) - new Date()) / 86400000)"""
pytestmark = pytest.mark.parametrize("width", [390, 1280])


@pytest.fixture
def visits(visit, whole_server):
    """visits(width, path=, ready=) -> the page of one new visitor after the other."""

    def each(width: int, path: str = "", ready: str = "#welcome .tiles"):
        for _ in range(TIMES):
            page = visit(whole_server, width, 844, path, ready=ready)
            yield page
            assert overflow(page) == 0
            page.context.close()

    return each


def answer(page, finding: str = "") -> None:
    """Commit to a finding, or to a normal film."""
    page.wait_for_selector(".practice-ask [data-do=commit]:visible")
    page.click(f'[data-say="{"abnormal" if finding else "normal"}"]')
    if finding:
        page.click(f'[data-do="pick"][data-finding="{finding}"]')
    page.click('[data-do="commit"]')


def test_search_open_similar_collection_pdf(visits, width):
    for page in visits(width):
        search(page, QUERY)
        open_film(page)
        page.click('#detail [data-act="similar"]')
        page.wait_for_selector('.asked-for:has-text("Films like film")')
        for index in range(2):
            page.locator("#results [data-keep]").nth(index).click()
        page.click("[data-tray=open]")
        page.wait_for_selector("#collection li[data-study] >> nth=1")
        name, data = download(page, '[data-do="pdf"]')
        assert name.endswith(".pdf") and data.startswith(b"%PDF-")
        assert data.count(b"/Type /Page\n") >= 2


def test_upload_report_edit_download(visits, width, whole_server, film, tmp_path):
    film(2, (300, 240)).save(tmp_path / "mine.png")
    for page in visits(width):
        page.click("#tab-read-button")
        page.locator("#tab-read input[type=file]").first.set_input_files(tmp_path / "mine.png")
        page.wait_for_selector("#report-text")
        page.fill("#report-text", "Findings: The heart is large.")
        name, data = download(page, "[data-save=text]")
        assert name.endswith(".txt") and "The heart is large." in data.decode()
        assert not uploads(whole_server)


def test_practice_with_a_miss_that_comes_back(visits, width):
    for page in visits(width, *practised([EFFUSION, NORMAL], "set")):
        for _ in range(2):
            answer(page)  # both films are called normal: the effusion is missed
            page.click("[data-do=next]")
        page.wait_for_selector(".practice-progress")
        assert page.locator(".answers tr.bad").count() == 1
        assert page.locator(".answers tr.good").count() == 1
        days = page.evaluate(DUE, QUERY)
        assert days and 0 < min(days) < 1  # missed: it comes back the same day


def test_generate_slide_compare(visits, width):
    for page in visits(width):
        generate(page)
        whole = canvas(page, ".made-film canvas")
        slide(page, "step", 0)
        assert not np.array_equal(canvas(page, ".made-film canvas"), whole)
        assert page.is_visible(".near img")
        page.click("text=All films")
        page.click('.made-grid [data-index="3"]')
        page.wait_for_selector('.made[data-index="3"]:has(.check.good)')


def test_exam_link_results_file(visits, width):
    for page in visits(width, *practised([EFFUSION, NORMAL], "exam")):
        for _ in range(2):
            answer(page, QUERY)
        page.wait_for_selector(".practice-progress")
        name, data = download(page, "[data-do=csv]")
        rows = list(csv.DictReader(io.StringIO(data.decode())))
        assert name == "practice-results.csv" and len(rows) == 2


def practised(places: list[int], mode: str) -> tuple[str, str]:
    """The address of a fixed set of studies, and what is there when it is open."""
    ids = [study(one, QUERY if one == EFFUSION else "no finding").id for one in places]
    listed = ",".join(one.replace(" ", "%20") for one in ids)
    return f"/#practice?set={listed}&mode={mode}&seed=1", ".practice-ask"

"""Whole visits, from the first page to what a visitor takes home, wide and narrow.

CXR_VISITS=10 makes each of them ten times in a row, by a new visitor each time.
"""

from __future__ import annotations

import csv
import io
import os
from datetime import datetime, timedelta

import numpy as np
import pytest
from fsrs import Card, Rating, Scheduler
from practice_pool import SHOWN, study
from screens import QUERY, generate
from steps import canvas, download, open_film, overflow, search, slide, uploads

from cxr.gallery.gallery import Gallery
from cxr.practice.pool import Pool
from cxr.practice.schedule.spacing import pace_of, recall

TIMES = int(os.environ.get("CXR_VISITS", "1"))
EFFUSION, NORMAL = 0, len(SHOWN) * 5  # places of studies in the gallery of make_practice_shelf
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


def answer(page, finding: str = "", sure: int = 80) -> None:
    """Commit to a finding, or to a normal film."""
    page.wait_for_selector(".practice-ask [data-do=commit]:visible")
    page.click(f'[data-say="{"abnormal" if finding else "normal"}"]')
    if finding:
        page.click(f'[data-do="pick"][data-finding="{finding}"]')
    page.locator("#practice-confidence").fill(str(sure))
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


def test_practice_of_fifteen_with_a_miss_that_comes_back(visits, width, whole_server):
    shown = shown_by_key(whole_server)
    for page in visits(width, "/#practice", ".practice-start"):
        page.clock.install()
        page.click('[data-do="begin"][data-mode="practice"]')
        missed, cards = "", {}  # the first finding that is met; whatever comes after is seen
        for place in range(15):
            page.wait_for_selector(f'.practice-bar h2:has-text("Film {place + 1} of 15")')
            address = page.get_attribute(".practice-film .stage", "data-film")
            finding = shown[address.split("/")[-1][: -len(".png")]]
            seen = "" if finding == "no finding" or not missed else finding
            missed = missed or (finding if finding != "no finding" else "")
            answer(page, seen, sure=100)
            page.wait_for_selector(".practice-answer h3")
            if finding == missed == seen and not cards:  # it is back
                cards = practice_profile(page)["courses"]["films"]["cards"]
            page.clock.fast_forward(70_000)  # until the next is asked for, as a reader might take
            page.click("[data-do=next]")
        page.wait_for_selector(".practice-progress")
        assert page.locator(".answers tr.bad").count() == 1
        assert page.locator(".answers tr.good").count() == 14
        check_spacing(practice_profile(page)["records"], cards, shown, missed)


def practice_profile(page) -> dict:
    """What the visitor's browser keeps of the answers."""
    return page.evaluate("JSON.parse(localStorage.getItem('cxr-practice')).profile")


def shown_by_key(server) -> dict[str, str]:
    """What each film shows, by the name under which it is asked."""
    gallery = Gallery.open(server.uploads.parent / "gallery")
    pool = Pool.of(gallery.studies, gallery.embeddings, str(gallery.header["build"]))
    return {key: truth.targets[0] for key, truth in zip(pool.keys, pool.truths)}


def check_spacing(records: list, cards: dict, shown: dict[str, str], missed: str) -> None:
    """Normals among the rest, no finding twice in a row, and the miss back when it should be.

    cards: as they stood after the finding that was missed came back and was seen.
    """
    assert len({one["key"] for one in records}) == len(records) == 15
    findings = [shown[one["key"]] for one in records]
    assert 6 <= findings.count("no finding") <= 7
    abnormal = [place for place, name in enumerate(findings) if name != "no finding"]
    assert all(findings[a] != findings[b] for a, b in zip(abnormal, abnormal[1:]))
    first, later = [place for place in abnormal if findings[place] == missed][:2]
    assert first == abnormal[0] and records[first]["missed"] == [missed]
    # Due after a minute, and the next film is asked later; then two others stand between.
    assert later == abnormal[3] and records[later]["missed"] == []
    at = [datetime.fromisoformat(records[place]["at"]) for place in (first, later)]
    scheduler = Scheduler(enable_fuzzing=False)
    card, _ = scheduler.review_card(Card(card_id=0, due=at[0]), Rating.Again, at[0])
    assert card.due - at[0] == timedelta(minutes=1) <= at[1] - at[0]
    paces = pace_of([one["seconds"] for one in records[:later]])
    rating = recall(True, 1.0, records[later]["seconds"], paces)
    card, _ = scheduler.review_card(card, rating, at[1])
    (pair,) = [name for name in cards if name.startswith(f"{missed}|")]
    assert datetime.fromisoformat(cards[pair]["due"]) == card.due > at[1] + timedelta(minutes=5)


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
        for place in (1, 2):
            page.wait_for_selector(f'.practice-bar h2:has-text("Film {place} of 2")')
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

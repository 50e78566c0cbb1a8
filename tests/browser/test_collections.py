"""Films kept in collections: from any tab, in this browser, ordered, compared and shared."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from PIL import Image
from steps import download, drawn, open_film, overflow, search, slide, uploads

TRAY = "() => window.cxrTray.current().studies"
KEPT = "#collection li[data-study]"
UNHURRIED = (  # what was done stays said, with its way back, however slow the machine
    "() => { const later = window.setTimeout; window.setTimeout = (work, wait, ...with_) =>"
    " wait === 7000 ? 0 : later(work, wait, ...with_); }"
)


def keep(page, count: int) -> list[str]:
    """Search, and keep the first films from their cards -> their ids."""
    search(page, "big heart")
    buttons = page.locator("#results [data-keep]")
    for index in range(count):
        buttons.nth(index).click()
    page.wait_for_function(f"window.cxrTray.current().studies.length === {count}")
    return page.evaluate(TRAY)


def open_collection(page, count: int) -> None:
    page.click("[data-tray=open]")
    wait_for_films(page, count)


def wait_for_films(page, count: int) -> None:
    page.wait_for_function(f"document.querySelectorAll('{KEPT}').length === {count}")


def order(page) -> list[str]:
    return page.locator(KEPT).evaluate_all("all => all.map(one => one.dataset.study)")


@pytest.mark.parametrize("width", [1280, 390])
def test_films_are_kept_from_cards_and_the_open_film_and_outlive_a_reload(server, visit, width):
    page = visit(server, width, 844)
    page.evaluate(UNHURRIED)
    ids = keep(page, 2)
    first = page.locator("#results [data-keep]").first
    page.wait_for_selector("#results [data-keep][aria-pressed=true]")
    assert page.inner_text("[data-tray=open] [data-count]") == "2"
    assert "added to “Collection 1”" in page.inner_text("#tray-said")
    first.focus()
    page.keyboard.press("Enter")  # takes it out again
    page.wait_for_function("window.cxrTray.current().studies.length === 1")
    page.click("#tray-said >> text=Undo")
    assert page.evaluate(TRAY) == ids
    open_film(page, 3)
    page.click("#detail [data-keep]")
    page.wait_for_selector("#detail [data-keep][aria-pressed=true]")
    page.reload()
    page.wait_for_selector("#results .results-head")
    open_collection(page, 3)
    assert order(page)[:2] == ids and overflow(page) == 0
    assert page.evaluate("location.hash") == "#collections"


def test_films_like_an_open_one_can_be_kept(server, visit):
    page = visit(server)
    search(page, "big heart")
    open_film(page)
    page.click('[data-act="similar"]')
    page.wait_for_selector('.asked-for:has-text("Films like film")')
    page.locator("#results [data-keep]").first.click()
    open_collection(page, 1)


@pytest.mark.parametrize("width", [1280, 390])
def test_films_are_ordered_named_taken_out_and_brought_back(server, visit, width):
    page = visit(server, width, 844)
    one, two, three = keep(page, 3)
    open_collection(page, 3)
    page.locator(f'{KEPT} [data-do="later"]').first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{TRAY[6:]}[0] === {json.dumps(two)}")
    assert order(page) == [two, one, three]
    grip, goal = page.locator("[data-grip]").nth(2), page.locator(KEPT).nth(0)
    grip.scroll_into_view_if_needed()
    start = grip.bounding_box()
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    if width == 390:
        top = max(0, page.evaluate("scrollY") - 400)
        page.mouse.wheel(0, -400)
        page.wait_for_function("top => scrollY <= top + 1", arg=top)
    end = goal.bounding_box()
    page.mouse.move(end["x"] + 40, max(end["y"], 0) + 40, steps=6)
    page.mouse.up()
    page.wait_for_function(f"{TRAY[6:]}[0] === {json.dumps(three)}")
    page.fill('[data-part="name"]', "Big hearts")
    page.keyboard.press("Enter")
    page.wait_for_selector('[data-part="pick"] >> text=Big hearts (3)', state="attached")
    page.locator('[data-do="remove"]').first.click()
    wait_for_films(page, 2)
    page.click('.collection [data-do="undo"]')
    wait_for_films(page, 3)
    page.click('[data-do="create"]')
    page.wait_for_selector('[data-part="empty"]:visible')
    page.select_option('[data-part="pick"]', "0")
    wait_for_films(page, 3)
    page.click('[data-do="discard"]')
    page.wait_for_selector('[data-part="empty"]:visible')
    assert overflow(page) == 0


@pytest.mark.parametrize("width", [1280, 390])
def test_films_are_compared_under_one_window(server, visit, width):
    page = visit(server, width, 844)
    keep(page, 3)
    open_collection(page, 3)
    assert page.locator('[data-do="compare"]').is_disabled()
    for index in range(3):
        page.locator("[data-choose]").nth(index).check()
    page.click('[data-do="compare"]')
    page.wait_for_function("document.querySelectorAll('#comparison .stage').length === 3")
    drawn(page)
    slide(page, "window", 40)
    page.click('#comparison [data-tool="in"]')
    windows = page.locator("#comparison [data-show=window]").all_inner_texts()
    assert [text.split()[:2] for text in windows] == [["W", "40"]] * 3
    moved = page.locator("#comparison .stack").evaluate_all(
        "all => all.map(s => s.style.transform)"
    )
    assert len(moved) == 3 and len(set(moved)) == 1 and "scale(1.25)" in moved[0]
    assert page.locator("#comparison figcaption").first.is_visible() and overflow(page) == 0
    page.uncheck('[data-part="captions"]')
    assert not page.locator("#comparison figcaption").first.is_visible()
    page.click('[data-do="end"]')
    page.wait_for_selector(".comparison", state="hidden")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_opens_the_collection_elsewhere_and_names_what_is_missing(server, visit, width):
    page = visit(server, width, 844)
    ids = keep(page, 2)
    page.evaluate("window.cxrTray.add(['no such, film'], 'Hearts & more')")
    page.evaluate("ids => window.cxrTray.add(ids)", ids)
    open_collection(page, 2)
    link = page.evaluate("window.cxrTray.link()")
    other = visit(server, width, 844, link.removeprefix(server.url), ready=KEPT)
    wait_for_films(other, 2)
    assert order(other) == ids and other.input_value('[data-part="name"]') == "Hearts & more"
    said = other.inner_text('[data-part="found"]')
    assert "1 film of this collection is not in this gallery: no such, film" in said
    assert other.evaluate("localStorage.getItem('cxr-collections')") is None
    other.click('[data-do="keep"]')
    other.wait_for_function("window.cxrTray.collections().length === 2")
    other.reload()
    other.wait_for_selector(KEPT)
    assert order(other) == ids


@pytest.mark.parametrize("width", [1280, 390])
def test_a_collection_is_exported_and_nothing_stays_on_the_server(server, visit, width):
    page = visit(server, width, 844)
    page.evaluate("window.cxrTray.add(['big heart', 'generated', 'gone'], 'Übung 1')")
    open_collection(page, 2)
    name, data = download(page, '[data-do="pdf"]')
    assert name == "ubung-1.pdf" and data.startswith(b"%PDF-") and data.count(b"/Type /Page\n") == 3
    page.uncheck('[data-part="captions"]')
    name, slides = download(page, '[data-do="slides"]')
    with zipfile.ZipFile(io.BytesIO(slides)) as archive:
        assert archive.namelist() == ["00-title.png", "01.png", "02.png"]
        assert Image.open(archive.open("02.png")).size == (1920, 1080)
    assert name == "ubung-1.zip" and uploads(server) == [] and overflow(page) == 0
    page.evaluate("window.cxrTray.add([...Array(61).keys()].map(n => `f${n}`), 'Many')")
    page.evaluate("window.cxrTray.add(['big heart'], 'Many')")
    wait_for_films(page, 1)
    page.click('[data-do="pdf"]')
    page.wait_for_selector('[data-part="problem"]:has-text("at most 60 studies to export, got 62")')


def test_a_collection_prints_as_its_name_and_films(server, visit):
    page = visit(server)
    page.evaluate("window.cxrTray.add(['big heart', 'generated'], 'For the round')")
    open_collection(page, 2)
    page.emulate_media(media="print")
    assert page.inner_text(".print-title") == "For the round"
    assert page.locator(".kept .sentence").first.is_visible()
    assert page.locator(".kept .origin").count() == 2 and page.locator(".kept .badge").is_visible()
    for away in (
        ".tab-wrapper",
        ".collection-bar",
        ".collection-actions",
        ".kept-tools",
        "#palette",
    ):
        assert not page.locator(away).first.is_visible(), away
    card = page.locator(".kept .card").first
    assert card.evaluate("card => getComputedStyle(card).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1


def test_a_film_of_a_collection_is_opened_and_practised(server, visit):
    page = visit(server)
    page.evaluate("window.cxrTray.add(['big heart', 'a, b'])")
    open_collection(page, 1)
    page.click(f'{KEPT} [data-do="open"]')
    page.wait_for_selector('#detail .viewer:has-text("big heart")')
    page.wait_for_selector("#detail [data-keep][aria-pressed=true]")
    page.go_back()
    page.wait_for_selector(KEPT)
    page.click('[data-do="practise"]')
    page.wait_for_function("location.hash.startsWith('#practice?set=big%20heart')")
    page.wait_for_selector("#tab-practice-button[aria-selected=true]")


def test_a_collection_goes_out_and_in_as_json(server, visit):
    page = visit(server)
    ids = keep(page, 2)
    open_collection(page, 2)
    name, data = download(page, '[data-do="json"]')
    said = json.loads(data)
    assert name == "collection-1.json" and said["studies"] == ids
    assert (said["format"], said["version"]) == ("cxr-collection", 1) and said["gallery"]
    other = visit(server, path="/#collections", ready=".collection")
    files = other.locator('[data-part="file"]')
    for junk in (b"\x00\x01", b"[]", b'{"version": 9, "studies": ["a"]}', b'{"studies": [1]}'):
        files.set_input_files({"name": "x.json", "mimeType": "", "buffer": junk})
        other.wait_for_selector('[data-part="problem"]:has-text("was not imported: expected")')
    files.set_input_files({"name": "x.json", "mimeType": "", "buffer": data})
    wait_for_films(other, 2)
    assert order(other) == ids


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        ("{{", "they are damaged"),
        ('{"version": 0}', "they are of version 0"),
        ('{"version": 1, "collections": [{"studies": [7]}]}', "expected ids of studies"),
    ],
)
def test_what_cannot_be_read_is_set_aside(server, visit, kept, words):
    page = visit(server)
    page.evaluate("kept => localStorage.setItem('cxr-collections', kept)", kept)
    page.reload()
    page.wait_for_selector("#welcome .tiles")
    page.click("[data-tray=open]")
    page.wait_for_selector(f'[data-part="problem"]:has-text("{words}")')
    assert page.evaluate("localStorage.getItem('cxr-collections-unreadable')") == kept
    assert keep_one(page)


def keep_one(page) -> bool:
    page.evaluate("window.cxrTray.add(['big heart'])")
    wait_for_films(page, 1)
    return page.evaluate("localStorage.getItem('cxr-collections').includes('big heart')")


def test_a_full_browser_and_another_gallery_are_said(server, visit):
    page = visit(server, path="/#collections", ready=".collection")
    page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('', 'Quota'); }; }"
    )
    page.evaluate("window.cxrTray.add(['big heart'])")
    page.wait_for_selector('[data-part="problem"]:has-text("no room left")')
    other = {"version": 1, "open": 0}
    other["collections"] = [{"name": "Old", "gallery": "theirs", "studies": ["big heart"]}]
    page.reload()
    page.evaluate("kept => localStorage.setItem('cxr-collections', kept)", json.dumps(other))
    page.reload()
    page.wait_for_selector('[data-part="found"]:has-text("another gallery (theirs)")')

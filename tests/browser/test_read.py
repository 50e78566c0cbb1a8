"""A trainee's way through the Read tab."""

from __future__ import annotations

import io
from functools import partial

import numpy as np
import pytest
from app_gallery import make_shelf
from app_server import serving
from dicom_files import PATIENT, dicom
from PIL import Image
from reporting_parts import save_reporting
from steps import canvas, download, open_film, overflow, search, until, uploads

from cxr.checkpoints.fingerprints import fingerprint

NOTE = "For education only, not for diagnosis."
EDITED = "Findings: The heart is large. 心脏扩大 🫁\nImpression: Cardiomegaly, größer."
HEAT = "#read-film .heat"
WIDTH = "document.querySelector('#read-film canvas')?.width"
STRANGE = -1e9  # a limit of the gate that every picture is above


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, film):
    return make_shelf(tmp_path_factory.mktemp("reading"), film)


def served(shelf, folder, limit: float):
    reporting = save_reporting(folder / "reporting", fingerprint(shelf.weights), limit)
    return serving(
        folder,
        shelf.gallery,
        shelf.weights,
        "tests/browser/drawn_app.py",
        CXR_REPORTING=str(reporting),
    )


@pytest.fixture(scope="module")
def reading_server(browser, shelf, tmp_path_factory):
    with served(shelf, tmp_path_factory.mktemp("reader"), 1e9) as running:
        yield running


@pytest.fixture
def visit_tab(visit, reading_server):
    """visit_tab(width, height, **options) -> the page, opened at the tab by its address."""

    def open_tab(*size, path="#read", ready="#read-film .state", **options):
        return visit(reading_server, *size, path=path, ready=ready, **options)

    return open_tab


@pytest.fixture
def mine(tmp_path, film):
    film(2, (300, 240)).save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


@pytest.fixture
def xray(tmp_path, film):
    """A drawn film as a 12-bit DICOM file."""
    levels = np.asarray(film(5, (320, 400)), np.uint16) * 16
    (tmp_path / "film.dcm").write_bytes(dicom(levels, 12))
    return tmp_path / "film.dcm"


def bring(page, path, button: str = "#read-upload") -> None:
    """Upload a film."""
    chooser = page.locator(button).locator("xpath=..").locator("input[type=file]")
    chooser.nth(0 if button == "#read-upload" else 1).set_input_files(path)


def read(page, path) -> list[str]:
    """Upload a film, and wait until it is read -> what each finding says, likeliest first."""
    bring(page, path)
    page.wait_for_selector("#report-text")
    return page.locator(".finding").evaluate_all(
        r"all => all.map(one => one.textContent.replace(/\s+/g, ' ').trim())"
    )


def choose(page, index: int) -> str:
    """Choose a finding, and wait for its heat map -> its name."""
    name = page.locator(".finding").nth(index).get_attribute("data-name")
    page.locator(".finding").nth(index).click()
    page.wait_for_selector(f'#read-film .stage[aria-label*="heat map of {name}"] .heat')
    return name


def test_a_dicom_film_is_read_the_report_edited_and_saved(visit_tab, reading_server, xray):
    page = visit_tab()
    findings = read(page, xray)
    assert len(findings) == 14 and all(", between" in said for said in findings)
    assert canvas(page, "#read-film canvas").shape == (400, 320, 3)
    name = choose(page, 0)
    assert f"“no {name}”" in page.inner_text(".why")
    page.fill("#report-text", EDITED)
    choose(page, 1)
    assert page.input_value("#report-text") == EDITED  # other panes change, the text stays
    file, text = download(page, "[data-save=text]")
    assert file.endswith(".txt") and EDITED in text.decode()
    assert text.decode().startswith(NOTE) and "edited by the reader" in text.decode()
    file, picture = download(page, "[data-save=picture]")
    sheet = Image.open(io.BytesIO(picture))
    assert file.endswith(".png") and sheet.format == "PNG" and sheet.size == (1240, 1754)
    film = np.asarray(sheet.convert("L"))[150:900, 90:640]
    assert film.min() < 80 and len(np.unique(film)) > 60  # the film is in it
    assert "CXR Reading Room" in text.decode() and PATIENT not in page.content()
    page.click("[data-save=restore]")
    assert page.input_value("#report-text").startswith("Findings: ")
    assert not uploads(reading_server)


def test_a_png_is_read_and_its_finding_followed_through_the_tabs(visit_tab, mine):
    page = visit_tab()
    read(page, mine)
    page.click('.finding[data-name="consolidation"]')
    page.click('.why [data-act="locate"]')
    page.wait_for_selector('.locate[data-name="consolidation"][data-drawn] .verdict:not(:empty)')
    assert page.inner_text(".locate .verdict") == "Right lung, mostly the lower zone"
    page.click("#tab-read-button")
    page.click(".why >> text=Search for this finding")
    page.wait_for_selector('.asked-for:has-text("consolidation")')
    assert page.get_attribute("#tab-search-button", "aria-selected") == "true"


def test_two_films_move_together(visit_tab, mine, xray):
    page = visit_tab()
    read(page, mine)
    page.locator("#read-similar .card").nth(1).click()
    page.wait_for_selector("#read-film .comparing")
    page.click("#read-film [data-tool=in]")
    page.locator("#read-film [data-slider=window]").fill("100")
    moved = page.locator("#read-film .stack").evaluate_all("all => all.map(s => s.style.transform)")
    assert len(moved) == 2 and moved[0] == moved[1] and "scale(1.25)" in moved[0]
    told = page.locator("#read-film [data-show=window]").all_inner_texts()
    assert told[0] == told[1] and told[0].startswith("W 100")
    bring(page, xray, "#compare-upload")
    page.wait_for_selector('#read-film h2:has-text("your other film")')
    page.wait_for_function("document.querySelectorAll('#read-film canvas')[1]?.height === 400")
    page.click("text=End comparison")
    page.wait_for_function("document.querySelectorAll('#read-film .stage').length === 1")


def test_the_film_brought_last_is_read_whatever_comes_late(
    visit_tab, reading_server, tmp_path, film
):
    page = visit_tab()
    # The first takes a while to read, in which the others arrive.
    sizes = ((5200, 5000), (220, 260), (230, 260), (240, 260))
    for number, size in enumerate(sizes):
        small = film(number, (min(size[0], 260), 250))
        small.resize(size, Image.Resampling.NEAREST).save(tmp_path / f"{number}.png")
    for number in range(len(sizes)):
        with page.expect_response(lambda answer: answer.url.endswith("/upload")):
            bring(page, tmp_path / f"{number}.png")
    page.wait_for_function(f"{WIDTH} === 240")
    page.wait_for_selector("#report-text")
    assert page.locator(".finding").count() == 14
    assert page.inner_text("#read-film .stage-note") == ""
    assert not uploads(reading_server)  # neither of those that were overtaken
    let_go = hold_upload(page, tmp_path / "2.png")
    bring(page, tmp_path / "1.png")
    page.wait_for_function(f"{WIDTH} === 220")
    let_go()
    assert page.evaluate(WIDTH) == 220
    page.click("#read-film >> text=Another film")
    let_go = hold_upload(page, tmp_path / "2.png")
    page.click('#read-examples [data-act="pick"] >> nth=0')
    page.wait_for_function(f"{WIDTH} > 0")
    let_go()
    assert page.evaluate(WIDTH) != 230


def hold_upload(page, path):
    """Choose a film of 230 pixels' width, whose upload waits -> what lets it go on, to its end."""
    held, ended = [], []
    page.route("**/upload", lambda route: held.append(route), times=1)
    page.on("requestfailed", lambda request: ended.append(request))
    bring(page, path)
    until(page, lambda: held, "an upload")

    def let_go() -> None:
        held[0].continue_()
        over = partial(page.evaluate, f"{WIDTH} === 230")
        until(page, lambda: held[0].request in ended or over(), "the end of the upload")

    return let_go


def test_what_a_sentence_rests_on_is_shown(visit_tab, mine):
    page = visit_tab()
    read(page, mine)
    page.click(".evidence summary")
    page.locator(".evidence [data-act=choose]").first.click()
    page.wait_for_selector(HEAT)
    assert page.locator(".evidence li").first.is_visible()  # it stays open


def test_the_open_film_of_a_search_is_read(visit_tab):
    page = visit_tab(path="", ready="#welcome .tiles")
    search(page, "heart")
    open_film(page)
    page.click('#detail [data-act="read"]')
    page.wait_for_selector("#report-text")
    assert page.get_attribute("#tab-read-button", "aria-selected") == "true"
    page.wait_for_selector("#read-similar .card")
    assert page.locator("#read-similar .card").count() == 11


def test_a_sentence_is_put_in_place_of_another(visit_tab, mine):
    page = visit_tab()
    read(page, mine)
    for index in range(14):
        name = page.locator(".finding").nth(index).get_attribute("data-name")
        page.locator(".finding").nth(index).click()
        page.wait_for_selector(f'.finding[data-name="{name}"][aria-expanded="true"] + .why')
        if page.locator("[data-act=reword]").count():
            break
    chip = page.locator("[data-act=reword]").first
    there, to = chip.get_attribute("data-from"), chip.get_attribute("data-to")
    assert there in page.input_value("#report-text")
    chip.click()
    text = page.input_value("#report-text")
    assert to in text and there not in text


def test_junk_is_refused_and_the_film_stays(visit_tab, reading_server, mine):
    page = visit_tab()
    read(page, mine)
    bring(page, {"name": "<b>x</b>.dcm", "mimeType": "", "buffer": b"no film at all"})
    page.wait_for_selector('#read-notice [role="alert"]:has-text("Expected")')
    assert page.locator("#read-film .viewer").count() == 1
    assert page.locator(".finding").count() == 14 and not uploads(reading_server)


def test_a_strange_picture_is_refused_until_the_reader_insists(
    browser, visit, shelf, tmp_path, mine
):
    with served(shelf, tmp_path, STRANGE) as strict:
        page = visit(strict, path="#read", ready="#read-film .state")
        bring(page, mine)
        page.wait_for_selector('.gate:has-text("does not look like a frontal chest X-ray")')
        assert page.locator(".finding, #report-text").count() == 0
        assert page.locator("[data-act=correct]").count() == 0  # it stands upright
        page.click("text=Read it all the same")
        page.wait_for_selector(".findings.doubted .finding")
        assert "does not look like" in page.inner_text(".gate")


def test_an_edited_report_is_not_lost_without_a_question(visit_tab, mine, xray):
    page = visit_tab()
    read(page, mine)
    said, answers = [], ["dismiss", "dismiss", "accept"]

    def answer(dialog):
        said.append(dialog.message)
        getattr(dialog, answers[len(said) - 1])()

    page.on("dialog", answer)
    page.fill("#report-text", EDITED)
    bring(page, xray)
    page.click('#read-film [data-act="close"]')
    until(page, lambda: len(said) == 2, "a question at each")
    assert "will be lost" in said[0]
    assert page.input_value("#report-text") == EDITED
    bring(page, xray)
    page.wait_for_function("document.querySelector('#read-film canvas')?.width === 320")
    page.wait_for_function("document.querySelector('#report-text')?.value.startsWith('Findings')")
    page.click('#read-film [data-act="close"]')  # nothing was edited: no question
    page.wait_for_selector("#read-film .bring")
    assert len(said) == 3


def test_on_a_phone_the_report_comes_before_the_findings(visit_tab, mine):
    page = visit_tab(390, 844)
    read(page, mine)
    top = "document.querySelector('{}').getBoundingClientRect().top + scrollY"
    report, first = (page.evaluate(top.format(one)) for one in ("#report-text", ".finding"))
    assert report < first and report < 1100
    page.click("text=Go to the report")
    assert page.evaluate("document.activeElement.id") == "report-text"
    box = page.locator("#report-text").bounding_box()
    assert 0 <= box["y"] < 300


def test_on_a_phone_a_film_that_comes_is_gone_to(visit_tab, mine):
    page = visit_tab(390, 844)
    bring(page, mine)
    page.wait_for_function("document.activeElement?.matches('.viewer h2')")
    assert -1 < page.locator(".viewer h2").bounding_box()["y"] < 844 / 2


def test_on_a_phone_what_was_refused_is_gone_to(visit_tab, mine):
    page = visit_tab(390, 844)
    read(page, mine)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    bring(page, {"name": "x.dcm", "mimeType": "", "buffer": b"no film at all"})
    page.wait_for_function(
        "() => { const said = document.querySelector('#read-notice [role=alert]');"
        " const top = said?.getBoundingClientRect().top; return top > -1 && top < 844; }"
    )


def test_names_of_buttons_hold_what_is_seen_on_them(visit_tab, mine):
    page = visit_tab()
    read(page, mine)
    page.click(".evidence summary")
    wrong = page.evaluate(
        r"""() => [...document.querySelectorAll("#tab-read button[aria-label]")]
          .filter(e => e.offsetParent && e.innerText.trim().length > 1)
          .map(e => [e.ariaLabel, e.innerText]
            .map(s => s.replace(/\s+/g, " ").trim().toLowerCase()))
          .filter(([name, seen]) => !name.includes(seen))"""
    )
    assert wrong == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_overflows_on_a_phone(visit_tab, mine, scheme):
    page = visit_tab(390, 844, path=f"?tab=read&__theme={scheme}")
    assert overflow(page) == 0
    read(page, mine)
    choose(page, 0)
    assert overflow(page) == 0
    page.locator("#read-similar .card").first.click()
    page.wait_for_selector("#read-film .comparing")
    assert overflow(page) == 0
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("#tab-read :is(button, input, textarea)")]
          .filter(e => e.offsetParent)
          .filter(e => !(e.ariaLabel || e.innerText || e.labels?.length || e.title))
          .map(e => e.outerHTML)"""
    )
    assert nameless == []

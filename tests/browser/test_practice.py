"""A learner's visits to the Practice tab, on a drawn gallery with radiologists' labels."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from app_server import serving
from PIL import Image
from practice_gallery import make_practice_shelf
from steps import download, overflow, until
from steps import drawn as film_drawn

from cxr.gallery.gallery import Gallery

PHONE = {"width": 390, "height": 844, "has_touch": True}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, film):
    return make_practice_shelf(tmp_path_factory.mktemp("practice"), film, generated=8)


@pytest.fixture(scope="module")
def practice_server(browser, shelf):
    with serving(shelf.gallery.parent, shelf.gallery, shelf.weights) as running:
        yield running


@pytest.fixture
def visit_tab(visit, practice_server):
    def open_tab(path="#practice", ready=".practice-start", **options):
        page = visit(practice_server, path=path, ready=ready, **options)
        return page

    return open_tab


@pytest.fixture(scope="module")
def shown_by_id(shelf):
    """What a teacher would know: study id -> what it shows ("no finding" for a normal one)."""
    return {s.id: s.positive or ("no finding",) for s in Gallery.open(shelf.gallery).studies}


def begin(page, which="Skip to practice"):
    page.click(f"text={which}")
    drawn(page)


def drawn(page):
    page.wait_for_selector(".commit:not([hidden])")
    film_drawn(page, ".practice-film .stage")


def profile(page):
    return page.evaluate("JSON.parse(localStorage.getItem('cxr-practice')).profile")


def commit(page, findings=(), sure=80):
    """Answer the film that is shown; with no finding it is called normal."""
    page.click(f"[data-say={'abnormal' if findings else 'normal'}]")
    for name in findings:
        page.click(f'[data-do=pick][data-finding="{name}"]')
    page.locator("#practice-confidence").fill(str(sure))
    page.click("[data-do=commit]")


def answered(page):
    page.wait_for_selector(".practice-answer h3")


def told(page, html, heard, sent, words):
    """Whether anything on the tab or between it and the server holds one of the words."""
    texts = [r.text() for r in heard if not r.url.endswith(".png")]
    pattern = re.compile("|".join(words))
    return [one for one in (html, *texts, *sent) if pattern.search(one.lower())]


@pytest.mark.parametrize("kind", ["findings", "origin"])
def test_the_answer_is_nowhere_before_it_is_committed(
    visit_tab, shown_by_id, practice_server, kind
):
    page = visit_tab()
    heard, sent, pictures = [], [], set()
    page.on("response", lambda r: "/practice/" in r.url and heard.append(r))
    page.on("request", lambda r: "/practice/" in r.url and sent.append(r.url + (r.post_data or "")))
    folder, mode = {"findings": ("films", "practice"), "origin": ("origins", "origin")}[kind]
    words = ["secret", "verified", "truth", r"p\d+\.png"]
    if kind == "origin":
        words += ["synthetic", "[ap][ap] view", "male", r"\d y\b", "badge"]
    for _ in range(3):
        page.wait_for_selector(".practice-start")
        heard.clear()
        sent.clear()
        page.click(f"[data-do=begin][data-mode={mode}]")
        drawn(page)
        html = page.inner_html("#practice")
        assert not told(page, html, heard, sent, words)
        key = re.search(rf"practice/{folder}/([0-9a-f]{{24}})", html)[1]
        elsewhere = page.content().replace(page.inner_html("#practice"), "")
        assert key not in elsewhere  # no other tab calls the film by this name
        picture = page.request.get(f"{practice_server.url}/practice/{folder}/{key}.png")
        assert picture.ok and b"tEXt" not in picture.body()
        pictures.add(Image.open(io.BytesIO(picture.body())).size)
        if kind == "findings":
            commit(page, ["mass"])
            lesson = page.locator('.verdicts a:text-is("mass")')
            assert lesson.get_attribute("href") == "#learn/mass"
        else:
            page.click("[data-say=generated]")
            page.click("[data-do=commit]")
        answered(page)
        study = page.inner_text(".study-line code")
        assert study in shown_by_id  # after the answer it has a name
        page.evaluate("localStorage.clear()")
        page.reload()
    assert kind == "findings" or pictures == {(128, 128)}  # real ones are larger


def test_real_or_generated_keeps_results_of_its_own(visit_tab):
    axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit_tab(**PHONE)
    page.click("text=For teachers")
    page.fill("#compose-length", "4")
    page.click("text=Link: real or generated?")
    address = page.get_attribute(".practice-start .practice-link a", "href")
    learner = visit_tab(path="#" + address.partition("#")[2], ready=".practice-ask", **PHONE)
    for place in range(4):
        learner.wait_for_selector(f'.practice-bar h2:has-text("Film {place + 1} of 4")')
        drawn(learner)
        if place == 0:
            assert not axe_core.Axe().run(learner).response["violations"]
        learner.keyboard.press("g" if place % 2 else "r")
        learner.keyboard.press("9")
        learner.keyboard.press("c")
        answered(learner)
        right = "Right" in learner.inner_text(".practice-answer h3")
        assert right == ("good" in learner.get_attribute(".practice-answer h3", "class"))
        assert learner.is_visible(".practice-answer [data-keep]")
        learner.keyboard.press("c")
    learner.wait_for_selector("text=Told apart")
    kept = profile(learner)
    assert kept["records"] == [] and kept["courses"] == {} and len(kept["judged"]) == 4
    assert {one["confidence"] for one in kept["judged"]} == {0.9}
    assert not axe_core.Axe().run(learner).response["violations"]
    said = learner.inner_text(".practice-progress")
    assert "Sensitivity" not in said and "Specificity" not in said
    assert learner.get_attribute("[data-do=link]", "href") == "#" + address.partition("#")[2]
    name, content = download(learner, "text=Real or generated (CSV)")
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert (
        name == "real-or-generated.csv"
        and [row["said"] for row in rows] == ["real", "generated"] * 2
    )
    assert overflow(learner) == 0


def test_a_box_is_drawn_and_laid_beside_the_radiologists(visit_tab, shelf):
    page = visit_tab()
    begin(page)
    page.click("[data-say=abnormal]")
    page.fill("#practice-find", "fluid around the lung")
    page.press("#practice-find", "Enter")
    page.wait_for_selector('.named li[data-finding="pleural effusion"]')
    box = page.locator(".practice-film .stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 60, y - 40)
    page.mouse.down()
    page.mouse.move(x + 20, y + 50)
    page.mouse.up()
    assert page.inner_text(".named .where") == "boxed"
    assert page.locator(".marks rect.mine").count() == 1
    page.keyboard.press("c")  # the form's key
    answered(page)
    (record,) = profile(page)["records"]
    assert list(record["findings"]) == ["pleural effusion"]


def test_everything_can_be_done_with_keys(visit_tab):
    page, waiting = visit_tab(), []
    page.route("**/practice/films/*.png", lambda route: waiting.append(route))
    page.focus("text=Skip to practice")
    page.keyboard.press("Enter")
    page.wait_for_selector('.stage-note:has-text("Loading the film")')
    assert page.is_disabled("[data-do=commit]")
    page.keyboard.press("a")  # before the film is there; it stands when the film has come
    until(page, lambda: waiting, "a request for the film")
    waiting[0].continue_()
    page.unroute("**/practice/films/*.png")
    page.wait_for_selector(".stage-note:empty", state="attached")
    drawn(page)
    assert page.get_attribute("[data-say=abnormal]", "aria-pressed") == "true"
    page.keyboard.press("/")
    page.keyboard.type("nodule")
    page.keyboard.press("Enter")
    page.wait_for_selector('.named li[data-finding="nodule"]')
    page.focus('[aria-label="mark nodule"]')
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    assert page.inner_text(".named .where") == "boxed"
    page.keyboard.press("9")
    page.keyboard.press("c")
    answered(page)
    assert profile(page)["records"][0]["confidence"] == 0.9
    page.wait_for_function(  # each is drawn, at its film's own width
        "() => [...document.querySelectorAll('.swap canvas')].every(one => one.width === 180)"
    )
    page.keyboard.press("1")
    assert page.get_attribute('.swap[data-at="1"]', "aria-pressed") == "true"
    page.keyboard.press("1")
    assert page.get_attribute('.swap[data-at="1"]', "aria-pressed") == "false"
    page.keyboard.press("c")
    page.wait_for_selector('.practice-bar h2:has-text("Film 2 of 15")')


def test_a_pause_and_a_reload_keep_the_film(visit_tab):
    page = visit_tab()
    begin(page)
    film = page.get_attribute(".practice-film .stage", "data-film")
    page.reload()
    page.wait_for_selector(".practice-start")
    begin(page, "Go on where you paused")
    assert page.get_attribute(".practice-film .stage", "data-film") == film


def test_an_exam_by_link_ends_in_a_results_file(visit_tab, shown_by_id):
    page = visit_tab()
    page.click("text=For teachers")
    page.fill("#compose-length", "4")
    page.check("#compose-exam")
    page.click("text=Make the link")
    address = page.get_attribute(".practice-start .practice-link a", "href")
    learner = visit_tab(path="#" + address.partition("#")[2], ready=".practice-ask")
    for place in range(4):
        learner.wait_for_selector(f'.practice-bar h2:has-text("Film {place + 1} of 4")')
        drawn(learner)
        assert profile(learner)["records"] == []
        commit(learner, ["mass"] if place == 1 else ())
    learner.wait_for_selector(".practice-progress")
    name, content = download(learner, "text=Results (CSV)")
    rows = list(csv.DictReader(content.decode().splitlines()))
    assert name == "practice-results.csv" and [row["mode"] for row in rows] == ["exam"] * 4
    assert [row["said"] for row in rows] == ["normal", "abnormal", "normal", "normal"]
    for row in rows:
        assert row["present"] == "; ".join(shown_by_id[row["study"]])
    name, content = download(learner, "text=Anki deck")
    assert name.endswith(".apkg") and content.startswith(b"PK")


def test_a_collection_opens_as_a_set_and_unknown_films_are_counted(visit_tab, shown_by_id):
    ids = [*list(shown_by_id)[:2], "never heard of"]
    address = "#practice?set=" + ",".join(one.replace(" ", "%20") for one in ids)
    page = visit_tab(path=address, ready=".practice-ask")
    assert "Film 1 of 2" in page.inner_text(".practice-bar h2")
    page.wait_for_selector('.practice-notice:has-text("1 of the 3 films")')
    commit(page)
    answered(page)
    assert page.inner_text(".study-line code") == ids[0]


def test_films_are_kept_after_the_answer_and_misses_sent_to_a_collection(visit_tab, shown_by_id):
    ids = [one for one, shown in shown_by_id.items() if shown == ("mass",)][:2]
    ids.append(next(one for one, shown in shown_by_id.items() if shown == ("no finding",)))
    page = visit_tab(
        path="#practice?set=" + ",".join(ids).replace(" ", "%20"), ready=".practice-ask"
    )
    for place in range(3):
        page.wait_for_selector(f'.practice-bar h2:has-text("Film {place + 1} of 3")')
        if place == 0:  # typed, and not waited for
            page.click("[data-say=abnormal]")
            page.type("#practice-find", "nodule")
            with page.expect_response("**/practice/find"):
                page.hover("[data-do=commit]")
                page.mouse.down()
            page.wait_for_timeout(100)  # a hand holds a button longer than a script does
            page.mouse.up()
        else:
            commit(page, [[], ["mass"], ["edema"]][place])
        answered(page)
        if place == 1:
            page.click(".practice-answer [data-keep]")
            page.wait_for_selector('.practice-answer [data-keep][aria-pressed="true"]')
            assert page.evaluate("window.cxrTray.current().studies") == ids[1:2]
        page.click("[data-do=next]")
    assert list(profile(page)["records"][0]["findings"]) == ["nodule"]
    page.click("text=Keep the missed film in a collection")  # a false alarm is no miss
    page.wait_for_selector('#tray-said:has-text("1 film added")')
    assert page.evaluate("window.cxrTray.current()")["studies"] == ids[:1]
    assert page.evaluate("window.cxrTray.current().name") == "Missed in practice"
    page.goto(page.url.partition("#")[0] + "?tab=search")
    page.wait_for_selector("#welcome .tiles")  # known there before Practice is opened
    assert page.evaluate("window.cxrPractice.misses()") == ids[:1]


def test_the_profile_leaves_returns_and_is_erased(visit_tab, tmp_path):
    page = visit_tab()
    begin(page)
    commit(page)
    answered(page)
    flag = page.locator("[data-do=flag]")
    flag.click()
    page.click("text=Take it back")
    assert profile(page)["flags"] == [] and flag.is_visible()
    flag.click()
    page.select_option("[data-flag=reason]", "it is another finding")
    page.fill("[data-flag=note]", "looks <b>like</b> a skin fold")
    sent = []
    page.on("request", lambda r: sent.append(r.post_data or ""))
    page.click("[data-do=pause]")
    page.wait_for_selector(".practice-start")
    assert sent and not any("skin fold" in one for one in sent)  # it stays in this browser
    page.click("text=Your data")
    _, content = download(page, "[data-do=export]")
    exported = json.loads(content)
    (flagged,) = exported["flags"]
    assert len(exported["records"]) == 1 and flagged["reason"] == "it is another finding"
    assert flagged["note"] == "looks <b>like</b> a skin fold"
    page.click("[data-do=erase]")
    page.click("text=Erase all answers for good")
    page.wait_for_selector("text=Start with 12 films")
    assert profile(page)["records"] == []
    (tmp_path / "mine.json").write_bytes(content)
    (tmp_path / "junk.json").write_text("<b>no profile</b>")
    page.set_input_files("#practice-import", tmp_path / "junk.json")
    page.wait_for_selector('.practice-notice:has-text("Expected a practice profile")')
    page.set_input_files("#practice-import", tmp_path / "mine.json")
    page.wait_for_selector("text=Progress (1 films)")
    back = profile(page)
    assert back["records"] == exported["records"] and back["courses"] == exported["courses"]
    named = [{name: one[name] for name in ("study", "note", "reason")} for one in back["flags"]]
    assert named == [{name: flagged[name] for name in ("study", "note", "reason")}]


def test_the_first_films_are_silent_and_graded_at_their_end(visit_tab):
    page = visit_tab(**PHONE)
    begin(page, "Start with 12 films")
    for place in range(12):
        page.wait_for_selector(f'.practice-bar h2:has-text("Film {place + 1} of 12")')
        if place == 2:  # the next film does not come: the answer is taken once
            page.route("**/practice/next", lambda route: route.abort())
            commit(page)
            page.wait_for_selector(".practice-notice:not(:empty)")
            page.click("[data-do=commit]")
            kept = "JSON.parse(localStorage.getItem('cxr-practice')).answers.length"
            assert page.evaluate(kept) == 3
            page.unroute("**/practice/next")
            page.click("[data-do=pause]")
            page.click("text=Go on where you paused")
            continue
        commit(page)
    page.wait_for_selector(".practice-progress")
    assert len(profile(page)["records"]) == 12
    assert "Film by film" in page.inner_text(".practice-progress") and overflow(page) == 0

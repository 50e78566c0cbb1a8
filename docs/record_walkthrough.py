"""Record the walk through the tabs that README.md shows, as an animated WebP.

Run `python docs/record_walkthrough.py ADDRESS` with the address of a running page whose gallery is
examples/gallery: every film in it is then synthetic. Needs Playwright and Chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Locator, Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
WALKTHROUGH = REPOSITORY / "docs/walkthrough.webp"
WINDOW = (1200, 690)  # wide enough for films beside each other
SIZE, CAPTION = (960, 552), 48  # pixels of the page, and of the line below it
MOST_BYTES = 3_000_000
QUALITIES = (80, 70, 60, 50, 40)
PATIENCE_MS = 60_000
INK, PAPER, RING = (232, 236, 239), (16, 20, 24), (255, 214, 102)


class Recorder:
    """Pictures of a page, each with what is said below it and how long it is shown."""

    def __init__(self, page: Page) -> None:
        """Record a page that is open."""
        self.page = page
        self.frames: list[Image.Image] = []
        self.holds: list[int] = []
        self._words = ""
        self._font = ImageFont.load_default(20)

    def say(self, words: str) -> None:
        """Set the line below the pictures that follow."""
        self._words = words

    def look(self, hold_ms: int = 1000, at: tuple[float, float] | None = None) -> None:
        """Take a picture.

        Args:
            hold_ms: how long it is shown.
            at: place in the window around which a ring is drawn; None for no ring.
        """
        taken = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        shown = Image.new("RGB", (SIZE[0], SIZE[1] + CAPTION), PAPER)
        shown.paste(taken.resize(SIZE, Image.Resampling.LANCZOS), (0, 0))
        pen = ImageDraw.Draw(shown)
        if at:
            x, y = (value * SIZE[0] / WINDOW[0] for value in at)
            pen.ellipse((x - 15, y - 15, x + 15, y + 15), outline=RING, width=4)
        middle = SIZE[1] + CAPTION // 2
        pen.text((18, middle), self._words, fill=INK, font=self._font, anchor="lm")
        self.frames.append(shown)
        self.holds.append(hold_ms)

    def click(self, target: str | Locator, ready: str = "", hold_ms: int = 900) -> None:
        """Show where is clicked, click, and wait for what comes."""
        place = self.page.locator(target).first if isinstance(target, str) else target
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        self.look(hold_ms, (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
        place.click()
        if ready:
            self.page.wait_for_selector(ready, state="attached")

    def type(self, target: str, text: str) -> None:
        """Type a text in three strokes, a picture each, and press Enter."""
        self.page.focus(target)
        for part in (3, 2, 1):
            self.page.fill(target, text[: len(text) // part])
            self.look(600)
        self.page.press(target, "Enter")

    def slide(self, name: str, values: range, hold_ms: int = 500) -> None:
        """Move one of the page's sliders, a picture each."""
        slider = self.page.locator(f'[data-slider="{name}"]:visible').first
        for value in values:
            slider.evaluate(
                "(one, value) => { one.value = value;"
                " one.dispatchEvent(new Event('input', { bubbles: true })); }",
                value,
            )
            self.look(hold_ms)

    def top(self, selector: str = "") -> None:
        """Bring the top of the page, or of something on it, to the top of the window."""
        self.page.evaluate(
            "to => to ? document.querySelector(to).scrollIntoView() : scrollTo(0, 0)", selector
        )


def welcome(on: Recorder) -> None:
    """The first page."""
    on.say("Learn to read chest X-rays. Not for diagnosis. Every film here is synthetic.")
    on.look(4000)


def search(on: Recorder) -> None:
    """Words, the films found, one of them open."""
    on.say("Search: say it in your own words")
    on.type("#query textarea", "enlarged heart with fluid at the base")
    on.page.wait_for_selector('#results [data-act="open"]')
    on.say("It shows how it read the words, and why each film is there")
    on.look(3000)
    on.click('#results [data-act="open"]', ".viewer .stage-note:empty")
    on.top(".search-columns")
    on.say("An open film: window, zoom, invert, and where the words matched")
    on.look(2500)
    for tool in ('[data-preset="lungs"]', '[data-tool="invert"]', '[data-tool="invert"]'):
        on.click(tool)
        on.top(".search-columns")
        on.look(1200)
    on.click('[data-act="heat"]', ".viewer .heat")
    on.top(".search-columns")
    on.page.wait_for_timeout(800)
    on.look(2500)
    on.say("More like this: of the same view, sex or age")
    on.click('[data-act="similar"]', ".results-head .asked, .results-head [data-act=back]")
    on.page.wait_for_selector('#results [data-act="open"]')
    on.top(".results-head")
    on.look(3000)
    on.click('#results [data-act="open"]', ".viewer .stage-note:empty")
    on.top()


def read(on: Recorder) -> None:
    """Findings and a report of the open film."""
    on.say("Read: what the models would say of a film, with their doubt")
    on.click('#detail [data-act="read"]', "#report-text")
    on.top()
    on.look(3000)
    on.click(".finding", "#read-film .heat")
    on.say("Each finding has its interval, its heat map and its lesson")
    on.look(2500)
    on.top(".read-report")
    on.say("The suggested report is yours to correct")
    on.look(2500)
    on.top()


def localize(on: Recorder) -> None:
    """What a text names, outlined."""
    on.say("Localize: where is it?")
    on.click("#tab-search-button")
    on.click('#detail [data-act="locate"]', ".locate[data-drawn]")
    on.type("#locate-query textarea", "left lung")
    on.page.wait_for_selector('.locate[data-name="left lung"][data-drawn] .verdict:not(:empty)')
    on.say("The overlay slides off the film; the threshold answers at once")
    on.look(1500)
    on.slide("split", range(90, 9, -20))
    on.type("#locate-query textarea", "cardiomegaly")
    on.page.wait_for_selector('.locate[data-name="cardiomegaly"][data-drawn] .verdict:not(:empty)')
    on.say("Cardiomegaly comes with the cardiothoracic ratio")
    on.look(2500)


def generate(on: Recorder) -> None:
    """Generated films, and the way from normal to a finding."""
    on.say("Generate: films of no patient, checked against copies")
    on.click("#tab-generate-button", "#generate-text textarea")
    on.type("#generate-text textarea", "cardiomegaly")
    on.page.wait_for_selector(".made[data-drawn]:has(.check.good)")
    on.look(2000)
    on.say("From a normal film to the finding")
    on.slide("step", range(0, 16), 350)
    on.look(1200)


def practice(on: Recorder) -> None:
    """A film to commit to, and the correction."""
    on.say("Practice: commit first, be corrected after")
    on.click("#tab-practice-button", ".practice-start")
    on.look(2000)
    on.click('[data-do="begin"][data-mode="practice"]', ".practice-ask")
    on.top(".practice-ask")
    on.look(2000)
    on.click('[data-say="abnormal"]')
    on.say("Name what you see, mark where it is, say how sure you are")
    on.click('[data-do="pick"][data-finding="pleural effusion"]')
    on.look(1200)
    on.top(".practice-ask")
    film = on.page.locator(".practice-film .stage").bounding_box()
    place = film["x"] + 0.3 * film["width"], film["y"] + 0.62 * film["height"]
    on.look(900, place)
    on.page.mouse.click(*place)
    on.look(1200)
    on.click('[data-do="commit"]', "[data-part=answer]")
    on.say("What was right, what was missed, why; the model's opinion last")
    on.top(".practice-ask")
    on.look(3500)
    on.top("[data-part=below]")
    on.say("Look-alikes under one window")
    on.look(2500)
    on.top()


def learn(on: Recorder) -> None:
    """A lesson with its films and a question."""
    on.say("Learn: a short lesson on each finding, with its sources")
    on.click("#tab-learn-button", "#learn-list a")
    on.click('#learn-list [data-lesson="cardiomegaly"]', "#learn-studies section")
    on.page.wait_for_selector(".lesson-slide img")
    on.look(3000)
    on.say("Typical and borderline films beside it, and three questions")
    on.top(".check-yourself")
    on.look(1500)
    question = on.page.locator("[data-question]").first
    right = int(question.get_attribute("data-right") or 0)
    on.click(question.locator(".choice").nth((right + 1) % 3))
    on.look(1500)
    on.click(question.locator(".choice").nth(right))
    on.look(2000)
    on.top()


def collections(on: Recorder) -> None:
    """Films that are kept, two of them compared."""
    on.say("Collections: keep films in this browser, compare, share, print")
    on.click("#tab-search-button")
    for index in range(3):
        on.click(on.page.locator("#results [data-keep]").nth(index), hold_ms=500)
        on.look(500)
    on.page.evaluate("document.querySelector('#tray-said')?.replaceChildren()")
    on.click("[data-tray=open]")
    on.page.wait_for_function("document.querySelectorAll('#collection li[data-study]').length > 2")
    on.look(2500)
    for index in range(2):
        on.click(on.page.locator("[data-choose]").nth(index), hold_ms=500)
    on.click('[data-do="compare"]', "#comparison .stage")
    on.page.wait_for_timeout(1500)
    on.say("Two films under one window")
    on.look(2500)
    on.top()


def atlas(on: Recorder) -> None:
    """The gallery as a map."""
    on.say("Atlas: films that look alike lie together; a diamond was missed in Practice")
    on.click("#tab-atlas-button")
    on.page.wait_for_selector("#atlas [data-drawn], #atlas[data-drawn]", state="attached")
    on.look(2500)
    on.page.select_option("[data-control=finding]", "pleural effusion")
    on.look(1800)
    on.page.focus(".atlas-map canvas")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp"):
        on.page.keyboard.press(key)
        on.page.wait_for_selector(".atlas-card:not([hidden])")
        on.page.wait_for_timeout(400)
        on.look(1200)


def end(on: Recorder) -> None:
    """Light, and the sheet of keys."""
    on.page.keyboard.press("Escape")
    on.top()
    on.say("Dark or light, by mouse, touch or keys")
    on.click("#palette")
    on.page.wait_for_timeout(400)
    on.look(1500)
    on.click("[data-help=open]", "#help[open]")
    on.look(3000)


SCENES: tuple[Callable[[Recorder], None], ...] = (
    welcome,
    search,
    read,
    localize,
    generate,
    practice,
    learn,
    collections,
    atlas,
    end,
)


def encoded(frames: list[Image.Image], holds: list[int]) -> bytes:
    """The pictures as an animated WebP of at most MOST_BYTES.

    Raises:
        ValueError: it is larger even at the lowest of QUALITIES.
    """
    for quality in QUALITIES:
        file = io.BytesIO()
        frames[0].save(
            file,
            "WEBP",
            save_all=True,
            append_images=frames[1:],
            duration=holds,
            loop=0,
            quality=quality,
            method=6,
        )
        if file.tell() <= MOST_BYTES:
            return file.getvalue()
    raise ValueError(f"expected at most {MOST_BYTES:,} bytes, got {file.tell():,}; record less")


def main() -> None:
    """Write docs/walkthrough.webp."""
    if len(sys.argv) != 2:
        raise SystemExit("expected the address of a running page; name it")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(
            viewport={"width": WINDOW[0], "height": WINDOW[1]}, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script("localStorage.setItem('cxr-tour', '{}')")
        page = context.new_page()
        page.goto(sys.argv[1])
        page.wait_for_selector("#welcome .tiles")
        page.wait_for_timeout(1000)
        recorder = Recorder(page)
        for scene in SCENES:
            scene(recorder)
            print(f"{scene.__name__}: {len(recorder.frames)} pictures", flush=True)
        browser.close()
    WALKTHROUGH.write_bytes(encoded(recorder.frames, recorder.holds))
    seconds = sum(recorder.holds) / 1000
    print(f"{WALKTHROUGH.stat().st_size:,} bytes, {seconds:.0f} s, {len(recorder.frames)} pictures")


if __name__ == "__main__":
    main()

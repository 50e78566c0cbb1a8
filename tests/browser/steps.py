"""What a visitor does, as one step each."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

FILMS = '#results [data-act="open"]'
PATIENCE_S = 60  # a shared machine may be slow; a quick one waits for nothing


def ask(page, text: str) -> None:
    """Type a query and press Enter."""
    page.fill("#query textarea", text)
    page.press("#query textarea", "Enter")


def search(page, text: str) -> list[str]:
    """Ask, and wait -> what each card says, best first."""
    ask(page, text)
    page.wait_for_selector(f'.asked-for:has-text("{text}")')
    page.wait_for_selector(FILMS)
    return cards(page)


def cards(page) -> list[str]:
    """What each card found says."""
    return page.locator(FILMS).evaluate_all(
        "cards => cards.map(card => card.textContent.replace(/\\s+/g, ' ')"
        ".replace(/ ([;,:])/g, '$1').trim())"
    )


def open_film(page, index: int = 0) -> None:
    """Open a film, and wait until it is drawn."""
    page.click(f'{FILMS}[data-index="{index}"] .film')  # not the names below it, which are links
    page.wait_for_selector(f'.viewer[data-index="{index}"]')
    drawn(page)


def drawn(page, stage: str = ".stage") -> None:
    """Wait until the open film is on its canvas, which is clear at first."""
    page.wait_for_function(
        "stage => { const c = document.querySelector(`${stage} canvas`);"
        " return c && document.querySelector(`${stage} .stage-note`).innerText === ''"
        " && c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[3] === 255; }",
        arg=stage,
    )


def loaded(page) -> None:
    """Wait for every picture in sight, those further down too, so that none is asked for later."""
    page.wait_for_function(
        "() => { const all = [...document.images].filter(one => one.src && one.checkVisibility());"
        " all.forEach(one => { one.loading = 'eager'; });"
        " return all.every(one => one.complete); }"
    )


def until(page, ready: Callable[[], object], what: str) -> None:
    """Wait until ready() of this process, while the page goes on."""
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline, f"expected {what}; it did not come"
        page.wait_for_timeout(50)


def pixels(page) -> np.ndarray:
    """What is drawn of the open film: uint8 [H, W], after the next frame."""
    width, height, greys = page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {"
        " const c = document.querySelector('.stage canvas');"
        " const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        " done([c.width, c.height, Array.from(data).filter((_, i) => i % 4 === 0)]); })))"
    )
    return np.array(greys, dtype=np.uint8).reshape(height, width)


def slide(page, name: str, value: float) -> None:
    """Set one of the viewer's sliders."""
    page.locator(f'[data-slider="{name}"]').evaluate(
        "(slider, value) => { slider.value = value;"
        " slider.dispatchEvent(new Event('input', { bubbles: true })); }",
        value,
    )


def overflow(page) -> int:
    """Pixels by which the page is wider than the window."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def canvas(page, selector: str) -> np.ndarray:
    """What is drawn on a canvas: uint8 [H, W, 3], after the next frame."""
    width, height, data = page.evaluate(
        "selector => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => {"
        " const c = document.querySelector(selector);"
        " const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);"
        " let text = ''; for (let i = 0; i < data.length; i += 4)"
        "  text += String.fromCharCode(data[i], data[i + 1], data[i + 2]);"
        " done([c.width, c.height, btoa(text)]); })))",
        selector,
    )
    levels = np.frombuffer(base64.b64decode(data), np.uint8)
    return levels.reshape(height, width, 3)


def changed(page, selector: str, before: np.ndarray) -> np.ndarray:
    """What is drawn on a canvas, once it is something else than before."""
    until(
        page,
        lambda: not np.array_equal(canvas(page, selector), before),
        f"another picture on {selector}",
    )
    return canvas(page, selector)


def download(page, selector: str) -> tuple[str, bytes]:
    """Click, and take what the page saves: its name and its bytes."""
    with page.expect_download() as saved:
        page.click(selector)
    return saved.value.suggested_filename, Path(saved.value.path()).read_bytes()


def uploads(server) -> list[str]:
    """Files left of uploads, given time to be read, but not to be cleared as left over."""
    deadline = time.monotonic() + PATIENCE_S
    while left := [str(path) for path in server.uploads.rglob("*") if path.is_file()]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left

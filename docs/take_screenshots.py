"""Take the pictures of every tab that README.md and the docs show.

Run `python docs/take_screenshots.py ADDRESS` with the address of a running page whose gallery is
examples/gallery: every film on the pictures is then synthetic. Needs Playwright and Chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests/browser"))

from screens import SCREENS, palette  # noqa: E402

FOLDER = REPOSITORY / "docs/screenshots"
WIDE, NARROW = (1280, 900), (390, 844)
PICTURES = (  # screen, size, dark
    ("found", WIDE, True),
    ("read", WIDE, True),
    ("localize", WIDE, True),
    ("generate", WIDE, False),
    ("feedback", WIDE, False),
    ("lesson", WIDE, False),
    ("comparison", WIDE, True),
    ("atlas", WIDE, True),
    ("keys", WIDE, False),
    ("welcome", NARROW, True),
    ("question", NARROW, False),
)
PATIENCE_MS = 120_000


def picture(browser: Browser, address: str, name: str, size: tuple[int, int], dark: bool) -> bytes:
    """One screen as a visitor sees it, as the bytes of a PNG file."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script("localStorage.setItem('cxr-tour', '{}')")
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#welcome .tiles")
    SCREENS[name](page)
    palette(page, dark)
    page.evaluate(
        "document.activeElement.blur(); if (!document.querySelector('#help[open]')) scrollTo(0, 0)"
    )
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)
    taken = page.screenshot()
    context.close()
    return taken


def main() -> None:
    """Write docs/screenshots/NAME.webp for each of PICTURES that is named, or for all."""
    if len(sys.argv) < 2:
        raise SystemExit("expected the address of a running page, got none; name it")
    address, wanted = sys.argv[1], set(sys.argv[2:])
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, size, dark in PICTURES:
            if wanted and name not in wanted:
                continue
            taken = Image.open(io.BytesIO(picture(browser, address, name, size, dark)))
            taken.convert("RGB").save(FOLDER / f"{name}.webp", quality=82, method=6)
            print(name, flush=True)
        browser.close()


if __name__ == "__main__":
    main()

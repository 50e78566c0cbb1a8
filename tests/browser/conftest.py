"""A real Chromium on the real page: one browser, one server, a fresh visitor a test."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from app_gallery import make_shelf
from app_server import START_S, Server, serving
from practice_gallery import make_practice_shelf
from reporting_parts import save_reporting

from cxr.checkpoints.fingerprints import fingerprint

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def browser():
    """Chromium: CHROMIUM, else `chromium` on the PATH, else Playwright's own; skips without."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    named = os.environ.get("CHROMIUM")
    if named and not Path(named).exists():
        pytest.fail(f"expected a browser at CHROMIUM={named}, found none; correct the variable")
    with playwright.sync_playwright() as driver:
        try:
            chromium = driver.chromium.launch(
                executable_path=named or shutil.which("chromium"), args=FLAGS
            )
        except playwright.Error as error:
            reason = str(error).splitlines()[0]
            pytest.skip(f"no Chromium here (install it, or set CHROMIUM): {reason}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(browser, tmp_path_factory, film):
    """The app over the drawn gallery."""
    folder = tmp_path_factory.mktemp("browser")
    shelf = make_shelf(folder, film)
    with serving(folder, shelf.gallery, shelf.weights) as running:
        yield running


@pytest.fixture(scope="session")
def drawn_server(browser, tmp_path_factory, film):
    """The app over the same gallery, with a localizer and a generator that draw what is asked."""
    folder = tmp_path_factory.mktemp("drawn")
    shelf = make_shelf(folder, film)
    with serving(folder, shelf.gallery, shelf.weights, "tests/browser/drawn_app.py") as running:
        yield running


@pytest.fixture(scope="session")
def whole_server(browser, tmp_path_factory, film):
    """The app with every tab at work, over a drawn gallery whose labels are radiologists'."""
    folder = tmp_path_factory.mktemp("whole")
    shelf = make_practice_shelf(folder, film)
    reporting = save_reporting(folder / "reporting", fingerprint(shelf.weights), 1e9)
    script = "tests/browser/drawn_app.py"
    settings = {"CXR_REPORTING": str(reporting)}
    with serving(folder, shelf.gallery, shelf.weights, script, **settings) as running:
        yield running


@pytest.fixture
def visit(browser):
    """visit(server, width=1280, height=900, **context) -> a page, opened by a new visitor and ready
    when something that matches `ready` is to be seen.

    At the end of the test no visitor may have asked anything of another host, met an error in the
    page's scripts, or run a study's text.
    """
    contexts, elsewhere, errors = [], [], []

    def open_page(
        server: Server,
        width: int = 1280,
        height: int = 900,
        path: str = "",
        ready: str = "#welcome :is(.tiles, .state)",
        toured: bool = True,
        **options,
    ):
        context = browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        if toured:  # the tour was left before, on another page
            context.add_init_script(
                "localStorage.getItem('cxr-tour') ?? localStorage.setItem('cxr-tour', '{}')"
            )
        page = context.new_page()
        own = (server.url, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(own) or elsewhere.append(r.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url + path)
        page.wait_for_selector(ready, timeout=START_S * 1000)
        return page

    yield open_page
    hacked = [page.evaluate("window.hacked") for context in contexts for page in context.pages]
    for context in contexts:
        context.close()
    assert not elsewhere and not errors and not any(hacked)

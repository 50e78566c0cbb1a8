"""What a fresh checkout shows without data and without a network: its own models and films."""

from __future__ import annotations

import numpy as np
import pytest
from app_server import REPOSITORY, serving
from steps import canvas, search, slide

FILM = ".made-film canvas"


@pytest.fixture(scope="module")
def fresh_server(browser, tmp_path_factory):
    """The app over what the repository holds."""
    gallery, weights = REPOSITORY / "examples" / "gallery", REPOSITORY / "weights" / "retrieval"
    with serving(tmp_path_factory.mktemp("fresh"), gallery, weights) as running:
        yield running


def test_typed_findings_bring_synthetic_films_that_say_so(fresh_server, visit):
    page = visit(fresh_server)
    found = search(page, "fluid around the lung")
    assert sum("pleural effusion" in card for card in found) > len(found) / 3  # 1 in 20 by lot
    assert page.locator('#results [data-act="open"]:has-text("synthetic")').count() == len(found)


def test_films_are_generated_and_slid_through(fresh_server, visit):
    page = visit(fresh_server, path="#generate", ready="#generated .state")
    page.fill("#generate-text textarea", "pleural effusion")
    page.press("#generate-text textarea", "Enter")
    page.wait_for_selector('.made[data-text="pleural effusion"][data-drawn]:has(.check.good)')
    assert "Not a copy" in page.inner_text(".check")
    shown = canvas(page, FILM)
    slide(page, "step", 0)
    normal = canvas(page, FILM)
    slide(page, "film", 1)
    other = canvas(page, FILM)
    assert shown.std() > 20  # a film, no grey area
    assert np.abs(shown.astype(int) - normal).mean() > 1
    assert np.abs(other.astype(int) - normal).mean() > 1

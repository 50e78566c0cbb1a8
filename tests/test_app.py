"""The page as a whole, without a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cxr.tabs.app import build_app, launch_options
from cxr.tabs.services import Services
from cxr.tabs.shared.theme import DARK, LIGHT


@pytest.fixture
def services(tmp_path):
    return Services(str(tmp_path / "no gallery"), str(tmp_path / "no weights"))


def test_endpoints_keep_their_names_and_explain_themselves(services):
    page = build_app(services)
    named = {fn.api_name: fn for fn in page.fns.values() if fn.api_visibility != "private"}
    handlers = {name.removeprefix("page_") for name in named if name.startswith("page_")}
    assert {"search", "report", "locate", "sample"} <= set(named) and handlers == {
        "search_by_film",
        "filter",
        "unfilter",
        "open_film",
        "more",
        "back",
        "step",
        "close_film",
        "more_like_this",
        "match",
        "open_contrast",
        "region",
        "like_region",
        "heat_map",
        "search",
        "go_to",
        "drop_chip",
        "open_tile",
    }
    reading = {name.removeprefix("read_") for name in named if name.startswith("read_")}
    assert reading == {
        "upload",
        "choose_example",
        "carry_from_search",
        "force",
        "correct",
        "choose",
        "choose_evidence",
        "compare_upload",
        "compare_support",
        "compare_evidence",
        "compare",
        "end_comparison",
        "close",
        "receive_upload",
        "receive_choose_example",
        "receive_carry_from_search",
        "receive_force",
        "receive_correct",
        "receive_choose",
        "receive_choose_evidence",
        "receive_compare_upload",
        "choose_setting",
        "receive_choose_setting",
    }
    locating = {name.removeprefix("localize_") for name in named if name.startswith("localize_")}
    assert locating == {
        "locate",
        "upload",
        "carry_from_search",
        "carry_from_read",
        "choose_example",
        "close",
        "receive_locate",
        "receive_upload",
        "receive_carry_from_search",
        "receive_carry_from_read",
        "receive_choose_example",
    }
    making = {name.removeprefix("generate_") for name in named if name.startswith("generate_")}
    assert making == {
        "generate",
        "again",
        "compare",
        "compare_again",
        "compare_chosen",
        "choose",
    }
    assert not [name for name, fn in named.items() if not fn.fn.__doc__]
    assert page.title == "CXR Reading Room" and page.delete_cache and not page.analytics_enabled


def test_the_page_asks_nothing_of_the_network(services):
    options = launch_options(services)
    assert options["footer_links"] == ["api"] and options["mcp_server"] and not options["share"]
    texts = [options["css"], options["head"], *options["theme"]._font_css]
    assert not [text for text in texts if "http" in text]
    assert not [sheet for sheet in options["theme"]._stylesheets if sheet.startswith("http")]


@pytest.mark.parametrize("palette", [DARK, LIGHT])
def test_text_is_readable_on_every_ground(palette):
    pairs = [
        (text, ground)
        for text in ("ink", "muted", "accent", "caution", "error")
        for ground in ("ground", "panel", "raised")
    ]
    pairs += [("accent", "accent_soft"), ("ink", "error_soft"), ("on_accent", "accent")]
    for text, ground in pairs:
        ratio = contrast(getattr(palette, text), getattr(palette, ground))
        assert ratio >= 4.5, (text, ground, ratio)  # WCAG 2.2, success criterion 1.4.3


def contrast(one: str, other: str) -> float:
    """The contrast of two "#rrggbb" colours, 1 to 21, as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_gradio_is_told_to_stay_silent_before_it_is_imported():
    source = (Path(__file__).parents[1] / "app.py").read_text("utf-8")
    analytics = source.index("GRADIO_ANALYTICS_ENABLED")
    assert analytics < source.index("import Services")  # gradio reads it when it is imported

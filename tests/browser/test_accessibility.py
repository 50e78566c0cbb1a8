"""axe-core finds nothing on any tab, dark or light, wide or narrow; the focus is seen."""

from __future__ import annotations

import pytest
from screens import SCREENS, found, palette
from steps import overflow

axe_core = pytest.importorskip("axe_playwright_python.sync_playwright")
SIZES = [(1280, 900), (390, 844)]
LEVELS = (
    "() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')]"
    ".filter(one => one.checkVisibility() && one.textContent.trim())"
    ".map(one => Number(one.tagName[1]))"
)
RINGED = """() => {
  const here = document.activeElement;
  const shown = one => one && getComputedStyle(one).outlineStyle !== 'none'
    && parseFloat(getComputedStyle(one).outlineWidth) >= 2;
  const name = `${here.tagName} ${here.id} ${here.className} ${here.textContent.slice(0, 30)}`;
  return shown(here) || shown(here.closest('label')) ? '' : name;
}"""


def violations(page) -> list[str]:
    """What axe-core has against the page as it is, of whatever severity."""
    found_wrong = axe_core.Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:120]}"
        for one in found_wrong
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
@pytest.mark.parametrize("name", SCREENS)
def test_axe_finds_nothing(whole_server, visit, name, size):
    page = visit(whole_server, *size, ready="#welcome .tiles")
    SCREENS[name](page)
    for dark in (True, False):
        palette(page, dark)
        assert violations(page) == [], f"{name}, {'dark' if dark else 'light'}"
    levels = page.evaluate(LEVELS)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= former + 1 for former, later in zip(levels, levels[1:]))
    assert overflow(page) == 0


def test_axe_sees_what_is_wrong(whole_server, visit):
    page = visit(whole_server, ready="#welcome .tiles")
    page.evaluate("document.querySelector('#palette').removeAttribute('aria-label')")
    page.evaluate("document.querySelector('#palette').removeAttribute('title')")
    page.evaluate("document.querySelector('.frame-head .note').style.color = '#333'")
    assert {one.split()[0] for one in violations(page)} == {"button-name", "color-contrast"}


def test_the_focus_is_always_seen(whole_server, visit):
    page = visit(whole_server, ready="#welcome .tiles")
    found(page)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    unseen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement !== document.body"):
            unseen.append(page.evaluate(RINGED))
    assert len(unseen) > 40 and set(unseen) == {""}


def test_nothing_moves_for_who_asked_for_less_motion(whole_server, visit):
    page = visit(whole_server, ready="#welcome .tiles")
    moving = page.evaluate(
        "() => [...document.querySelectorAll('.gradio-container *')].filter(one => {"
        " const style = getComputedStyle(one);"
        " return style.animationName !== 'none' || (style.transitionProperty !== 'none'"
        " && style.transitionDuration.split(',').some(time => parseFloat(time) > 0)); }).length"
    )
    assert moving == 0

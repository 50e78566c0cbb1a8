"""Real X-rays and the trained model, where both are at hand: typed findings, real films."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from app_server import REPOSITORY, serving
from steps import cards, drawn, open_film, overflow, search

WEIGHTS = Path(os.environ.get("CXR_WEIGHTS") or REPOSITORY / "weights" / "retrieval")
SHOTS = REPOSITORY / "runs" / "screenshots"  # git ignores runs/: real films are never committed
FILMS = 160


@pytest.fixture(scope="module")
def real_server(browser, real_data, tmp_path_factory):
    """The app over films of NIH's test split, in a gallery made on the command line."""
    if not (WEIGHTS / "config.json").is_file():
        pytest.skip(f"no trained model at {WEIGHTS}: train one, or set CXR_WEIGHTS")
    folder = tmp_path_factory.mktemp("real")
    root = part_of_nih(real_data / "nih", folder / "nih")
    gallery = folder / "gallery"
    command = ["gallery", "build", str(root), "--out", str(gallery), "--weights", str(WEIGHTS)]
    subprocess.run([sys.executable, "-m", "cxr", *command], cwd=REPOSITORY, check=True)
    with serving(folder, gallery, WEIGHTS) as running:
        yield running


def part_of_nih(nih: Path, root: Path) -> Path:
    """The first FILMS test films of NIH, as a data set of its own in NIH's layout."""
    (root / "images").mkdir(parents=True)
    shutil.copy(nih / "Data_Entry_2017.csv", root)
    rows = (nih / "split.csv").read_text("utf-8").splitlines()[1:]
    test = [Path(row.split(",")[0]).stem for row in rows if row.endswith(",test")]
    for stem in test[:FILMS]:
        shutil.copy(nih / "images" / f"{stem}.jpg", root / "images")
    return root


@pytest.mark.parametrize(
    ("query", "finding"),
    [("atelectasis", "atelectasis"), ("fluid around the lung", "pleural effusion")],
)
def test_typed_findings_bring_real_films_that_show_them(real_server, visit, query, finding):
    page = visit(real_server, 1280, 1000)
    among_all = int(page.inner_text(f'.tiles [data-name="{finding}"] .person').split()[0])
    found = search(page, query)
    hits = sum(finding in card.split(";")[0] for card in found)
    assert hits / len(found) > among_all / FILMS, found  # better than films drawn by lot
    open_film(page)
    page.click('[data-act="heat"]')
    page.wait_for_selector(".stack .heat")
    keep(page, finding)


def keep(page, name: str) -> None:
    """Keep a screenshot for whoever runs the tests."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def test_a_real_film_finds_others_on_a_phone(real_server, visit):
    page = visit(real_server, 390, 844)
    search(page, "pneumothorax")
    open_film(page, 1)
    drawn(page)
    page.click("text=More like this")
    page.wait_for_selector('.asked-for:has-text("films like film")')
    assert len(cards(page)) == 12 and overflow(page) == 0
    keep(page, "phone")

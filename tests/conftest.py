"""What several test files share: drawn films, and the real ones where they are at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from drawn_films import draw_film
from hub_server import hub_server

if "PYTEST_XDIST_WORKER" in os.environ:  # one thread each, before torch is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]
FILMS = (  # patient, age, sex, view, findings: two films of patient p1, one without labels
    ("p1", "64", "F", "PA", "No Finding"),
    ("p1", "65", "F", "AP", "Cardiomegaly|Effusion"),
    ("p2", "31", "M", "PA", "No Finding"),
    ("p3", "47", "F", "Lateral", "Mass"),
    ("p4", "", "M", "AP", "Pneumothorax"),
    ("p5", "58", "", "PA", "Nodule|Infiltration"),
    ("p6", "72", "M", "", "Pleural_Thickening"),
    ("p7", "25", "F", "PA", ""),
)


@pytest.fixture(scope="session")
def film():
    """draw_film(seed, size) -> PIL image, mode "L"."""
    return draw_film


@pytest.fixture
def synthetic_folder(tmp_path: Path) -> Path:
    """A data set in the "folder" layout: studies.csv and eight drawn PNG films under images/."""
    root = tmp_path / "drawn"
    (root / "images").mkdir(parents=True)
    with open(root / "studies.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["image", "patient_id", "age", "sex", "view", "finding"])
        for number, row in enumerate(FILMS):
            draw_film(number).save(root / "images" / f"film{number}.png")
            table.writerow([f"film{number}.png", *row])
    return root


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The Hugging Face Hub on loopback, which this process takes for the real one, and no waits."""
    monkeypatch.setattr("cxr.hub.errors.WAITS", (0, 0, 0))
    with hub_server() as server:
        server.connect(monkeypatch, tmp_path / "hub cache")
        yield server


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real films (CXR_DATA, else ../shared/data); skips where there is none."""
    folder = Path(os.environ.get("CXR_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (folder / "nih").is_dir():
        pytest.skip("no real films here: set CXR_DATA to the folder that holds nih/, covid/ ...")
    return folder

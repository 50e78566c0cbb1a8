"""What several test files share: drawn films, and the real ones where they are at hand."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from hub_server import hub_server
from PIL import Image, ImageDraw, ImageFilter

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


def draw_film(seed: int = 0, size: tuple[int, int] = (96, 112)) -> Image.Image:
    """A drawn picture with two dark lungs and a bright heart, no patient's: mode "L", (W, H)."""
    random = np.random.default_rng(seed)
    width, height = size
    film = Image.new("L", size, 150)
    draw = ImageDraw.Draw(film)
    for left in (0.10, 0.56):
        top = 0.12 + 0.05 * random.random()
        draw.ellipse([left * width, top * height, (left + 0.34) * width, 0.85 * height], fill=45)
    radius = 0.10 + 0.10 * random.random()
    draw.ellipse(
        [(0.55 - radius) * width, 0.50 * height, (0.55 + radius) * width, 0.80 * height], fill=205
    )
    pixels = np.asarray(film.filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)
    pixels = (pixels + random.normal(0, 4, pixels.shape)).clip(0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


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
    monkeypatch.setattr("cxr.hub_errors.WAITS", (0, 0, 0))
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

"""Small data sets with masks, made by the tests: drawn films whose truth is known to the pixel."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

SHAPES = {  # ellipses: centre and radii as fractions of the width and the height
    "right lung": (0.28, 0.50, 0.16, 0.34),
    "left lung": (0.72, 0.50, 0.16, 0.34),
    "heart and mediastinum": (0.52, 0.62, 0.10, 0.20),
    "airways": (0.50, 0.20, 0.04, 0.14),
    "ground-glass opacity": (0.28, 0.70, 0.08, 0.08),  # right lower zone
    "consolidation": (0.72, 0.30, 0.08, 0.08),  # left upper zone
    "endotracheal tube": (0.50, 0.15, 0.01, 0.12),
}
GREY = {
    "right lung": 40,
    "left lung": 40,
    "heart and mediastinum": 190,
    "airways": 70,
    "ground-glass opacity": 110,
    "consolidation": 215,
    "endotracheal tube": 250,
}
ALWAYS = ("right lung", "left lung", "heart and mediastinum", "airways")


def ellipse(target: str, size: tuple[int, int]) -> np.ndarray:
    """bool [H, W] for a (width, height)."""
    x, y, across, down = SHAPES[target]
    width, height = size
    rows, columns = np.mgrid[:height, :width]
    return ((columns / width - x) / across) ** 2 + ((rows / height - y) / down) ** 2 <= 1


def drawn(targets, size: tuple[int, int], seed: int) -> tuple[Image.Image, dict[str, np.ndarray]]:
    """A film that shows `targets`, and the mask of each."""
    random = np.random.default_rng(seed)
    pixels = np.full(size[::-1], 130.0) + random.normal(0, 5, size[::-1])
    masks = {target: ellipse(target, size) for target in SHAPES if target in targets}
    for target, mask in masks.items():
        pixels[mask] = GREY[target] + random.normal(0, 5, int(mask.sum()))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), masks


def make_masks(root: Path, count: int = 12, size: tuple[int, int] = (80, 96)) -> Path:
    """masks.csv with images.csv: every second film shows ground glass, every third consolidation
    and a tube; of six films one validates and one tests."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    with (
        open(root / "images.csv", "w", newline="") as images,
        open(root / "masks.csv", "w", newline="") as masks,
    ):
        image_rows, mask_rows = csv.writer(images), csv.writer(masks)
        image_rows.writerow(["image", "split", "patient_id", "view", "sex", "age"])
        mask_rows.writerow(["image", "target", "mask", "area_fraction"])
        for row in range(count):
            shown = [
                *ALWAYS,
                *(["ground-glass opacity"] if row % 2 == 0 else []),
                *(["consolidation", "endotracheal tube"] if row % 3 == 0 else []),
            ]
            film, found = drawn(shown, size, row)
            film.save(root / "images" / f"film{row}.png")
            image_rows.writerow(
                [
                    f"film{row}.png",
                    {4: "val", 3: "test"}.get(row % 6, "train"),
                    f"patient{row}",
                    "PA",
                    "MF"[row % 2],
                    30 + 3 * row,
                ]
            )
            for target, mask in found.items():
                name = f"film{row}__{target.replace(' ', '_')}.png"
                Image.fromarray(mask).save(root / "masks" / name)
                mask_rows.writerow([f"film{row}.png", target, name, round(float(mask.mean()), 4)])
    return root


def make_lungs(root: Path, count: int = 4, size: tuple[int, int] = (96, 80)) -> Path:
    """masks.csv alone, with a split column and the one target "lungs"."""
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    with open(root / "masks.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "split", "target", "mask", "area_fraction"])
        for row in range(count):
            film, found = drawn(ALWAYS[:2], size, 100 + row)
            film.save(root / "images" / f"child{row}.png")
            lungs = found["right lung"] | found["left lung"]
            Image.fromarray(lungs).save(root / "masks" / f"child{row}.png")
            rows.writerow(
                [
                    f"child{row}.png",
                    "test" if row == 3 else "train",
                    "lungs",
                    f"child{row}.png",
                    0.3,
                ]
            )
    return root


def make_openi(root: Path) -> Path:
    """Open-I's layout: films in images/images_normalized, masks in masked/, two CSV files."""
    (root / "images" / "images_normalized").mkdir(parents=True)
    (root / "masked" / "heart").mkdir(parents=True)
    with open(root / "indiana_projections.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["uid", "filename", "projection"])
        rows.writerows([[uid, f"{uid}_IM-1-1001.dcm.png", "Frontal"] for uid in range(1, 9)])
    with open(root / "indiana_reports.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            [
                "uid",
                "MeSH",
                "Problems",
                "image",
                "indication",
                "comparison",
                "findings",
                "impression",
            ]
        )
        for uid in range(1, 9):
            problems = "normal" if uid == 3 else "Opacity;Cardiomegaly"
            rows.writerow([uid, problems, problems, "", "", "", "", f"Impression {uid}."])
    for uid in range(1, 9):
        film, found = drawn(ALWAYS, (64, 80), uid)
        film.save(root / "images" / "images_normalized" / f"{uid}_IM-1-1001.dcm.png")
        mask = Image.fromarray(found["heart and mediastinum"])
        if uid <= 6:
            name = f"{uid}_IM-1-1001.dcm.png" if uid % 2 else f"{uid}_IM-1-1001_mask.png"
            mask.save(root / "masked" / name)
        elif uid == 7:
            mask.save(root / "masked" / "heart" / f"{uid}_IM-1-1001.png")
    Image.fromarray(found["heart and mediastinum"]).save(root / "masked" / "stranger.png")
    return root

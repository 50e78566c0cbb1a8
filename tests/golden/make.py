"""Golden answers: what the shipped weights answer about the shipped gallery.

Run from the root of a checkout, with the current folder on the import path:

    python -m tests.golden.make [--out DIR]

It writes answers.safetensors (vectors, masks, samples) and answers.json (everything else, and the
fingerprints of the weights and the gallery that gave the answers). test_golden.py runs this module
again and compares. It uses the public names of `cxr` alone. All is computed in float32 on one
processor core, so that machines with and without bfloat16 instructions give the same answers.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file

import cxr

WEIGHTS = Path("weights")
MODELS = ("retrieval", "localizer", "generator", "reporting")
GALLERY = Path("examples/gallery")
SIDE = 64  # of stored masks and samples, in pixels
K = 12  # results of a search

SUGGESTED = (  # a study of each, where the gallery has one
    "atelectasis",
    "cardiomegaly",
    "consolidation",
    "edema",
    "no finding",
    "pleural effusion",
    "pleural thickening",
    "pneumothorax",
)
ENCODED = (*SUGGESTED, "emphysema", "fibrosis", "hernia", "infiltration", "mass", "nodule")
LOCATED = 6

TEXTS = (
    "cardiomegaly",
    "pleural effusion",
    "no pleural effusion",
    "pneumothorax",
    "right pneumothorax",
    "normal chest x-ray",
    "Demonstrates no acute cardiopulmonary abnormality.",
    "enlarged heart with fluid at the left base",
    "water on the lungs",
    "collapsed lung",
    "COPD, flattened diaphragms",
    "opacity in the left lower zone",
    "patchy consolidation without effusion",
    "large rounded mass in the right upper lobe",
    "Zustand nach Herzschrittmacher",
    "肺炎",
    "épanchement pleural à gauche",
    "broken rib 🩻",
    "x",
    "64-year-old female, frontal AP view. Findings: cardiomegaly, possible edema.",
    "25-year-old male, frontal PA view, demonstrates no acute cardiopulmonary abnormality.",
    "Findings: atelectasis, infiltration, nodule, pleural thickening.",
    "hernia, fibrosis and emphysema",
    "There is a moderate right pleural effusion with adjacent atelectasis. " * 30,
)
QUERIES = (
    ("pleural effusion", None),
    ("enlarged heart", None),
    ("no finding", None),
    ("fluid around the left lung", None),
    ("no pneumothorax", None),
    ("Pneumonie", None),
    ("pneumothorax", {"view": ("PA",)}),
    ("cardiomegaly", {"sex": "F", "age_min": 40}),
    ("edema", {"view": ("PA", "AP"), "age_max": 50}),
    ("nodule", {"present": ("nodule",)}),
    ("large heart", {"sex": "M", "absent": ("pleural effusion", "pneumothorax")}),
    ("hernia", {"present": ("hernia",), "sex": "F", "age_min": 60, "age_max": 80}),
)
PLACES = (
    "both lungs",
    "left lung",
    "enlarged heart",
    "windpipe",
    "opacity in the left lower zone",
    "hazy ground-glass shadowing, no lines",
    "consolidaton on the right",
    "bronchiole",
)
DRAWN = (
    "cardiomegaly, 70-year-old female",
    "large right pleural effusion",
    "normal chest x-ray",
    "pneumonia",
)
DRAWN_EACH, DRAWN_SEED = 2, 7


@contextmanager
def float32_on_one_core() -> Iterator[None]:
    """Hide GPUs, bfloat16 instructions and further cores from whoever asks PyTorch for them."""
    torch.set_num_threads(1)  # more would mostly wait for each other beside other tests
    no = functools.cache(lambda: False)  # cached, as PyTorch's own are, which it relies on
    with (
        mock.patch.object(torch.cuda, "is_available", no),
        mock.patch.object(torch.backends.mps, "is_available", no),
        mock.patch.object(torch.cpu, "get_capabilities", functools.cache(dict)),
    ):
        yield


def digest(files: list[Path]) -> str:
    """The sha256 over the names and the bytes of files, in the order of their names."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def fingerprints(root: Path = Path()) -> dict[str, str]:
    """Of every model's safetensors files, and of the gallery's table of studies, in a checkout."""
    found = {name: digest(list((root / WEIGHTS / name).glob("*.safetensors"))) for name in MODELS}
    return found | {"gallery": digest([root / GALLERY / "studies.parquet"])}


def reduced(pixels: np.ndarray) -> np.ndarray:
    """The means of equal blocks.

    Args:
        pixels: real [H, W], 0 to 255, both sides multiples of SIDE.

    Returns:
        uint8 [SIDE, SIDE].

    Raises:
        ValueError: another size.
    """
    height, width = pixels.shape
    if height % SIDE or width % SIDE:
        raise ValueError(f"expected sides that are multiples of {SIDE}, got {height} x {width}")
    blocks = pixels.astype(np.float64).reshape(SIDE, height // SIDE, SIDE, width // SIDE)
    return blocks.mean((1, 3)).round().astype(np.uint8)


def noise_image(seed: int = 7) -> Image.Image:
    """A picture that is no chest X-ray: 160 x 128 pixels of noise, mode "L"."""
    random = np.random.default_rng(seed)
    return Image.fromarray(random.integers(0, 256, (128, 160), dtype=np.uint8))


@functools.cache
def ids(names: tuple[str, ...] = ENCODED) -> list[str]:
    """For each finding the gallery's middle study with it alone; none for one without a study."""
    found: dict[str, list[str]] = {}
    for study in cxr.load_studies(GALLERY):
        found.setdefault("+".join(study.positive) or "no finding", []).append(study.id)
    return [found[name][len(found[name]) // 2] for name in names if name in found]


def images() -> dict[str, Image.Image]:
    """The gallery's images that are asked about, by study id."""
    studies = {study.id: study for study in cxr.load_studies(GALLERY)}
    return {name: cxr.load_image(studies[name].image) for name in ids()}


def retrieval(pictures: dict[str, Image.Image]) -> tuple[dict[str, np.ndarray], list[dict]]:
    """The vectors of images and TEXTS, and what is nearest to every query by the cosine alone."""
    retriever = cxr.Retriever.load(weights=WEIGHTS / "retrieval", gallery=GALLERY)
    vectors = {
        "image_vectors": retriever.encode_images([pictures[name] for name in ids()]),
        "text_vectors": retriever.encode_text(TEXTS),
    }
    gallery = retriever.gallery.studies
    asked = [(query, where, query) for query, where in QUERIES]
    asked += [(name, None, pictures[name]) for name in ids()[::4]]
    searches = []
    for name, where, query in asked:
        vector = retriever.encode(query).vector
        nearest = retriever.gallery.search(vector, K, where)
        found = [[gallery[row].id, round(score, 6)] for row, score in nearest]
        searches.append({"query": name, "where": where, "found": found})
    return vectors, searches


def masks(pictures: dict[str, Image.Image]) -> np.ndarray:
    """Where the first images show PLACES: uint8 [images, texts, SIDE, SIDE], 255 is surely."""
    localizer = cxr.Localizer.load(weights=WEIGHTS / "localizer")
    rows = [
        [reduced(255 * localizer.locate(pictures[name], text)) for text in PLACES]
        for name in ids(SUGGESTED)[:LOCATED]
    ]
    return np.array(rows)


def samples() -> np.ndarray:
    """Generated images: uint8 [texts, DRAWN_EACH, SIDE, SIDE]."""
    sampler = cxr.Sampler.load(weights=WEIGHTS / "generator")
    rows = [sampler.sample(text, n=DRAWN_EACH, seed=DRAWN_SEED) for text in DRAWN]
    return np.array([[reduced(np.asarray(image)) for image in row] for row in rows])


def suggestions(pictures: dict[str, Image.Image]) -> list[dict]:
    """What SUGGESTED and the picture of noise suggest."""
    suggester = cxr.ReportSuggester.load(weights=WEIGHTS / "retrieval", gallery=GALLERY)
    asked = {name: pictures[name] for name in ids(SUGGESTED)} | {"noise": noise_image()}
    found = []
    for name, picture in asked.items():
        suggestion = suggester.suggest(picture)
        found.append(
            {
                "image": name,
                "in_domain": bool(suggestion.in_domain),
                "warnings": list(suggestion.warnings),
                "report": suggestion.report,
                "findings": {one.name: round(one.probability, 6) for one in suggestion.findings},
            }
        )
    return found


def answers() -> tuple[dict[str, np.ndarray], dict]:
    """All answers of the checkout in the current folder: arrays, and what JSON can hold."""
    with float32_on_one_core():
        pictures = images()
        arrays, searches = retrieval(pictures)
        arrays |= {"masks": masks(pictures), "samples": samples()}
        suggested = suggestions(pictures)
    document = {
        "fingerprints": fingerprints(),
        "images": ids(),
        "texts": TEXTS,
        "searches": searches,
        "masks": {"images": ids(SUGGESTED)[:LOCATED], "texts": PLACES},
        "samples": {"texts": DRAWN, "n": DRAWN_EACH, "seed": DRAWN_SEED},
        "suggestions": suggested,
    }
    return arrays, document


def main() -> None:
    """Write the answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder (here)")
    options = parser.parse_args()
    arrays, document = answers()
    options.out.mkdir(parents=True, exist_ok=True)
    save_file(arrays, options.out / "answers.safetensors")
    text = json.dumps(document, indent=1, ensure_ascii=False)
    (options.out / "answers.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

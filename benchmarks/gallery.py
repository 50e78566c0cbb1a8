"""How much of the bare model's speed is left when a gallery is built with it.

    python -m benchmarks.gallery [ROOT] [--weights W] [--limit 256] [--rounds 3] [--json]

Bare: the image encoder on the same films, decoded and scaled beforehand, in batches of the same
size. Build: cxr.gallery.build_gallery from the files to the finished folder. Both take turns, in
one process, so that a busy machine slows both; the medians are compared. Target: at least 85%.
Without ROOT, films of 512 px are drawn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from cxr.data import load_studies
from cxr.findings import Study
from cxr.gallery import build_gallery
from cxr.images import load_image
from cxr.retrieval import Retriever


def draw_films(folder: Path, count: int) -> list[Study]:
    """Grey noise with a film's size and smoothness, as JPEG."""
    random = np.random.default_rng(0)
    studies = []
    for i in range(count):
        noise = Image.fromarray(random.integers(0, 256, (512, 420), dtype=np.uint8))
        path = folder / f"{i}.jpg"
        noise.filter(ImageFilter.GaussianBlur(4)).save(path, quality=90)
        studies.append(Study(id=str(i), source="drawn", patient=str(i), image=path))
    return studies


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(retriever: Retriever, studies: list[Study], batch_size: int, rounds: int) -> dict:
    """Images a second, bare and building, and their ratio."""
    squares = [retriever.prepare(load_image(study.image)) for study in studies]
    times: dict[str, list[float]] = {"bare": [], "build": []}

    def bare() -> None:
        for start in range(0, len(squares), batch_size):
            retriever.encode_prepared(squares[start : start + batch_size])

    retriever.encode_prepared(squares[:batch_size])  # warm up
    for _ in range(rounds):
        times["bare"].append(seconds(bare))
        with tempfile.TemporaryDirectory() as folder:

            def build(out: Path = Path(folder) / "gallery") -> None:
                build_gallery(
                    studies,
                    retriever.encode_prepared,
                    out,
                    retriever.encoder,
                    batch_size=batch_size,
                    progress=False,
                    prepare=retriever.prepare,
                )

            times["build"].append(seconds(build))
    speed = {name: len(studies) / statistics.median(found) for name, found in times.items()}
    return {
        "images": len(studies),
        "device": str(retriever.device),
        "backbone": retriever.model.config.image.backbone,
        "pixels": retriever.model.preprocess.size,
        "bare_images_a_second": round(speed["bare"], 1),
        "build_images_a_second": round(speed["build"], 1),
        "ratio": round(speed["build"] / speed["bare"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, help="a data set (films are drawn without)")
    parser.add_argument("--weights", default="weights/retrieval")
    parser.add_argument("--limit", type=int, default=256, help="films at most")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    retriever = Retriever.load(options.weights, gallery=None)
    with tempfile.TemporaryDirectory() as folder:
        if options.root is None:
            studies = draw_films(Path(folder), options.limit)
        else:
            studies = load_studies(options.root)[: options.limit]
        result = measure(retriever, studies, options.batch_size, options.rounds)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        print("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()

"""How long a report takes from an uploaded file to the full answer, beside the encoder alone.

    python -m benchmarks.report [--films DIR] [--gallery DIR] [--rounds 30] [--threads 2] [--json]

Each round opens a film's bytes (one of DIR's, else a drawing of 2,000 x 2,400 px), runs the gate,
the findings, the report and the search for similar studies. Target: median of at most 0.8 s on two
processor cores.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from pathlib import Path

import numpy as np
import torch

from cxr.images import load_image
from cxr.reporting import ReportSuggester
from train.reporting.drawings import draw

FILMS = 20  # at most, taken in turn


def film_bytes(folder: Path | None) -> list[bytes]:
    """The first FILMS files of a folder, or drawings as PNG."""
    if folder is not None:
        files = sorted(path for path in folder.iterdir() if path.is_file())[:FILMS]
        return [path.read_bytes() for path in files]
    films = []
    for seed in range(4):
        buffer = io.BytesIO()
        draw("soft ellipses", seed).resize((2_000, 2_400)).save(buffer, "PNG")
        films.append(buffer.getvalue())
    return films


def measure(suggester: ReportSuggester, films: list[bytes], rounds: int) -> dict:
    """Median and 95th percentile of seconds: the whole, and the encoder's pass alone."""
    whole, encoder = [], []
    for number in range(rounds + 2):
        start = time.perf_counter()
        image = load_image(films[number % len(films)])
        suggester.suggest(image, force=True)
        whole.append(time.perf_counter() - start)
        start = time.perf_counter()
        suggester.retriever.encode_images([image])
        encoder.append(time.perf_counter() - start)
    found = {}
    for name, seconds in (("answer", whole[2:]), ("encoder alone", encoder[2:])):  # 2 to warm up
        middle, slow = np.quantile(seconds, (0.5, 0.95))
        found[name] = {"p50_s": round(float(middle), 3), "p95_s": round(float(slow), 3)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="weights/retrieval")
    parser.add_argument("--reporting", default="weights/reporting")
    parser.add_argument("--gallery", help="where to look for similar studies (none)")
    parser.add_argument("--films", type=Path, help="folder of films to upload (drawings)")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2, help="processor cores to compute on")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    suggester = ReportSuggester.load(options.weights, options.gallery, options.reporting)
    result = measure(suggester, film_bytes(options.films), options.rounds)
    if options.json:
        print(json.dumps(result))
        return
    for name, seconds in result.items():
        print(f"{name:14}", *(f"{key} {value}" for key, value in seconds.items()), sep="  ")


if __name__ == "__main__":
    main()

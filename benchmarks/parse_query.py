"""Time that a query takes to be understood, in milliseconds.

Run from the root of a checkout: python -m benchmarks.parse_query [--json]
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path

import numpy as np

QUERIES = Path(__file__).parents[1] / "tests" / "queries" / "development.tsv"
LONG = "cardiomegaly, no effusion, pnuemonia in the left lower lobe of a 64-year-old woman; "


def measure() -> dict[str, float]:
    """Milliseconds of the first query, which builds the vocabulary, and of those after it."""
    from cxr.language import parse

    started = time.perf_counter()
    parse("cardiomegaly")
    built = time.perf_counter() - started
    with QUERIES.open(encoding="utf-8", newline="") as file:
        texts = {row["text"] for row in csv.DictReader(file, delimiter="\t")}
    times = []
    for text in sorted(texts - {"cardiomegaly"}):  # each once: answers are kept
        started = time.perf_counter()
        parse(text)
        times.append(time.perf_counter() - started)
    started = time.perf_counter()
    parse((LONG * 40)[:2_000])
    longest = time.perf_counter() - started
    return {
        "first_ms": round(1000 * built, 1),
        "median_ms": round(1000 * float(np.median(times)), 3),
        "p95_ms": round(1000 * float(np.quantile(times, 0.95)), 3),
        "2000_characters_ms": round(1000 * longest, 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    measured = measure()
    print(
        json.dumps(measured)
        if options.json
        else "\n".join(f"{k}: {v}" for k, v in measured.items())
    )


if __name__ == "__main__":
    main()

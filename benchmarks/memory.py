"""Whether the app's memory grows while visitors use it, of one checkout.

    python -m benchmarks.memory [CHECKOUT] [--rounds 11] [--seconds 60] [--visitors 16]

Starts `python app.py` with the shipped models. In each round a number of visitors, each with a
session of its own, ask for a search, a report and a localization in turn until the round's time is
over; then the process's memory is read from /proc (Linux alone). The first round warms up: growth
is that of the last round over the first, in percent. Target: less than 5% over ten rounds. Beside
the memory stand what could hold it: threads, open files, and files in the upload folder.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
from gradio_client import Client

from benchmarks.app_start import READY, answers, memory, running, wait_until

QUERIES = ("pleural effusion", "big heart, no fluid", "normal film of a woman over 60")
TARGETS = ("opacity in the left lower zone", "heart", "right lung")


def visit(url: str, images: list[str], number: int, until: float) -> int:
    """One visitor: ask in turn until a time of the monotonic clock. Returns how much was asked."""
    client, asked = Client(url, verbose=False, httpx_kwargs={"timeout": 120}), 0
    while time.monotonic() < until:
        turn = number + asked
        image = images[turn % len(images)]
        if turn % 3 == 0:
            client.predict(QUERIES[turn % len(QUERIES)], k=12, where=None, api_name="/search")
        elif turn % 3 == 1:
            client.predict(image, force=True, api_name="/report")
        else:
            client.predict(image, TARGETS[turn % len(TARGETS)], force=True, api_name="/locate")
        asked += 1
    client.close()
    return asked


def files_below(folder: Path) -> int:
    """How many files lie below a folder."""
    return sum(path.is_file() for path in folder.rglob("*"))


def measure(checkout: Path, rounds: int, seconds: float, visitors: int) -> dict:
    """Memory in MiB, requests, threads and files after each round."""
    pictures = sorted((checkout / "examples" / "gallery" / "images").iterdir())[:24]
    images = [base64.b64encode(path.read_bytes()).decode() for path in pictures]
    found: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        log, uploads = Path(folder) / "log", Path(folder) / "uploads"
        os.environ["GRADIO_TEMP_DIR"] = str(uploads)
        with running(checkout, log) as (app, url), ThreadPoolExecutor(visitors) as pool:
            wait_until(lambda: answers(url), app, log)
            wait_until(lambda: all(line in log.read_text() for line in READY), app, log)
            print("ready", json.dumps(memory(app)), file=sys.stderr, flush=True)
            for _ in range(rounds):
                until = time.monotonic() + seconds
                work = [pool.submit(visit, url, images, one, until) for one in range(visitors)]
                asked = sum(each.result() for each in work)
                process = psutil.Process(app.pid)
                state = {"threads": process.num_threads(), "open_files": process.num_fds()}
                state["upload_files"] = files_below(uploads)
                found.append({"requests": asked} | memory(app) | state)
                print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    first, last = found[0]["rss_mb"], found[-1]["rss_mb"]
    return {"rounds": found, "growth_percent": round(100 * (last / first - 1), 2)}


def main() -> None:
    """Measure, and print the growth or write everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(), help="folder (this one)")
    parser.add_argument("--rounds", type=int, default=11, help="the first warms up")
    parser.add_argument("--seconds", type=float, default=60, help="of each round")
    parser.add_argument("--visitors", type=int, default=16, help="at the same time")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    if options.rounds < 2 or options.visitors < 1:
        parser.error("expected two rounds or more, and a visitor")
    checkout = options.checkout.resolve()
    result = measure(checkout, options.rounds, options.seconds, options.visitors)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()

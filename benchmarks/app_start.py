"""How long the app takes to start, and how much memory it holds, of one checkout or of two in turn.

    python -m benchmarks.app_start [CHECKOUT [OTHER]] [--rounds 3] [--json FILE]

Each round starts `python app.py` in a checkout, with the shipped models, and takes the seconds
until the page answers and until every tab has said that it is ready. Then one search, one report,
one localization and one sample are asked for, and the process's memory is read from /proc (Linux
alone). Two checkouts take turns (A B A B), so that a busy machine slows both; each starts once
beforehand, uncounted. Compare the medians and `ratio`, the median of B / A over the rounds.
Seconds of processor time (`cpu`) vary less than seconds of the clock where other programs run;
`others_cores` says how many cores those had until all was ready.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from gradio_client import Client

READY = tuple(f"{tab}: ready" for tab in ("Search", "Read", "Localize", "Generate"))
MEMORY = {"VmRSS": "rss_mb", "VmHWM": "peak_mb", "RssAnon": "anonymous_mb"}
PATIENCE_S = 300
LOOK_EVERY_S = 0.02


@contextmanager
def running(checkout: Path, log: Path) -> Iterator[tuple[psutil.Popen, str]]:
    """`python app.py` of a checkout on a free port, with its own models: the process, its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {key: value for key, value in os.environ.items() if not key.startswith("CXR_")}
    settings |= {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port)}
    settings |= {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as file:
        app = psutil.Popen(
            [sys.executable, "app.py"], cwd=checkout, env=settings, stdout=file, stderr=file
        )
    try:
        yield app, f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        try:
            app.wait(30)
        except psutil.TimeoutExpired:
            app.kill()


def wait_until(done, app: psutil.Popen, log: Path) -> None:
    """Look until done() is true. Raises RuntimeError when the app has ended or takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if app.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"expected the app to start, it did not:\n{log.read_text()}")
        time.sleep(LOOK_EVERY_S)


def answers(url: str) -> bool:
    """Whether the page is up."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=10) as reply:
            return reply.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def busy_s() -> float:
    """Seconds of processor time that all programs of this machine have had."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system


def memory(app: psutil.Popen) -> dict[str, float]:
    """MiB resident, the most there ever were, and those that no file backs."""
    lines = Path(f"/proc/{app.pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return {ours: round(int(values[key].split()[0]) / 1024, 1) for key, ours in MEMORY.items()}


def ask(url: str, checkout: Path) -> None:
    """One call of each tab's endpoint."""
    film = min((checkout / "examples" / "gallery" / "images").iterdir()).read_bytes()
    film = base64.b64encode(film).decode()
    client = Client(url, verbose=False)
    found = client.predict("pleural effusion", k=12, where=None, api_name="/search")
    report = client.predict(film, force=True, api_name="/report")
    place = client.predict(film, "opacity in the left lower zone", api_name="/locate")
    drawn = client.predict("cardiomegaly", n=2, seed=7, api_name="/sample")
    drawn = drawn["films"] if isinstance(drawn, dict) else drawn  # older checkouts give a list
    client.close()
    if len(found) != 12 or not report["report"] or not place["taken"] or len(drawn) != 2:
        raise RuntimeError(f"expected an answer of every tab, {checkout} gave an empty one")


def measure(checkout: Path) -> dict[str, float]:
    """One start of a checkout's app. Times in seconds from the process's start, memory in MiB."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        start, busy = time.monotonic(), busy_s()
        with running(checkout, log) as (app, url):
            wait_until(lambda: answers(url), app, log)
            page, page_cpu = time.monotonic() - start, sum(app.cpu_times()[:2])
            wait_until(lambda: all(line in log.read_text() for line in READY), app, log)
            ready, ready_cpu = time.monotonic() - start, sum(app.cpu_times()[:2])
            found = {
                "page_s": round(page, 2),
                "ready_s": round(ready, 2),
                "page_cpu_s": round(page_cpu, 2),
                "ready_cpu_s": round(ready_cpu, 2),
            }
            found["others_cores"] = round((busy_s() - busy - ready_cpu) / ready, 2)
            found |= {f"ready_{key}": value for key, value in memory(app).items()}
            ask(url, checkout)
            found |= {f"asked_{key}": value for key, value in memory(app).items()}
    return found


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median of each figure."""
    return {key: round(statistics.median(one[key] for one in rounds), 3) for key in rounds[0]}


def compare(checkouts: list[Path], rounds: int) -> dict:
    """Measure checkouts in turn, and their ratios pair by pair where there are two."""
    names = "AB"[: len(checkouts)]
    found: dict[str, list] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name, checkout in zip(names, checkouts):
            one = measure(checkout)
            if number:  # the first start fills caches
                found[name].append(one)
                print(name, json.dumps(one), file=sys.stderr, flush=True)
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "rounds": found,
        "median": {name: medians(each) for name, each in found.items()},
    }
    if len(checkouts) == 2:
        pairs = zip(found["A"], found["B"])
        ratios = [{key: b[key] / a[key] for key in a if key != "others_cores"} for a, b in pairs]
        result["ratio"] = medians(ratios)
    return result


def main() -> None:
    """Measure, and print the medians or write everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", nargs="*", type=Path, help="one or two folders (this one)")
    parser.add_argument("--rounds", type=int, default=3, help="counted starts of each")
    parser.add_argument("--json", type=Path, help="file for all figures")
    options = parser.parse_args()
    if len(options.checkouts) > 2 or options.rounds < 1:
        parser.error("expected at most two checkouts, and one round or more")
    checkouts = [path.resolve() for path in options.checkouts or [Path()]]
    result = compare(checkouts, options.rounds)
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps({key: result[key] for key in ("median", "ratio") if key in result}, indent=2))


if __name__ == "__main__":
    main()

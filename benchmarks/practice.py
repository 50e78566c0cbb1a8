"""Time from an answer in the Practice tab to its feedback, over HTTP, in milliseconds.

Run from the root of a checkout:

    python -m benchmarks.practice [--gallery DIR] [--answers N] [--json]
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.testclient import TestClient

from cxr.defaults import GALLERY

EMPTY: dict[str, Any] = {"version": 1, "courses": {}, "records": [], "flags": []}
NOW = "2026-03-01T12:00:00Z"
STEPS = ("next", "film", "grade")


def measure(gallery: str, answers: int) -> dict[str, float]:
    """Median and 95th percentile of each step, and the first film from nothing, in ms."""
    from cxr.tabs import PracticeHandlers, Services, practice_routes

    services = Services(gallery)
    services.suggester.get()  # the model's opinion is a part of the feedback
    client = TestClient(Starlette(routes=practice_routes(PracticeHandlers(services))))
    profile, times = {**EMPTY}, {step: [] for step in STEPS}

    def timed(step: str, method: str, path: str, document: Any = None) -> Any:
        started = time.perf_counter()
        answer = client.request(method, f"/practice/{path}", json=document)
        times[step].append(1000 * (time.perf_counter() - started))
        assert answer.status_code == 200, answer.text[:300]
        return answer

    for position in range(answers):
        session = {"mode": "practice", "length": 15, "seed": 1, "position": position % 15}
        asked = {"profile": profile, "session": session, "now": NOW}
        found = timed("next", "POST", "next", asked).json()
        timed("film", "GET", f"films/{found['key']}.png")
        findings = {"pleural effusion": [0.2, 0.6, 0.2, 0.2]} if position % 2 else {}
        answer = {"abnormal": bool(findings), "findings": findings}
        asked |= {"key": found["key"], "answer": answer | {"confidence": 0.8, "seconds": 12}}
        graded = timed("grade", "POST", "grade", asked).json()
        profile["records"] = [*profile["records"], *graded["records"]][-400:]
        profile["courses"] = graded["courses"]
    first = times["next"][0] + times["film"][0]
    measured = {"answers": answers, "first_film_ms": round(first, 1)}
    for step, taken in times.items():
        measured[f"{step}_median_ms"] = round(float(np.median(taken)), 1)
        measured[f"{step}_p95_ms"] = round(float(np.quantile(taken, 0.95)), 1)
    return measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gallery", default=GALLERY, metavar="DIR")
    parser.add_argument("--answers", type=int, default=200, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    measured = measure(options.gallery, options.answers)
    lines = (f"{name}: {value}" for name, value in measured.items())
    print(json.dumps(measured) if options.json else "\n".join(lines))


if __name__ == "__main__":
    main()

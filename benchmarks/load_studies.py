"""How long and how much memory a data set of CheXpert's size takes to load, beside plain pandas.

    python -m benchmarks.load_studies [--rows 224316] [--json]

Makes CheXpert's own tree (a patient's folder, a study's folder, empty films) in a temporary folder
and measures cxr.load_studies on it, then pandas.read_csv with one look at the disk for each row,
each in a process of its own. Target: 224,316 rows in under 10 s and 1 GB.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from cxr.data import ABOUT
from cxr.findings import CHEXPERT_NAMES

FILMS_A_PATIENT = 224_316 / 64_740  # patients in train and valid (Irvin et al. 2019)
TIMED = """
import json, resource, sys, time
start, start_cpu = time.perf_counter(), time.process_time()
WORK
seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, else KB
megabytes = peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
result = dict(rows=len(loaded), seconds=seconds, cpu_seconds=cpu, peak_mb=megabytes)
print(json.dumps({name: round(value, 2) for name, value in result.items()}))
"""
OURS = "import cxr; loaded = cxr.load_studies(sys.argv[1])"
PANDAS = """import os, pandas
loaded = pandas.read_csv(sys.argv[1] + '/train.csv')
above = os.path.dirname(sys.argv[1])
loaded = loaded[[os.path.exists(os.path.join(above, path)) for path in loaded.Path]]
"""


def make_chexpert(root: Path, rows: int, seed: int = 0) -> None:
    """Write train.csv with that many rows and an empty file for each below root/train/."""
    chance = random.Random(seed)
    with open(root / "train.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([*ABOUT, *CHEXPERT_NAMES])
        for row in range(rows):
            patient = f"patient{int(row / FILMS_A_PATIENT) + 1:05d}"
            lateral = chance.random() < 0.15
            view = "lateral" if lateral else "frontal"
            name = f"train/{patient}/study{row % 4 + 1}/view1_{view}.jpg"
            film = root / name
            film.parent.mkdir(parents=True, exist_ok=True)
            film.touch()
            labels = chance.choices(("", "1.0", "0.0", "-1.0"), weights=(70, 18, 8, 4), k=14)
            sex, age = chance.choice(("Male", "Female")), chance.randint(18, 90)
            side = ["Lateral", ""] if lateral else ["Frontal", chance.choice(("AP", "PA"))]
            table.writerow([f"{root.name}/{name}", sex, age, *side, *labels])


def measure(work: str, root: Path) -> dict:
    """Run work in a fresh process: rows, seconds with imports, CPU seconds, peak memory in MB."""
    command = [sys.executable, "-c", TIMED.replace("WORK", work), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=224_316)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "CheXpert-v1.0-small"
        root.mkdir()
        make_chexpert(root, arguments.rows)
        results = {"cxr.load_studies": measure(OURS, root), "pandas": measure(PANDAS, root)}
    if arguments.json:
        print(json.dumps(results))
        return
    for name, result in results.items():
        print(f"{name:18}", *(f"{key} {value}" for key, value in result.items()), sep="  ")


if __name__ == "__main__":
    main()

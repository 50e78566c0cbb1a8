"""Wrong arguments are answered before a model is loaded, or torch even imported."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image

PROGRAM = """
import json, sys
from cxr.cli.main import main
for words in json.loads(sys.argv[1]):
    print(main(words), "torch" in sys.modules)
"""


def answers(commands: list[list[str]]) -> list[tuple[str, str]]:
    """What each command printed on stdout and stderr, run one after another in one process."""
    words = [sys.executable, "-c", PROGRAM, json.dumps(commands)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    return list(zip(done.stdout.splitlines(), done.stderr.splitlines(), strict=True))


@pytest.fixture(scope="module")
def files(film, tmp_path_factory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("arguments")
    film(1).save(root / "film.png")
    Image.new("L", (64, 64)).save(root / "synthetic_0_01.png")
    (root / "other").mkdir()
    (root / "other" / "note.txt").write_text("mine")
    return {"film": str(root / "film.png"), "out": str(root), "taken": str(root / "other")}


def test_wrong_arguments_load_nothing(files):
    film, out = files["film"], files["out"]
    wrong = {
        "1 or more, got 0": ["search", "effusion", "-k", "0"],
        "a view out of": ["search", "effusion", "--view", "side"],
        "a finding out of": ["search", "effusion", "--present", "gout"],
        "age_min <= age_max": ["search", "effusion", "--age-min", "9", "--age-max", "3"],
        "expected a gallery at /nope": ["search", "effusion", "--gallery", "/nope"],
        "no folder /none": ["search", "effusion", "--weights", "/none"],
        "--gallery": ["search", "effusion", "--gallery"],
        "expected a gallery at /gone": ["report", film, "--gallery", "/gone"],
        "no folder /corpus": ["report", film, "--reports", "/corpus"],
        "no folder /reporting": ["report", film, "--reporting", "/reporting"],
        "nothing.png": ["report", "/nothing.png"],
        "above 0 and at most 1, got 5": ["locate", film, "heart", "--threshold", "5"],
        "got nan": ["locate", film, "heart", "--threshold", "nan"],
        "a .png in a folder": ["locate", film, "heart", "--out", "/nope/a.png"],
        "an empty text": ["locate", film, " "],
        "no folder /localizer": ["locate", film, "heart", "--weights", "/localizer"],
        "from 1 to 64, got 65": ["sample", "edema", "--out", out, "-n", "65"],
        "from 0 to 1, got 3": ["sample", "edema", "--out", out, "--truncation", "3"],
        "of 2 or more with --to": ["sample", "edema", "--to", "mass", "--out", out, "-n", "1"],
        "synthetic_0_01.png is there": ["sample", "edema", "--out", out],
        "a folder as --out": ["sample", "edema", "--out", film],
        "batch-size": ["gallery", "build", out, "--out", out + "/g", "--batch-size", "0"],
        "something else": ["gallery", "build", out, "--out", files["taken"]],
        "a layout among": ["gallery", "build", out, "--out", out + "/g", "--layout", "x"],
    }
    for (says, words), (code, error) in zip(wrong.items(), answers(list(wrong.values()))):
        assert code == "2 False", f"{words}: {error}"
        assert says in error and error.startswith("cxr: "), f"{words}: {error}"

"""The shipped weights still answer as they did: vectors, searches, masks, samples and reports.

The recorded answers lie beside this file; tests/golden/make.py wrote them, and runs here again in
a process of its own, in float32, whatever the machine could do faster.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import cxr

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

COSINE = 0.9999  # at least, of a vector with its recorded one
NATIVE_COSINE = 0.999  # the same where the machine may compute in bfloat16
SCORE = 1e-4  # results may swap, and scores differ, by less than this
PROBABILITY = 1e-3
LEVELS = 2  # of 255, by which a pixel of a mask or a sample may differ
FEW = 0.005  # share of a mask's pixels that may differ by more: some hang on a threshold
MEAN = 0.25  # of 255, by which a whole mask or sample may differ on average


@dataclass(frozen=True)
class Answers:
    """arrays: vectors float32, masks and samples uint8. document: all else, as make.py says."""

    arrays: dict[str, np.ndarray]
    document: dict

    @classmethod
    def read(cls, folder: Path) -> Answers:
        """Read what make.py wrote into a folder."""
        document = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
        return cls(load_file(folder / "answers.safetensors"), document)


@pytest.fixture(scope="module")
def recorded() -> Answers:
    return Answers.read(HERE)


@pytest.fixture(scope="module")
def stale(recorded) -> str:
    """What to do where weights or gallery are not those of the record; "" where they are."""
    then = recorded.document["fingerprints"]
    now = runpy.run_path(str(HERE / "make.py"))["fingerprints"](ROOT)
    changed = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    if not changed:
        return ""
    return (
        "expected the weights and the gallery that gave the recorded answers, got others: "
        f"{', '.join(changed)}; run python -m tests.golden.make again and review the change of "
        "its answers"
    )


@pytest.fixture(scope="module")
def found(stale, tmp_path_factory) -> Answers:
    """What this checkout answers."""
    if stale:
        pytest.fail(stale)
    folder = tmp_path_factory.mktemp("golden")
    paths = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
    done = subprocess.run(
        [sys.executable, HERE / "make.py", "--out", folder],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Answers.read(folder)


def test_the_weights_and_the_gallery_are_those_of_the_record(stale):
    assert not stale, stale


def test_the_same_was_asked(recorded, found):
    for name in ("images", "texts", "masks", "samples"):
        assert found.document[name] == recorded.document[name], name
    for name, value in recorded.arrays.items():
        assert found.arrays[name].shape == value.shape and found.arrays[name].dtype == value.dtype


@pytest.mark.parametrize("name", ["image_vectors", "text_vectors"])
def test_vectors(recorded, found, name):
    assert np.linalg.norm(found.arrays[name], axis=1) == pytest.approx(1, abs=1e-4)
    assert cosines(recorded.arrays[name], found.arrays[name]).min() >= COSINE


def test_vectors_as_this_machine_computes_them(recorded, found, monkeypatch):
    monkeypatch.chdir(ROOT)
    retriever = cxr.Retriever.load()
    studies = {study.id: study for study in cxr.load_studies("examples/gallery")}
    images = [cxr.load_image(studies[name].image) for name in recorded.document["images"]]
    native = retriever.encode_images(images)
    assert cosines(recorded.arrays["image_vectors"], native).min() >= NATIVE_COSINE
    native = retriever.encode_text(recorded.document["texts"])
    assert cosines(recorded.arrays["text_vectors"], native).min() >= NATIVE_COSINE


def test_searches(recorded, found):
    pairs = zip(recorded.document["searches"], found.document["searches"], strict=True)
    for then, now in pairs:
        assert (then["query"], then["where"]) == (now["query"], now["where"])
        problems = misplaced(then["found"], now["found"])
        assert not problems, f"{then['query']!r} where {then['where']}: {'; '.join(problems)}"


def misplaced(then: list, now: list) -> list[str]:
    """What is wrong with a search's results [[id, score], ...]; near-ties may change places."""
    if len(then) != len(now):
        return [f"expected {len(then)} results, got {len(now)}"]
    scores, last, problems = dict(then), then[-1][1] if then else 0.0, []
    if len({name for name, _ in now}) != len(now):
        problems.append("a study came twice")
    for place, ((expected, score), (name, came)) in enumerate(zip(then, now), 1):
        if name != expected and abs(scores.get(name, last) - score) >= SCORE:
            problems.append(f"at {place} expected {expected}, got {name}")
        if abs(came - scores.get(name, last)) >= SCORE:
            problems.append(f"at {place} {name} has {came}, had {scores.get(name, f'<= {last}')}")
    return problems


def test_a_wrong_order_is_seen_and_a_near_tie_is_not():
    then = [["a", 0.9], ["b", 0.80004], ["c", 0.8], ["d", 0.5]]
    assert misplaced(then, then) == []
    assert misplaced(then, [then[0], then[2], then[1], then[3]]) == []
    assert misplaced(then, [*then[:3], ["e", 0.50003]]) == []
    assert misplaced(then, [then[1], then[0], *then[2:]])
    assert misplaced(then, [*then[:3], ["e", 0.501]])
    assert misplaced(then, [["a", 0.899], *then[1:]])
    assert misplaced(then, then[:3])


@pytest.mark.parametrize(("name", "few"), [("masks", FEW), ("samples", 0.0)])
def test_pixels(recorded, found, name, few):
    away = np.abs(recorded.arrays[name].astype(int) - found.arrays[name])
    for first, second in np.ndindex(away.shape[:2]):
        one = away[first, second]
        where = f"{name} [{first}, {second}]"
        assert one.mean() <= MEAN, f"{where}: {one.mean():.3f} levels away on average"
        share = (one > LEVELS).mean()
        assert share <= few, f"{where}: {100 * share:.2f}% of the pixels differ"


def test_suggestions(recorded, found):
    pairs = zip(recorded.document["suggestions"], found.document["suggestions"], strict=True)
    for then, now in pairs:
        image = then["image"]
        for key in ("image", "in_domain", "warnings", "report"):
            assert now[key] == then[key], (image, key)
        assert now["findings"] == pytest.approx(then["findings"], abs=PROBABILITY), image


def cosines(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of the rows of two real [N, D]: float64 [N]."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return (first * second).sum(1) / lengths

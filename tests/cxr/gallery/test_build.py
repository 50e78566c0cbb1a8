"""A gallery build that is interrupted goes on; a folder that is taken is left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from gallery_helpers import ENCODER, encode, make_studies

from cxr.gallery import build as gallery_build
from cxr.gallery.check import check_gallery
from cxr.gallery.gallery import build_gallery


@pytest.fixture
def studies(tmp_path, film):
    return make_studies(tmp_path / "films", 20, film)


@pytest.fixture
def build(studies, tmp_path):
    def run(encode=encode, studies=studies, encoder=ENCODER, overwrite=False):
        out = tmp_path / "out" / "gallery"
        return build_gallery(
            studies, encode, out, encoder, batch_size=4, progress=False, overwrite=overwrite
        )

    return run


def leftovers(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.parent.iterdir() if p != folder)


class Counting:
    """The stand-in encoder, raising at a given film."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.seen, self.fail_after = 0, fail_after

    def __call__(self, films):
        if self.fail_after is not None and self.seen >= self.fail_after:
            raise RuntimeError("power cut")
        self.seen += len(films)
        return encode(films)


def test_an_interrupted_build_goes_on(build, tmp_path):
    with pytest.raises(RuntimeError, match="power cut"):
        build(Counting(fail_after=8))
    assert not (tmp_path / "out" / "gallery").exists()
    rest = Counting()
    gallery = build(rest)
    assert rest.seen == 12 and check_gallery(gallery.folder, ENCODER) == []
    assert leftovers(gallery.folder) == []
    resumed = gallery.embeddings.copy()
    np.testing.assert_array_equal(resumed, build(encoder="cd" * 32, overwrite=True).embeddings)


def test_an_interrupted_build_goes_on_with_the_places_of_its_images(build, tmp_path):
    def with_places(counting):
        return lambda films: (counting(films), np.full((len(films), 9, 4), len(films)))

    with pytest.raises(RuntimeError, match="power cut"):
        build(with_places(Counting(fail_after=8)))
    file = tmp_path / "out" / ".gallery.building" / "places.f16"
    file.write_bytes(file.read_bytes()[:-10])  # a batch that was cut short
    rest = Counting()
    gallery = build(with_places(rest))
    assert rest.seen == 13 and leftovers(gallery.folder) == []
    assert gallery.places.shape == (20, 9, 4) and (gallery.places > 0).all()
    assert check_gallery(gallery.folder, ENCODER) == []
    np.save(gallery.folder / "places.npy", gallery.places[:-1].copy())
    assert "expected float16 [20, P, D]" in check_gallery(gallery.folder)[0]


@pytest.mark.parametrize("name, keep", [("records.jsonl", -30), ("vectors.f16", -100)])
def test_a_batch_that_was_cut_short_is_done_again(build, tmp_path, name, keep):
    with pytest.raises(RuntimeError):
        build(Counting(fail_after=8))
    file = tmp_path / "out" / ".gallery.building" / name
    file.write_bytes(file.read_bytes()[:keep])
    rest = Counting()
    gallery = build(rest)
    assert rest.seen == 13 and check_gallery(gallery.folder, ENCODER) == []


def test_another_build_does_not_go_on_from_it(build, studies):
    with pytest.raises(RuntimeError):
        build(Counting(fail_after=8))
    other = Counting()
    build(other, studies=studies[:-1])
    assert other.seen == 19


_SLOW_BUILD = """
import json, sys, time
from cxr.findings import Study
from cxr.gallery import build as gallery_build
from cxr.gallery.gallery import build_gallery
from gallery_helpers import ENCODER, encode

batches = []
def slow(films):
    time.sleep(600 * len(batches))  # the second batch never comes
    batches.append(len(films))
    return encode(films)

studies = [Study.from_dict(values) for values in json.load(sys.stdin)]
build_gallery(studies, slow, sys.argv[1], ENCODER, batch_size=4)
"""


def test_a_killed_process_resumes(build, studies, tmp_path):
    repository = Path(__file__).parents[3]
    support = repository / "tests" / "support"
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW_BUILD, str(tmp_path / "out" / "gallery")],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": f"{support}{os.pathsep}{repository}"},
    )
    process.stdin.write(json.dumps([study.to_dict() for study in studies]).encode())
    process.stdin.close()
    records = tmp_path / "out" / ".gallery.building" / "records.jsonl"
    deadline = time.monotonic() + 300
    while not (records.exists() and records.stat().st_size):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(ValueError, match="another process"):
        build()
    process.send_signal(signal.SIGKILL)
    process.wait()
    rest = Counting()
    gallery = build(rest)
    assert 0 < rest.seen < 20 and len(gallery.studies) == 20
    assert check_gallery(gallery.folder, ENCODER) == [] and leftovers(gallery.folder) == []


@pytest.mark.parametrize("killed_at", ["replace_folder", "remove_journal"])
def test_a_kill_at_the_very_end_loses_nothing(build, monkeypatch, killed_at):
    def kill(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gallery_build, killed_at, kill)
        with pytest.raises(KeyboardInterrupt):
            build()
    again = Counting()
    gallery = build(again)
    assert again.seen == 0 and check_gallery(gallery.folder, ENCODER) == []
    assert leftovers(gallery.folder) == []
    assert not list(gallery.folder.glob("*.jsonl")) and not (gallery.folder / "build.json").exists()


def test_the_same_build_again_is_opened_as_it_is(build):
    before = build().folder.stat().st_ino
    again = Counting()
    assert build(again).folder.stat().st_ino == before and again.seen == 0


def test_a_taken_folder_is_refused(build, studies, tmp_path):
    build()
    with pytest.raises(ValueError, match="--overwrite"):
        build(studies=studies[:5])
    assert len(build(studies=studies[:5], overwrite=True).studies) == 5
    other = tmp_path / "diary"
    other.mkdir()
    (other / "mine.txt").write_text("not a gallery")
    with pytest.raises(ValueError, match="something else"):
        build_gallery(studies, encode, other, ENCODER, progress=False, overwrite=True)
    assert (other / "mine.txt").exists()

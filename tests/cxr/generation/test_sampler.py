"""Sampler: the same seed gives the same pixels; bad input is refused; copies are detected."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from tiny import tiny_dual_encoder
from tiny_generator import save_generator

import cxr
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.io import save_checkpoint
from cxr.generation.memorization import (
    load_training_index,
    project_training_images,
    save_training_index,
)
from cxr.generation.sampler import great_circle


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("sampling")
    save_dual_encoder(tiny_dual_encoder(dimension=16), root / "retrieval")
    save_dual_encoder(tiny_dual_encoder(1, dimension=16), root / "other")
    return save_generator(root / "generator", root / "retrieval")


@pytest.fixture(scope="module")
def sampler(weights):
    return cxr.Sampler.load(weights)


def arrays(films):
    return [np.asarray(film) for film in films]


def equal(one, other):
    return len(one) == len(other) and all(map(np.array_equal, arrays(one), arrays(other)))


def test_films_are_greyscale_and_of_the_documented_size(sampler):
    films = sampler.sample("cardiomegaly", n=3)
    assert [(film.mode, film.size) for film in films] == [("L", (128, 128))] * 3
    assert len({film.tobytes() for film in films}) == 3


def test_the_same_seed_gives_the_same_pixels_whatever_n_is(sampler):
    many = sampler.sample("edema", n=11, seed=5)
    assert equal(sampler.sample("edema", n=11, seed=5), many)
    assert equal(sampler.sample("edema", n=1, seed=5), many[:1])
    assert equal(sampler.sample("edema", n=9, seed=5), many[:9])
    assert not equal(sampler.sample("edema", n=11, seed=6), many)
    assert not equal(sampler.sample("hernia", n=11, seed=5), many)


def test_many_threads_get_what_one_gets(sampler):
    alone = [sampler.sample("mass", 2, seed) for seed in range(6)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: sampler.sample("mass", 2, seed), range(6)))
    assert all(map(equal, alone, together))


def test_without_noise_all_films_are_alike(sampler):
    assert len({film.tobytes() for film in sampler.sample("mass", 3, truncation=0)}) == 1
    spread = [np.std(arrays(sampler.sample("mass", 8, truncation=t)), 0).mean() for t in (0.3, 1)]
    assert spread[0] < spread[1]


def test_a_path_between_texts_begins_and_ends_with_their_samples(sampler):
    films = arrays(sampler.interpolate("normal", "edema", steps=5, seed=3, film=1))
    ends = [arrays(sampler.sample(text, 2, 3))[1] for text in ("normal", "edema")]
    for film, end in zip((films[0], films[-1]), ends):
        assert np.abs(film.astype(int) - end).max() <= 1
    moves = [np.abs(a.astype(int) - b).mean() for a, b in zip(films, films[1:])]
    assert max(moves) < np.abs(films[0].astype(int) - films[-1]).mean() + 1


def test_a_great_circle_keeps_length_and_angle():
    east, north = torch.eye(2)
    rows = great_circle(east, north, 3)
    assert torch.allclose(rows[1], torch.full((2,), 0.5**0.5))
    assert torch.equal(great_circle(east, east, 4), east.expand(4, 2))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"text": " "}, "empty"),
        ({"text": None}, "NoneType"),
        ({"text": "x" * 2001}, "2000 characters, got 2001"),
        ({"n": 0}, "n as a whole number from 1 to 64, got 0"),
        ({"n": 65}, "got 65"),
        ({"n": 2.5}, "got 2.5"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed"),
        ({"truncation": 1.5}, "truncation from 0 to 1"),
        ({"truncation": float("nan")}, "truncation"),
        ({"truncation": "1"}, "truncation"),
    ],
)
def test_bad_input_is_refused(sampler, words, message):
    with pytest.raises(ValueError, match=message):
        sampler.sample(**{"text": "edema", **words})


@pytest.mark.parametrize("words", [{"steps": 1}, {"film": 64}, {"text_b": ""}])
def test_bad_paths_are_refused(sampler, words):
    with pytest.raises(ValueError, match="expected"):
        sampler.interpolate(**{"text_a": "edema", "text_b": "mass", **words})


@pytest.mark.parametrize("text", ["🫁", "心脏肥大", "a" * 2000, "half \ud83e"])
def test_any_text_gives_a_film(sampler, text):
    assert len(sampler.sample(text, 1)) == 1


def test_another_text_encoder_is_refused(weights):
    with pytest.raises(ValueError, match="text_weights"):
        cxr.Sampler.load(weights, weights.parent / "other")
    with pytest.raises(ValueError, match="folder"):
        cxr.Sampler.load(weights, weights.parent / "nowhere")


def test_checkpoints_that_are_none_are_refused(weights, tmp_path):
    with pytest.raises(ValueError, match="architecture"):
        cxr.Sampler.load(weights.parent / "retrieval" / ".." / "other")
    save_checkpoint(tmp_path / "bare", {"a": torch.zeros(1)}, {})
    with pytest.raises(ValueError, match="architecture"):
        cxr.Sampler.load(tmp_path / "bare")
    folder = save_generator(tmp_path / "generator", weights.parent / "retrieval", text_encoder=None)
    with pytest.raises(ValueError, match="text encoder"):
        cxr.Sampler.load(folder)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_a_training_film_is_told_from_a_new_one(tmp_path):
    rng = np.random.default_rng(0)
    films = unit(rng.normal(size=(60, 16)))
    patients = [f"p{row // 2}" for row in range(58)] + ["", ""]
    originals = project_training_images(films, patients, "abc", directions=12)
    save_training_index(originals, tmp_path)
    assert (tmp_path / "originals.safetensors").stat().st_size < 5_000
    loaded = load_training_index(tmp_path)
    assert all(check.is_copy for check in loaded.check(films, "abc"))
    far = loaded.check(unit(rng.normal(size=(1, 16)) * 5 - films.mean(0)), "abc")[0]
    assert not far.is_copy and far.distance > far.limit > 0


def test_two_films_of_one_patient_do_not_set_the_limit():
    films = unit(np.array([[1, 0, 0], [1, 0.01, 0], [0, 1, 0], [0, 0, 1.0]]))
    apart = project_training_images(films, ["a", "a", "b", "c"], "x", 3).limit
    assert apart == pytest.approx(2**0.5, abs=0.05)
    assert project_training_images(films, ["a", "d", "b", "c"], "x", 3).limit < 0.1


def test_fingerprints_of_another_encoder_are_refused(tmp_path):
    films = unit(np.random.default_rng(0).normal(size=(6, 8)))
    originals = project_training_images(films, list("aabbcc"), "abc", 4)
    with pytest.raises(ValueError, match="encoder abc, got xyz"):
        originals.check(films, "xyz")
    with pytest.raises(ValueError, match=r"\[M, 8\]"):
        originals.check(films[:, :5], "abc")
    with pytest.raises(ValueError, match="two patients"):
        project_training_images(films, [""] * 6, "abc")
    (tmp_path / "originals.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="could not read"):
        load_training_index(tmp_path)

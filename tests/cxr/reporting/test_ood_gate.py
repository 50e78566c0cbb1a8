"""The gate: what it draws its verdicts from, fitted on drawn films in seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from drawn_films import draw_film
from PIL import Image
from reporting_parts import tiny_gate

from cxr.reporting.ood_gate import (
    BLANK,
    CHILD,
    CHILD_WARNING,
    FORMER_KINDS,
    FRONTAL,
    KINDS,
    REASONS,
    THUMBNAIL,
    FilmFeatures,
    OODGate,
    is_blank,
    standardize,
)
from train.reporting.drawings import HELD_OUT_DRAWINGS, draw, drawings
from train.reporting.ood_gate import NETWORK, choose_limits, fit_gate
from train.reporting.pictures import film_pictures, jitter, other_pictures, part

torch.set_num_threads(1)


def features(films: list[Image.Image]) -> FilmFeatures:
    """A film's 16 x 32 thumbnail about its mean as embedding, in place of an encoder's."""
    rows = np.stack([np.asarray(film.resize((16, 32)), np.float32).ravel() for film in films])
    rows -= rows.mean(1, keepdims=True) - 0.01
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    thumbnails = np.stack([THUMBNAIL.square(film) for film in films])
    return FilmFeatures(rows, thumbnails, rows)


def small(film: Image.Image) -> Image.Image:
    """A film on which the chest is small, as a child's."""
    width, height = film.size
    inner = film.resize((width // 2, height // 2))
    whole = Image.new("L", film.size)
    whole.paste(inner, (width // 4, height // 4))
    return whole


def made(kind: str, seeds: range) -> FilmFeatures:
    films = [draw_film(seed) for seed in seeds]
    random = np.random.default_rng(seeds.start)
    changes = {
        "frontal": lambda film: film,
        "inverted": lambda film: film.point(lambda level: 255 - level),
        "part": lambda film: part(film, random),
        CHILD: small,
        **{
            f"turned {angle}": lambda film, a=angle: film.rotate(a, expand=True)
            for angle in (90, 180, 270)
        },
    }
    if kind == "other":
        names = drawings()
        return features([draw(names[seed % len(names)], seed) for seed in seeds])
    return features([changes[kind](film) for film in films])


@pytest.fixture(scope="module")
def gate() -> OODGate:
    pictures = {kind: made(kind, range(48)) for kind in KINDS}
    films = [made(FRONTAL, range(200, 240)), made(FRONTAL, range(240, 248))]
    return fit_gate(pictures, films, epochs=60, seed=0)


def test_new_films_pass_and_what_was_made_of_them_does_not(gate):
    assert gate.refused(made(FRONTAL, range(300, 340))).mean() <= 0.1
    for kind in KINDS[1:]:
        assert gate.refused(made(kind, range(300, 320))).mean() >= 0.9, kind


def test_drawings_of_families_that_were_never_met_are_refused(gate):
    films = [draw(HELD_OUT_DRAWINGS[seed % len(HELD_OUT_DRAWINGS)], seed) for seed in range(40)]
    assert gate.refused(features(films)).mean() >= 0.95


@pytest.mark.parametrize("kind", ["turned 90", "turned 180", "inverted"])
def test_the_verdict_says_what_to_do(gate, kind):
    verdict = gate.judge(made(kind, range(400, 401)))
    assert not verdict.in_domain and verdict.kind == kind
    assert verdict.warning.endswith(f"{REASONS[kind]}.")
    assert max(verdict.signals.values()) > 1


def test_a_film_in_the_domain_gets_no_warning(gate):
    verdict = gate.judge(made(FRONTAL, range(1)))
    assert (verdict.in_domain, verdict.kind, verdict.warning) == (True, FRONTAL, "")
    assert max(verdict.signals.values()) <= 1


def test_a_childs_film_has_a_sentence_of_its_own(gate):
    verdict = gate.judge(made(CHILD, range(400, 401)))
    assert (verdict.in_domain, verdict.kind) == (False, CHILD)
    assert verdict.warning == CHILD_WARNING and "child" in CHILD_WARNING
    assert verdict.signals[CHILD] > 1 >= gate.judge(made(FRONTAL, range(1))).signals[CHILD]


def test_what_is_refused_as_a_childs_alone_is_called_so_even_where_frontal_is_likelier(gate):
    doubt = replace(gate, limits=dict.fromkeys(gate.limits, 1e9) | {CHILD: -1e9})
    verdict = doubt.judge(made(FRONTAL, range(1)))
    assert (verdict.in_domain, verdict.kind) == (False, CHILD)


def test_a_gate_without_children_has_no_limit_for_them():
    pictures = {kind: made(kind, range(12)) for kind in FORMER_KINDS}
    films = made(FRONTAL, range(200, 210))
    former = fit_gate(pictures, [films], epochs=1, seed=0)
    assert former.kinds == FORMER_KINDS and CHILD not in former.limits
    config = {"limits": former.limits, "autoencoder": NETWORK}
    again = OODGate.read(config, former.tensors())
    assert again.kinds == FORMER_KINDS
    for name, values in former.signals(films).items():
        np.testing.assert_allclose(again.signals(films)[name], values, rtol=1e-5)


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (FORMER_KINDS, "8 logits for 7 kinds"),
        ((*FORMER_KINDS, "lateral"), "kinds frontal.* lateral"),
        (KINDS[::-1], "kinds child"),
    ],
)
def test_kinds_that_do_not_fit_are_refused_in_words(gate, kinds, said):
    config = {"limits": gate.limits, "autoencoder": NETWORK, "kinds": kinds}
    with pytest.raises(ValueError, match=f"{said}.*python -m train.reporting"):
        OODGate.read(config, gate.tensors())


def test_every_hospital_weighs_the_same_in_a_limit():
    class Told:
        def signals(self, films):
            return {"kind": films}

    many, few = np.arange(1000) / 1000, 10 + np.arange(100) / 100
    # 1% of both together is 2% of the few, which lie above all of the many.
    assert choose_limits(Told(), [many, few]) == {"kind": pytest.approx(few[97])}
    assert choose_limits(Told(), [many]) == {"kind": pytest.approx(many[989])}


def test_each_signal_alone_is_stranger_for_other_pictures(gate):
    films, others = (gate.signals(made(kind, range(500, 530))) for kind in (FRONTAL, "other"))
    for name in ("kind", "distance", "reconstruction"):
        assert films[name].shape == (30,)
        assert np.median(others[name]) > 1.5 * np.median(films[name]) or (
            np.median(others[name]) > 0 > np.median(films[name])
        ), name


def test_a_gate_that_was_stored_judges_alike(gate):
    config = {"limits": gate.limits, "autoencoder": NETWORK, "kinds": list(KINDS)}
    again = OODGate.read(config, gate.tensors())
    batch = made("inverted", range(5))
    for name, values in gate.signals(batch).items():
        np.testing.assert_allclose(again.signals(batch)[name], values, rtol=1e-5)


def test_the_distance_is_that_of_mahalanobis():
    gate = tiny_gate()
    away = np.zeros((2, 512), np.float32)
    away[0, 0], away[1, 300] = 3.0, 2.0
    expected = np.array([3.0, 2.0]) / np.sqrt(512)
    np.testing.assert_allclose(gate.distance(away), expected, rtol=1e-6)


@pytest.mark.parametrize(("level", "padding"), [(0, 0), (90, 0), (255, 0), (200, 20)])
def test_one_grey_is_blank_even_inside_padding(level, padding):
    thumbnail = np.full((1, 64, 64), level, np.uint8)
    thumbnail[:, :, :padding] = 0
    assert is_blank(thumbnail).tolist() == [True]
    assert (
        tiny_gate()
        .judge(FilmFeatures(*[np.ones((1, 512), np.float32), thumbnail, np.ones((1, 1))]))
        .kind
        == BLANK
    )
    assert is_blank(made(FRONTAL, range(3)).thumbnails).tolist() == [False] * 3


def test_thumbnails_are_standardised_one_by_one():
    pixels = standardize(made(FRONTAL, range(3)).thumbnails)
    assert pixels.shape == (3, 1, 64, 64)
    torch.testing.assert_close(pixels.mean((1, 2, 3)), torch.zeros(3), atol=1e-4, rtol=0)


def test_pictures_for_fitting_and_for_measuring_share_nothing():
    fitted, held = (
        {
            picture.name.split("|")[1]
            if "|" in picture.name and picture.name.startswith("drawn")
            else picture.name.split("|")[0]
            for picture in other_pictures(held, 60)
        }
        for held in (False, True)
    )
    assert fitted and held and fitted.isdisjoint(held)


def test_the_same_seed_makes_the_same_picture(tmp_path):
    path = tmp_path / "film.png"
    draw_film(0).save(path)
    study = type("S", (), {"image": path})
    for kind in ("jittered", "part", "inverted", "turned 90"):
        (picture,) = film_pictures([study], kind)
        assert np.array_equal(np.array(picture.open()), np.array(picture.open())), kind
    assert jitter(draw_film(0), np.random.default_rng(1)).size != (0, 0)

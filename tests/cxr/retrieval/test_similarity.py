"""Similarity in words, against what the gallery itself holds."""

from __future__ import annotations

import numpy as np
import pytest
from gallery_helpers import ENCODER, encode, make_studies

from cxr.findings import FINDINGS
from cxr.gallery.gallery import build_gallery
from cxr.retrieval.similarity import DEFAULT_BANDS, DEFAULT_IMAGE_BANDS, ENOUGH, WORDS, scale_of

COUNT = 2 * ENOUGH + 20


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, film):
    folder = tmp_path_factory.mktemp("scale")
    studies = make_studies(folder / "films", COUNT, film)
    return build_gallery(studies, encode, folder / "gallery", ENCODER, progress=False)


@pytest.fixture(scope="module")
def small(tmp_path_factory, film):
    folder = tmp_path_factory.mktemp("small")
    studies = make_studies(folder / "films", 12, film)
    return build_gallery(studies, encode, folder / "gallery", ENCODER, progress=False)


def direction(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=512).astype(np.float32)
    return vector / np.linalg.norm(vector)


def names(texts):
    return np.stack([direction(FINDINGS.index(text)) for text in texts])


def test_bands_fall_and_divide_the_films_that_carry_what_a_text_names(gallery):
    scale = scale_of(gallery, names)
    assert scale.bands[0] > scale.bands[1] > scale.bands[2]
    words = []
    for study, row in zip(gallery.studies, np.asarray(gallery.embeddings, np.float32)):
        for name in study.positive:
            vector = direction(FINDINGS.index(name))
            words.append(scale.text_word(float(row @ vector), vector))
    shares = [words.count(word) / len(words) for word in WORDS]
    assert shares == pytest.approx([0.05, 0.25, 0.4, 0.3], abs=0.03)


def test_a_text_that_is_near_to_every_film_alike_is_no_match(gallery):
    scale = scale_of(gallery, names)
    films = np.asarray(gallery.embeddings, np.float32)
    common = films.mean(0) / np.linalg.norm(films.mean(0))
    scores = films @ common
    assert scores.mean() > DEFAULT_BANDS[0]  # a plain cosine would say "very similar"
    assert scale.text_word(float(scores.mean()), common) in WORDS[2:]


def test_films_are_held_against_how_near_films_are_to_each_other(gallery):
    scale = scale_of(gallery, names)
    assert 1 > scale.image_bands[0] > scale.image_bands[1] > scale.image_bands[2]
    nearest = [gallery.search(row, 2)[1][1] for row in gallery.embeddings[::5]]
    very = [scale.image_word(score) == "very similar" for score in nearest]
    assert 0.3 < np.mean(very) < 0.7
    assert scale.image_word(1.0) == "very similar" and scale.image_word(0.0) == "weak match"


def test_a_small_gallery_takes_the_bands_that_it_is_given(small):
    scale = scale_of(small, names)
    assert scale.bands == DEFAULT_BANDS and scale.image_bands == DEFAULT_IMAGE_BANDS
    assert scale.text_word(0.7, direction(1)) == "very similar"

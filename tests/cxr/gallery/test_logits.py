"""What heads read of a gallery's images: built, interrupted, stored, damaged."""

from __future__ import annotations

import numpy as np
import pytest
from gallery_helpers import ENCODER, encode, make_studies

from cxr.gallery.check import check_gallery
from cxr.gallery.gallery import Gallery, build_gallery
from cxr.gallery.logits import FindingLogits, read_logits, write_logits

HEADS = "cd" * 32


def with_logits(films: list) -> tuple[np.ndarray, ...]:
    """An embedding, places, and two log odds that follow from the film."""
    rows = encode(films)
    return rows, np.zeros((len(films), 9, 4)), 10 * rows[:, :2]


def test_a_build_keeps_what_heads_read_and_goes_on_after_an_interruption(film, tmp_path):
    studies, calls = make_studies(tmp_path / "films", 12, film), []

    def failing(films: list) -> tuple[np.ndarray, ...]:
        calls.append(len(films))
        if len(calls) == 2:
            raise RuntimeError("power cut")
        return with_logits(films)

    build = {"batch_size": 5, "progress": False}
    build["logits"] = FindingLogits.empty(("mass", "edema"), HEADS)
    with pytest.raises(RuntimeError, match="power cut"):
        build_gallery(studies, failing, tmp_path / "gallery", ENCODER, **build)
    gallery = build_gallery(studies, with_logits, tmp_path / "gallery", ENCODER, **build)
    assert check_gallery(gallery.folder) == [] and gallery.info()["finding_logits"]
    assert gallery.logits.findings == ("mass", "edema") and gallery.logits.heads == HEADS
    expected = 10 * np.asarray(gallery.embeddings[:, :2], np.float32)
    np.testing.assert_allclose(gallery.logits.values, expected, atol=0.02)
    assert not list(gallery.folder.glob("*.f16"))


def test_a_gallery_without_them_has_none(film, tmp_path):
    studies = make_studies(tmp_path / "films", 3, film)
    gallery = build_gallery(studies, encode, tmp_path / "gallery", ENCODER, progress=False)
    assert gallery.logits is None and not gallery.info()["finding_logits"]


def test_damage_is_named_with_the_command_that_mends_it(film, tmp_path):
    studies = make_studies(tmp_path / "films", 3, film)
    folder = build_gallery(studies, encode, tmp_path / "gallery", ENCODER, progress=False).folder
    write_logits(folder, FindingLogits(("mass",), HEADS, np.zeros((2, 1), np.float16)))
    with pytest.raises(ValueError, match="expected finite .3, 1. in .*cxr gallery findings"):
        Gallery.open(folder)
    write_logits(folder, FindingLogits(("mass",), HEADS, np.full((3, 1), np.nan)))
    assert "expected finite" in check_gallery(folder)[0]
    (folder / "findings.safetensors").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="could not read them"):
        read_logits(folder, 3)

"""Images decoded once; those that cannot be read are left out and named."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_films import draw_film

from cxr.findings import Study
from cxr.images.load import Preprocess, load_image
from train.common.image_cache import pack, pack_studies


def test_films_are_decoded_once_and_broken_ones_left_out(tmp_path, caplog):
    paths = [tmp_path / f"{row}.png" for row in range(4)]
    for row in (0, 2):
        draw_film(row).save(paths[row])
    paths[1].write_bytes(b"no picture")  # and 3.png does not exist
    films, readable = pack(paths, Preprocess(32), tmp_path / "cache")
    assert films.shape == (2, 32, 32) and films.dtype == np.uint8
    assert readable.tolist() == [True, False, True, False]
    for row, path in zip(films, (paths[0], paths[2])):
        assert np.array_equal(row, Preprocess(32).square(load_image(path)))
    assert "2 of 4 images" in caplog.text and "1.png" in caplog.text
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(written) == 2
    again, _ = pack(paths, Preprocess(32), tmp_path / "cache")
    assert np.array_equal(films, again)
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    draw_film(7, (50, 50)).save(paths[0])
    changed, _ = pack(paths, Preprocess(32), tmp_path / "cache")
    assert not np.array_equal(films[0], changed[0])


def test_studies_without_a_readable_film_are_not_trained_on(tmp_path):
    studies = []
    for row in range(3):
        path = tmp_path / f"{row}.png"
        draw_film(row).save(path)
        studies.append(Study(id=str(row), source="drawn", patient=str(row), image=path))
    studies[0].image.write_bytes(b"no picture")
    kept, films, readable = pack_studies(studies, Preprocess(32), tmp_path / "cache")
    assert [s.id for s in kept] == ["1", "2"] and len(films) == 2
    assert films.reshape(2, -1).any(1).all() and readable.tolist() == [False, True, True]
    for study in studies:
        study.image.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="all 3 failed"):
        pack_studies(studies, Preprocess(32), tmp_path / "cache")
    assert pack_studies([], Preprocess(32), tmp_path / "cache")[0] == []

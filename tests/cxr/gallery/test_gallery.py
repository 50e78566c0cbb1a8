"""Building a gallery: what it holds, how it resumes, what it refuses, what check finds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gallery_helpers import ENCODER, encode, make_studies

from cxr.data.load import load_studies
from cxr.findings import Study
from cxr.gallery.check import check_gallery
from cxr.gallery.gallery import Gallery, build_gallery
from cxr.images.load import load_image


@pytest.fixture
def studies(tmp_path, film):
    return make_studies(tmp_path / "films", 20, film)


@pytest.fixture
def build(studies, tmp_path):
    def run(encode=encode, studies=studies, encoder=ENCODER, **options):
        options = {"batch_size": 4, "progress": False, **options}
        return build_gallery(studies, encode, tmp_path / "out" / "gallery", encoder, **options)

    return run


def test_a_gallery_keeps_who_labelled_a_study_and_reads_older_tables(build, studies):
    sources = ("mined", "expert", "outlined", "")
    labelled = [replace(study, label_source=sources[row % 4]) for row, study in enumerate(studies)]
    gallery = build(studies=labelled)
    assert [study.label_source for study in gallery.studies] == [*sources] * 5
    table = pq.read_table(gallery.folder / "studies.parquet").drop_columns("label_source")
    pq.write_table(table, gallery.folder / "studies.parquet")
    assert {study.label_source for study in Gallery.open(gallery.folder).studies} == {""}
    assert check_gallery(gallery.folder) == []


def test_gallery_holds_what_was_put_in(build, studies):
    gallery = build(source="Drawn films", licence="CC0")
    assert [s.to_dict() | {"image": 0} for s in gallery.studies] == [
        s.to_dict() | {"image": 0} for s in studies
    ]
    assert gallery.embeddings.shape == (20, 512) and gallery.embeddings.dtype == np.float16
    assert not gallery.embeddings.flags.writeable
    films = [load_image(study.image) for study in studies]
    np.testing.assert_allclose(gallery.embeddings, encode(films), atol=1e-3)
    for ours, theirs in zip(gallery.studies, studies, strict=True):
        assert ours.image.is_absolute()
        assert ours.image.read_bytes() == theirs.image.read_bytes()
    assert sorted(p.name for p in gallery.folder.iterdir()) == [
        "embeddings.npy",
        "gallery.json",
        "images",
        "index.faiss",
        "map.npy",
        "studies.parquet",
    ]
    header = json.loads((gallery.folder / "gallery.json").read_text())
    assert (header["encoder"], header["source"], header["licence"]) == (
        ENCODER,
        "Drawn films",
        "CC0",
    )
    assert check_gallery(gallery.folder, ENCODER) == []
    assert list(gallery.folder.parent.iterdir()) == [gallery.folder]


def test_rows_are_brought_to_unit_length(build):
    gallery = build(lambda films: 7 * encode(films))
    np.testing.assert_allclose(np.linalg.norm(gallery.embeddings.astype(float), axis=1), 1, 1e-3)


def test_prepare_runs_before_encode(build):
    plain = build()
    rows = build(np.stack, prepare=lambda film: encode([film])[0], overwrite=True)
    np.testing.assert_array_equal(plain.embeddings, rows.embeddings)


def test_info_counts(build):
    info = build().info()
    assert info["studies"] == 20 and info["patients"] == 10 and info["unreadable"] == 0
    assert info["views"] == {"AP": 5, "PA": 5, "lateral": 5, "unknown": 5}
    assert info["sexes"] == {"F": 7, "M": 7, "unknown": 6}
    assert info["labelled"] == 18 and info["index"] == "exact"
    assert info["findings"]["mass"] == 6  # rows 2, 5, 8, 11, 14, 17
    json.dumps(info)


def test_unreadable_films_are_counted_and_left_out(build, studies, tmp_path, caplog):
    (tmp_path / "films" / "film 3.png").write_bytes(b"")
    (tmp_path / "films" / "film 5.png").unlink()
    studies[7] = Study(id="none", source="drawn", patient="p")
    gallery = build()
    assert gallery.info()["studies"] == 17 and gallery.info()["unreadable"] == 3
    kept = [study.id for study in gallery.studies]
    assert not {"s3", "s5", "none"} & set(kept) and len(kept) == 17
    assert all(name in caplog.text for name in ("s3", "s5", "none"))
    assert check_gallery(gallery.folder) == []
    own = encode([load_image(gallery.studies[-1].image)])[0]
    assert gallery.search(own, 1)[0][0] == 16, "rows and embeddings have moved apart"


def test_nothing_to_build(build, studies, tmp_path):
    with pytest.raises(ValueError, match="at least one study"):
        build(studies=[])
    for study in studies:
        study.image.write_bytes(b"no picture")
    with pytest.raises(ValueError, match="at least one readable image.*s0"):
        build()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_encoder_that_fails_writes_nothing(build, tmp_path, bad):
    with pytest.raises(ValueError, match="NaN, infinity or zero"):
        build(lambda films: np.full((len(films), 512), bad))
    assert not (tmp_path / "out" / "gallery").exists()
    with pytest.raises(ValueError, match=r"\[4, 512\].*\[4, 3\]"):
        build(lambda films: np.ones((len(films), 3)))


def test_replacing_leaves_an_open_gallery_with_its_own_films(build, studies):
    opened = build()
    rows, film = opened.embeddings.copy(), opened.studies[19].image
    build(studies=studies[::-1], overwrite=True)
    np.testing.assert_array_equal(opened.embeddings, rows)
    assert load_image(film) == load_image(studies[19].image)


def test_a_gallery_is_rebuilt_from_its_own_films(build, studies):
    gallery = build()
    own = build(studies=gallery.studies, encoder="cd" * 32, overwrite=True)
    np.testing.assert_array_equal(own.embeddings, gallery.embeddings)
    assert check_gallery(own.folder, "cd" * 32) == []


def test_another_encoder_is_refused_with_the_command(build):
    gallery = build()
    with pytest.raises(ValueError, match="rebuild") as error:
        Gallery.open(gallery.folder, "cd" * 32, "weights/other")
    command = str(error.value).partition("rebuild it: ")[2]
    assert command == (
        f"python -m cxr gallery build {gallery.folder} --out {gallery.folder} --overwrite "
        "--weights weights/other"
    )
    assert "made by encoder" in check_gallery(gallery.folder, "cd" * 32)[0]


def damage(folder: Path, name: str) -> None:
    if name == "missing image":
        next((folder / "images").iterdir()).unlink()
    elif name == "cut image":
        film = next((folder / "images").iterdir())
        film.write_bytes(film.read_bytes()[:-9])
    elif name == "stray image":
        (folder / "images" / "stray.png").write_bytes(b"")
    elif name == "long row":
        rows = np.load(folder / "embeddings.npy")
        rows[3] *= 2
        np.save(folder / "embeddings.npy", rows)
    elif name == "fewer rows":
        np.save(folder / "embeddings.npy", np.load(folder / "embeddings.npy")[:-1])
    else:
        (folder / name).write_bytes((folder / name).read_bytes()[:40])


@pytest.mark.parametrize(
    "what, says",
    [
        ("missing image", "is missing"),
        ("cut image", "is damaged"),
        ("stray image", "no study"),
        ("long row", "embedding 3 has length 2"),
        ("fewer rows", "counts disagree"),
        ("gallery.json", "gallery.json"),
        ("studies.parquet", "studies.parquet"),
        ("embeddings.npy", "embeddings.npy"),
        ("index.faiss", "index.faiss"),
    ],
)
def test_check_finds_damage(build, what, says):
    folder = build().folder
    damage(folder, what)
    assert any(says in problem for problem in check_gallery(folder))
    if "." in what or what == "fewer rows":
        with pytest.raises(ValueError, match="again|rebuild|header"):
            Gallery.open(folder)


def test_no_gallery(tmp_path):
    with pytest.raises(ValueError, match="gallery build ROOT"):
        Gallery.open(tmp_path)
    assert len(check_gallery(tmp_path / "nowhere")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "3",
        '"gallery"',
        "",
        "{",
        "{}",
        '{"format_version": true}',
        '{"format_version": null}',
    ],
)
def test_a_header_that_is_none(build, text):
    folder = build().folder
    (folder / "gallery.json").write_text(text)
    with pytest.raises(ValueError, match="expected"):
        Gallery.open(folder)
    assert len(check_gallery(folder)) == 1


def rewritten(folder: Path, column: str, value: str | None) -> None:
    """Put `value` into one column of the first study of a gallery."""
    table = pq.read_table(folder / "studies.parquet")
    values = [value, *table[column].to_pylist()[1:]]
    place = table.schema.get_field_index(column)
    pq.write_table(
        table.set_column(
            place, table.schema.field(column), pa.array(values, table.schema.field(column).type)
        ),
        folder / "studies.parquet",
    )


@pytest.mark.parametrize(
    "name",
    ["..", ".", "", None, "../x.png", "/etc/passwd", "a/b.png", "a\\b.png", "..\\x.png", "x\0.png"],
)
def test_image_names_that_leave_the_folder(build, name):
    folder = build().folder
    rewritten(folder, "image", name)
    for read in (Gallery.open, load_studies):
        with pytest.raises(ValueError, match="plain file name"):
            read(folder)
    assert any("plain file name" in problem for problem in check_gallery(folder))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        "3",
        '{"mass": null}',
        '{"mass": [1]}',
        "{",
        '{"mass": true}',
        '{"mass": 7}',
        '{"no such": 1}',
    ],
)
def test_findings_that_are_none(build, text):
    folder = build().folder
    rewritten(folder, "findings", text)
    for read in (Gallery.open, load_studies):
        with pytest.raises(ValueError, match="expected"):
            read(folder)
    rewritten(folder, "findings", None)
    assert Gallery.open(folder).studies[0].findings == load_studies(folder)[0].findings == {}

"""Masks and boxes as they are published, from a folder or a ZIP archive."""

from __future__ import annotations

import csv
import errno
import os
import stat
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from mask_files import make_lungs, make_masks, make_openi

from cxr.data.archives import unpacked
from cxr.data.masks import Box, load_boxes, load_masked_images


@pytest.fixture
def anatomy(tmp_path):
    return make_masks(tmp_path / "anatomy")


def zipped(folder: Path, archive: Path, inside: str = "Dataset/") -> Path:
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, inside + path.relative_to(folder).as_posix())
    return archive


def test_a_target_without_a_row_is_absent(anatomy):
    films = {film.id: film for film in load_masked_images(anatomy)}
    assert len(films) == 12
    one = films["film1"]  # neither ground glass nor consolidation
    assert (one.patient, one.split) == ("patient1", "train")
    assert (one.sex, one.age, one.view) == ("F", 33, "PA")
    assert "ground-glass opacity" in one.known and "ground-glass opacity" not in one.masks
    assert set(films["film0"].masks) == one.known
    assert films["film4"].split == "val" and films["film3"].split == "test"
    assert all(
        path.is_file() for film in films.values() for paths in film.masks.values() for path in paths
    )


def test_a_lung_that_was_not_drawn_is_not_absent(anatomy):
    rows = (anatomy / "masks.csv").read_text().splitlines()
    (anatomy / "masks.csv").write_text(
        "\n".join(row for row in rows if not row.startswith("film1.png,left lung"))
    )
    films = {film.id: film for film in load_masked_images(anatomy)}
    assert "left lung" not in films["film1"].known and "right lung" in films["film1"].known
    assert "ground-glass opacity" in films["film1"].known
    assert {"left lung", "right lung"} <= films["film0"].known


def test_organs_that_everyone_has_are_not_absent_where_nobody_drew_them(tmp_path):
    root = make_lungs(tmp_path / "lungs")
    table = root / "masks.csv"
    header, first, *others = table.read_text().splitlines()
    more = [first.replace(",lungs,", f",{name},") for name in ("heart", "left clavicle", "nodule")]
    table.write_text("\n".join([header, first, *more, *others]))
    one, two, *_ = load_masked_images(root)
    assert one.known == {"lungs", "heart", "left clavicle", "nodule"}
    assert two.known == {"lungs", "nodule"} and not two.mask("nodule", (8, 8)).any()
    assert two.mask("heart", (8, 8)) is None and one.mask("heart", (8, 8)).any()


def test_studies_csv_names_the_patients_of_images_with_masks(tmp_path):
    root = make_lungs(tmp_path / "lungs")
    rows = (root / "masks.csv").read_text().splitlines()[1:]
    name = rows[0].split(",")[0]
    table = f"image,patient_id,sex,age,view\n{name},7,Female,52,PA\nother.png,8,M,1,AP\n"
    (root / "studies.csv").write_text(table)
    images = {image.id: image for image in load_masked_images(root)}
    assert len(images) == 4  # other.png has no mask
    one = images[name.partition(".")[0]]
    assert (one.patient, one.sex, one.age, one.view) == ("7", "F", 52, "PA")


def test_a_table_with_its_own_splits(tmp_path):
    films = load_masked_images(make_lungs(tmp_path / "lungs"))
    assert [film.split for film in films] == ["train", "train", "train", "test"]
    assert films[0].known == {"lungs"} == set(films[0].masks)


def test_openi_with_masks(tmp_path):
    films = {film.id: film for film in load_masked_images(make_openi(tmp_path / "openi"))}
    targets = {uid: set(films[f"{uid}_IM-1-1001"].masks) for uid in (1, 2, 3, 7)}
    assert targets[1] == targets[2] == {"opacity, cardiomegaly"}
    assert targets[3] == {"Impression 3."}  # a normal report has no problems to name
    assert targets[7] == {"heart"}  # the folder's name comes first
    assert "8_IM-1-1001" not in films and len(films) == 7
    assert films["1_IM-1-1001"].known == {"opacity, cardiomegaly"}
    again = load_masked_images(tmp_path / "openi")
    assert {film.id: film.split for film in again} == {
        film.id: film.split for film in films.values()
    }


def test_an_archive_is_unpacked_once(anatomy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = zipped(anatomy, tmp_path / "Dataset.zip")
    films = load_masked_images(archive)
    assert [film.id for film in films] == [film.id for film in load_masked_images(anatomy)]
    folder = unpacked(archive)
    before = folder.stat().st_ino
    assert unpacked(archive) == folder and folder.stat().st_ino == before
    assert [path.name for path in (tmp_path / ".cache" / "unpacked").iterdir()] == [
        folder.parent.name
    ]


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt", "C:\\evil.txt"])
def test_no_path_leaves_the_folder(tmp_path, name):
    archive, cache = tmp_path / "bad.zip", tmp_path / "cache" / "deep"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("fine.txt", "x")
        file.writestr(name, "evil")
    with pytest.raises(ValueError, match="do not use this archive"):
        unpacked(archive, cache)
    assert not [path for path in tmp_path.rglob("*") if "evil" in path.name]
    assert not list(cache.iterdir())


def test_links_sizes_and_counts_are_checked(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="plain files"):
        unpacked(tmp_path / "link.zip", tmp_path / "cache")
    with zipfile.ZipFile(tmp_path / "big.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(2_000_000))
        file.writestr("more", b"x")
    with pytest.raises(ValueError, match="at most .* 1 MB"):
        unpacked(tmp_path / "big.zip", tmp_path / "cache", max_bytes=1_000_000)
    with pytest.raises(ValueError, match="at most 1 files"):
        unpacked(tmp_path / "big.zip", tmp_path / "cache", max_files=1)
    assert unpacked(tmp_path / "big.zip", tmp_path / "cache").is_dir()


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c"), ("n" * 300,)])
def test_names_that_no_disk_can_hold_are_the_archives_fault(tmp_path, names):
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as file:
        for name in names:
            file.writestr(name, b"x")
    with pytest.raises(ValueError, match="expected a readable ZIP or tar archive, got odd.zip"):
        unpacked(tmp_path / "odd.zip", tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_is_not_the_archives_fault(tmp_path, anatomy, monkeypatch, number):
    def full(*_):
        raise OSError(number, "of the disk")

    monkeypatch.setattr("cxr.data.archives._copy", full)
    with pytest.raises(OSError, match="of the disk"):
        unpacked(zipped(anatomy, tmp_path / "whole.zip"), tmp_path / "cache")


def test_what_is_no_data_set_is_refused(tmp_path, anatomy):
    (tmp_path / "text.zip").write_text("no archive")
    whole = zipped(anatomy, tmp_path / "whole.zip").read_bytes()
    (tmp_path / "damaged.zip").write_bytes(
        whole[:200] + bytes(b ^ 0xFF for b in whole[200:4000]) + whole[4000:]
    )
    for name in ("text.zip", "damaged.zip", "nowhere"):
        with pytest.raises(ValueError, match="expected a"):
            unpacked(tmp_path / name, tmp_path / "cache")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="expected masks.csv"):
        load_masked_images(tmp_path / "empty")
    os.remove(next((anatomy / "masks").iterdir()))
    with pytest.raises(ValueError, match="expected the file"):
        load_masked_images(anatomy)


def test_what_is_not_known_of_a_person_is_none(anatomy):
    text = (anatomy / "images.csv").read_text()
    (anatomy / "images.csv").write_text(text.replace("PA,F,33", ",,"))
    film = next(film for film in load_masked_images(anatomy) if film.id == "film1")
    assert (film.sex, film.age, film.view) == (None, None, None)
    (anatomy / "images.csv").unlink()
    assert {film.sex for film in load_masked_images(anatomy)} == {None}


def test_a_patient_in_two_splits_is_refused(anatomy):
    text = (anatomy / "images.csv").read_text()
    (anatomy / "images.csv").write_text(text.replace("patient3", "patient1"))
    with pytest.raises(ValueError, match="patient1 in (train and test|test and train)"):
        load_masked_images(anatomy)


def test_boxes_are_fractions_of_the_picture(tmp_path):
    with open(tmp_path / "BBox_List_2017.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"])
        rows.writerow(["a.png", "Cardiomegaly", 512, 256, 128, 1024])
    with open(tmp_path / "rsna_boxes.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Image Index", "Finding Label", "x", "y", "w", "h"])
        rows.writerow(["a.jpg", "Lung Opacity", 0, 0, 256, 256])
    boxes = load_boxes(tmp_path)
    assert [(box.label, box.place) for box in boxes["a"]] == [
        ("cardiomegaly", (0.5, 0.25, 0.125, 1.0)),
        ("lung opacity", (0.0, 0.0, 0.25, 0.25)),
    ]
    with pytest.raises(ValueError, match="got none"):
        load_boxes(tmp_path.parent)
    (tmp_path / "boxes.csv").write_text(
        "image,target,x,y,w,h,split\nb.jpg,Active Tuberculosis,0.5,0.25,0.125,1,val\n"
    )
    assert load_boxes(tmp_path)["b"] == [Box("active tuberculosis", (0.5, 0.25, 0.125, 1.0), "val")]
    (tmp_path / "rsna_boxes.csv").write_text("Image Index,Finding Label,x,y,w,h\na.png,x,,1,1,1\n")
    with pytest.raises(ValueError, match="four numbers"):
        load_boxes(tmp_path)


def test_the_real_ones(real_data):
    films = load_masked_images(real_data / "anatomy")
    splits = [film.split for film in films]
    assert [splits.count(name) for name in ("train", "val", "test")] == [48, 7, 18]
    assert sum("consolidation" in film.masks for film in films) == 19
    assert len(load_masked_images(real_data / "lungs")) == 562
    boxes = load_boxes(real_data / "nih")
    assert sum(map(len, boxes.values())) == 285
    assert all(0 <= side <= 1 for places in boxes.values() for box in places for side in box.place)


@pytest.mark.parametrize(
    ("name", "targets", "splits"),
    [
        ("heart_lungs", {"right lung": 219, "left lung": 219, "heart": 219}, (155, 20, 44)),
        ("jsrt", {"heart": 207, "right clavicle": 206, "left clavicle": 206}, (142, 20, 45)),
        ("covid", {"lungs": 355}, (355, 0, 0)),
    ],
)
def test_real_masks_of_hearts_clavicles_and_lungs(real_data, name, targets, splits):
    images = load_masked_images(real_data / name)
    counts = Counter(target for image in images for target in image.masks)
    known = Counter(target for image in images for target in image.known)
    assert targets.items() <= counts.items() and known == counts
    found = Counter(image.split for image in images)
    assert tuple(found[split] for split in ("train", "val", "test")) == splits
    assert all(0.005 < images[0].mask(target, (64, 64)).mean() < 0.6 for target in images[0].masks)

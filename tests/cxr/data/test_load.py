"""Each data set as it is published -> studies, with tables small enough to read."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from cxr.data.load import LAYOUTS, load_studies, read_layout
from cxr.findings import CHEXPERT_NAMES, NIH_FINDINGS, Study

CHEXPERT = ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *CHEXPERT_NAMES]
NIH = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)


def touch(*films: Path) -> None:
    for film in films:
        film.parent.mkdir(parents=True, exist_ok=True)
        film.touch()


def chexpert_row(path, sex="Female", age="64", side="Frontal", view="AP", **labels) -> list:
    values = [labels.get(name.replace(" ", "_"), "") for name in CHEXPERT_NAMES]
    return [path, sex, age, side, view, *values]


def write_csv(path: Path, *rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def chexpert(tmp_path: Path) -> Path:
    root = tmp_path / "CheXpert-v1.0-small"
    first = "train/patient00001/study1/view1_frontal.jpg"
    second = "train/patient00002/study2/view2_lateral.jpg"
    third = "valid/patient64541/study1/view1_frontal.jpg"
    labels = {"Edema": "-1.0", "Cardiomegaly": "1.0", "Fracture": "0.0", "Mass": "1"}
    write_csv(
        root / "train.csv",
        CHEXPERT,
        chexpert_row(f"{root.name}/{first}", **labels),
        chexpert_row(f"{root.name}/{second}", "Unknown", "0", "Lateral", "", No_Finding="1"),
        chexpert_row(f"{root.name}/train/patient00003/study1/view1_frontal.jpg"),
    )
    write_csv(root / "valid.csv", CHEXPERT, chexpert_row(third, "Male", "90", view="LL", Edema="2"))
    touch(*(root / name for name in (first, second, third)))
    return root


@pytest.mark.parametrize("inside", [True, False])
def test_chexpert(chexpert, inside):
    loaded = read_layout(chexpert if inside else chexpert.parent)
    assert (loaded.layout, loaded.missing) == ("chexpert", 1)
    one, two, three = loaded.studies
    assert one == Study(
        id="patient00001_study1_view1_frontal",
        source="CheXpert",
        patient="patient00001",
        image=chexpert / "train/patient00001/study1/view1_frontal.jpg",
        view="AP",
        label_source="mined",
        sex="F",
        age=64,
        findings={"cardiomegaly": 1, "edema": -1, "fracture": 0},  # blank: no key
        licence="Stanford University Dataset Research Use Agreement",
    )
    assert (two.view, two.sex, two.age, two.findings) == ("lateral", None, None, {"no finding": 1})
    assert (three.view, three.sex, three.age, three.findings) == ("frontal", "M", 90, {})
    assert loaded.notes[0].startswith("1 of 4 rows have no image, the first: CheXpert-v1.0-small/")
    assert loaded.notes[1] == "labels not understood: 'edema: 2' (1)"


def test_chexpert_copy_with_another_suffix(chexpert):
    for film in chexpert.glob("train/**/*.jpg"):
        film.rename(film.with_suffix(".png"))
    loaded = read_layout(chexpert)
    assert [study.image.suffix for study in loaded.studies] == [".png", ".png", ".jpg"]


def test_a_missing_image_is_logged(chexpert, caplog):
    with caplog.at_level(logging.WARNING):
        assert len(load_studies(chexpert)) == 3
    assert "1 of 4 rows have no image" in caplog.text


@pytest.fixture
def nih(tmp_path: Path) -> Path:
    touch(*(tmp_path / f"images_00{n}/images/0000000{n}_000.jpg" for n in (1, 2)))
    touch(tmp_path / "images_001/images/00000003_000.png", tmp_path / "masks/00000009_000.png")
    rows = (
        "00000001_000.png,Effusion|Pleural_Thickening,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
        "00000002_000.png,No Finding,0,2,414,F,AP,2682,2749,0.143,0.143,\n"
        "00000003_000.png,Mass|Strange,0,3,006M,F,XX,2682,2749,0.143,0.143,\n"
        "00000009_000.png,Mass,0,3,70,F,PA,2682,2749,0.143,0.143,\n"
    )
    (tmp_path / "Data_Entry_2017.csv").write_text("\ufeff" + NIH + rows, encoding="utf-8")
    return tmp_path


def test_nih(nih):
    loaded = read_layout(nih)
    one, two, three = loaded.studies
    assert (loaded.layout, loaded.missing) == ("nih", 1)
    assert (one.id, one.patient, one.age, one.sex, one.view) == ("00000001_000", "1", 58, "M", "PA")
    assert one.image == nih / "images_001/images/00000001_000.jpg"
    assert one.positive == ("pleural effusion", "pleural thickening")
    assert set(one.findings) == {"no finding", *NIH_FINDINGS}
    assert two.age is None and two.findings == {"no finding": 1} | dict.fromkeys(NIH_FINDINGS, 0)
    assert (three.age, three.view, three.positive) == (0, None, ("mass",))
    assert loaded.notes == (
        "1 of 4 rows have no image, the first: 00000009_000.png",
        "ages taken as unknown: '414' (1)",
        "views not understood: 'XX' (1)",
        "unknown labels: 'Strange' (1)",
    )


def test_nih_with_a_later_header(nih):
    table = nih / "Data_Entry_2017.csv"
    (nih / "Data_Entry_2017_v2020.csv").write_text(table.read_text().replace("Gender", "Sex"))
    loaded = read_layout(nih)
    assert [study.sex for study in loaded.studies] == ["M", "F", "F"]
    assert "read Data_Entry_2017_v2020.csv, not Data_Entry_2017.csv" in loaded.notes


def test_gallery(tmp_path):
    studies = [
        Study("a", "x", "p", tmp_path / "images" / "a.png", "PA", "F", 3, {"mass": -1}, "r", "CC0"),
        Study("b", "x", "p", tmp_path / "images" / "b.png"),
    ]
    rows = [
        s.to_dict() | {"image": s.image.name, "findings": json.dumps(s.findings), "synthetic": True}
        for s in studies
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "studies.parquet")
    (tmp_path / "gallery.json").write_text("{}")
    touch(tmp_path / "images" / "a.png")
    loaded = read_layout(tmp_path)
    assert (loaded.layout, loaded.missing, loaded.studies) == ("gallery", 1, studies[:1])
    (tmp_path / "studies.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(ValueError, match="the studies of a gallery .* build the gallery again"):
        read_layout(tmp_path)


@pytest.mark.parametrize(
    ("table", "layout", "message"),
    [
        ("train.csv", "chexpert", "expected the columns Path, Sex, .* without Edema"),
        ("Data_Entry_2017.csv", "nih", "expected .* Patient Gender or Patient Sex.* without View"),
    ],
)
def test_a_missing_column_is_named(chexpert, nih, table, layout, message):
    path = next(nih.rglob(table))
    for name in ("Edema", "View Position"):
        path.write_text(path.read_text(encoding="utf-8").replace(name, "Other"), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_layout(path.parent, layout)


@pytest.mark.parametrize("table", ["train.csv", "Data_Entry_2017.csv", "studies.csv"])
@pytest.mark.parametrize(
    ("content", "message"), [(b"", "got an empty file"), (b"Path\0", "got binary data")]
)
def test_an_empty_or_binary_table_is_refused(tmp_path, table, content, message):
    (tmp_path / table).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_layout(tmp_path)


def test_bad_roots_and_layouts_are_refused(tmp_path):
    touch(tmp_path / "empty" / ".hidden.png", tmp_path / "file.txt")
    for layout in ("chexpert", "nih", "openi", "folder"):
        with pytest.raises(ValueError, match="expected .* got a folder without .* give the"):
            read_layout(tmp_path / "empty", layout)
    with pytest.raises(ValueError, match="expected a layout among chexpert.* got 'mimic'"):
        read_layout(tmp_path, "mimic")
    with pytest.raises(ValueError, match="expected a data set's folder; got nothing there"):
        read_layout(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="got a file"):
        load_studies(tmp_path / "file.txt")
    assert set(LAYOUTS) == {"chexpert", "nih", "openi", "folder", "gallery"}

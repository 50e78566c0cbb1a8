"""Plain folders and their tables, drawn and real."""

from __future__ import annotations

import pytest

from cxr.data.image_index import ImageIndex, stem
from cxr.data.load import load_reports, read_layout
from cxr.data.loaded import Notes
from cxr.data.study_table import SYNTHETIC
from cxr.tabs.shared.study_text import is_synthetic


def make(root, *films: str, **tables: str):
    for name in films:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name, text in tables.items():
        (root / f"{name}.csv").write_text(text, encoding="utf-8")
    return read_layout(root)


def test_a_drawn_folder(synthetic_folder):
    loaded = read_layout(synthetic_folder)
    assert (loaded.layout, loaded.missing, loaded.notes) == ("folder", 0, ())
    assert [study.id for study in loaded.studies] == [f"film{n}" for n in range(8)]
    second = loaded.studies[1]
    assert second.image == synthetic_folder / "images" / "film1.png"
    assert (second.patient, second.age, second.sex, second.view) == ("p1", 65, "F", "AP")
    assert second.findings == {"cardiomegaly": 1, "pleural effusion": 1}
    assert loaded.studies[7].findings == {} and not loaded.studies[7].labelled


def test_images_alone_are_unlabelled_studies(tmp_path):
    films = ("a/one.PNG", "b/one.dcm", "two.jpeg", "masks/two.png", ".x.png", "n.txt")
    loaded = make(tmp_path, *films)
    assert [study.id for study in loaded.studies] == ["a/one.PNG", "b/one.dcm", "two"]
    assert all(study.findings == {} and study.patient == study.id for study in loaded.studies)
    assert loaded.studies[0].source == f"folder {tmp_path.name}"


@pytest.mark.parametrize("name", ["synthetic", "synthetic_vs_real", "Synthetic films"])
def test_no_folders_name_makes_its_films_synthetic(tmp_path, name):
    (study,) = make(tmp_path / name, "a.png").studies
    assert study.source == f"folder {name}" and not is_synthetic(study)
    assert not study.source.lower().startswith(SYNTHETIC)


def test_a_column_a_finding(tmp_path):
    text = "File Name;Gender;Pleural Effusion;Mass;No_Finding;Edema;Remark\nx;male;1;0;;-1.0;good\n"
    loaded = make(tmp_path, "x.png", anything=text)
    (study,) = loaded.studies
    assert study.findings == {"pleural effusion": 1, "mass": 0, "edema": -1}
    assert (study.sex, study.age, loaded.notes) == ("M", None, ())


@pytest.mark.parametrize(
    "cell",
    [
        "Effusion|Mass",
        "effusion, Mass",
        "Pleural_Effusion; mass",
        "mass|Effusion|",
        "Mass/Round/Small, Effusion",
    ],
)
def test_a_list_of_names_is_labels(tmp_path, cell):
    loaded = make(tmp_path, "x.png", metadata=f'filename,finding,notes\nx.png,"{cell}","Cough."\n')
    (study,) = loaded.studies
    assert study.findings == {"pleural effusion": 1, "mass": 1}
    assert (study.report, loaded.notes) == ("Cough.", ())


PROSE = "No focal consolidation, pneumothorax, pleural effusion"


@pytest.mark.parametrize(
    "text", [PROSE, f"{PROSE}.", "Heart size normal. Mass, effusion.", "Mass."]
)
def test_sentences_in_the_findings_column_are_the_report_and_never_labels(tmp_path, text):
    table = f'image,findings,edema\nb.png,mass,\nx.png,"{text}",0\n'
    loaded = make(tmp_path, "b.png", "x.png", studies=table)
    assert loaded.studies[0].findings == {"mass": 1} and loaded.studies[0].report is None
    assert loaded.studies[1].findings == {"edema": 0} and loaded.studies[1].report == text
    (note,) = loaded.notes
    assert note == f"findings that are text, taken as the report: {text[:60]!r} (1, row 3)"


@pytest.mark.parametrize("cell", ["mass, gout", "COVID-19", "no mass, effusion"])
def test_a_list_with_an_unknown_name_gives_no_label_and_is_named_with_its_row(tmp_path, cell):
    loaded = make(tmp_path, "x.png", studies=f'image,labels\nx.png,"{cell}"\n')
    (study,) = loaded.studies
    assert (study.findings, study.report) == ({}, None)
    assert loaded.notes == (f"unknown labels: {cell!r} (1, row 2)",)


def test_between_bars_an_unknown_name_alone_is_left_out(tmp_path):
    table = "image,labels\nx.png,mass\ny.png,Gout of the big left toe|Mass\n"
    loaded = make(tmp_path, "x.png", "y.png", studies=table)
    assert [study.findings for study in loaded.studies] == [{"mass": 1}, {"mass": 1}]
    assert loaded.studies[1].report is None
    assert loaded.notes == ("unknown labels: 'Gout of the big left toe' (1, row 3)",)


def test_findings_impression_and_notes_make_one_report(tmp_path):
    table = 'image,findings,impression,notes\nx.png,"The heart is large.","Edema.","Cough."\n'
    (study,) = make(tmp_path, "x.png", studies=table).studies
    assert study.report == "Findings: The heart is large.\nImpression: Edema.\nCough."


def test_a_label_that_is_no_number_is_named_with_its_row(tmp_path):
    loaded = make(tmp_path, "x.png", studies="image,edema\nx.png,slight\n")
    assert loaded.studies[0].findings == {}
    assert loaded.notes == ("labels not understood: 'edema: slight' (1, row 2)",)


def test_rows_without_images_and_images_without_rows(tmp_path):
    text = "image,label\na.png,mass\na.png,edema\ngone.png,mass\n,mass\n"
    loaded = make(tmp_path, "a.png", "b.png", studies=text, split="Image Index,split\na,train\n")
    assert loaded.missing == 2
    assert [study.positive for study in loaded.studies] == [("edema", "mass"), ()]
    assert loaded.notes == (
        "2 of 4 rows have no image, the first: gone.png",
        "1 images have no row in studies.csv, the first: b.png",
        "images with several rows: 'a.png' (1)",
    )


def test_tables_of_boxes_are_passed_by(tmp_path):
    loaded = make(tmp_path, "a.png", boxes="image,x,y,w,h\na.png,1,1,2,2\n")
    assert loaded.notes == ("not read as a table of studies: boxes.csv",)
    assert loaded.studies[0].id == "a"


def test_a_table_that_names_no_image_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a column that names the images.* got age, sex"):
        make(tmp_path, "a.png", people="age,sex\n3,F\n")


def test_windows_text_and_short_rows(tmp_path):
    (tmp_path / "studies.csv").write_bytes("image,notes,sex\r\na.png,Größe\r\n".encode("cp1252"))
    loaded = make(tmp_path, "a.png")
    assert (loaded.studies[0].report, loaded.studies[0].sex) == ("Größe", None)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("s1/view1.png", "p1/s1/view1.jpg"),  # by stem, with the folder that the row names
        ("set/p1/s1/view1.jpg", "p1/s1/view1.jpg"),  # the data set's own name in front
        ("p1\\s1\\view1.jpg", "p1/s1/view1.jpg"),
        ("s9/view1.jpg", None),  # another study's film is no substitute
        ("view1.jpg", None),  # two of that name
        ("other.jpg", "p1/other.jpg"),  # of two suffixes, the one named
        ("", None),
    ],
)
def test_an_image_is_found_by_what_the_row_names(tmp_path, name, found):
    films = ("p1/s1/view1.jpg", "p2/s2/view1.jpg", "p1/other.jpg", "p1/other.png")
    make(tmp_path, *films)
    notes = Notes()
    assert ImageIndex(tmp_path).find(name, notes) == found
    told = notes.loaded([], "folder").notes
    assert bool(told) == (name == "view1.jpg")


def test_a_linked_folder_is_followed_once(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "a.png").touch()
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "loop").symlink_to(tmp_path / "set")
    assert [study.id for study in read_layout(tmp_path / "set").studies] == ["a"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a/1_IM-0001.dcm.png", "1_IM-0001"), ("b\\x.JPG", "x"), ("v1.2-day5.jpg", "v1.2-day5")],
)
def test_stem(name, expected):
    assert stem(name) == expected


@pytest.mark.parametrize(
    ("name", "layout", "studies", "labelled", "patients"),
    [
        ("nih", "nih", 1676, 1676, 1245),
        ("adult_unlabelled", "folder", 3036, 356, 2957),
        ("covid", "folder", 524, 23, 313),
        ("hannover", "folder", 243, 0, 71),
        ("anatomy", "folder", 73, 1, 59),
        ("tuberculosis", "folder", 740, 0, 740),
    ],
)
def test_real_folders(real_data, name, layout, studies, labelled, patients):
    loaded = read_layout(real_data / name)
    assert (loaded.layout, loaded.missing, len(loaded.studies)) == (layout, 0, studies)
    assert sum(study.labelled for study in loaded.studies) == labelled
    assert len({study.patient for study in loaded.studies}) == patients
    assert len({study.id for study in loaded.studies}) == studies
    assert all(study.image.is_file() for study in loaded.studies)


def test_real_openi_is_text_only(real_data):
    loaded = read_layout(real_data / "openi")
    assert (loaded.layout, loaded.missing, loaded.studies) == ("openi", 7466, [])
    reports = load_reports(real_data / "openi")
    assert len(reports) == 3851
    assert sum(study.findings.get("no finding") == 1 for study in reports) == 1379
    assert sum(not study.labelled for study in reports) == 92

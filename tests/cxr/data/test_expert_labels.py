"""Labels of radiologists beside mined ones: votes, outlines, and which of them a study has."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from expert_files import NIH, expert_table, outline

from cxr.data.expert_labels import load_expert_labels
from cxr.data.load import load_studies


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    rows = [NIH]
    mined = {"a": "Mass|Edema", "b": "No Finding", "c": "Infiltration", "d": "Nodule", "e": "Mass"}
    for name, labels in mined.items():
        (tmp_path / "images" / f"{name}.jpg").touch()
        rows.append(f"{name}.png,{labels},0,{name}1,50,F,PA")
    (tmp_path / "Data_Entry_2017.csv").write_text("\n".join(rows))
    return tmp_path


def test_votes_make_a_finding_present_absent_or_uncertain(root):
    votes = {"Effusion": ("YES", 5), "Mass": ("YES", 4), "Edema": ("YES", 3), "Nodule": ("NO", 2)}
    votes |= {"Hernia": ("NO", 1), "Fracture": ("YES", 0), "Airspace opacity": ("NO", 0)}
    (root / "expert_labels.csv").write_text(expert_table(a=votes, b={}))
    readings = load_expert_labels(root)
    one = readings["a"]
    assert one.votes["edema"] == 3 and one.majority["edema"] == 1 and one.majority["nodule"] == 0
    findings = one.findings
    wanted = {"pleural effusion": 1, "mass": 1, "edema": -1, "nodule": -1, "hernia": 0}
    assert wanted.items() <= findings.items()
    assert (findings["fracture"], findings["lung opacity"]) == (1, 0)
    assert "lung lesion" not in findings  # that panel did not read it
    assert readings["b"].findings["no finding"] == 1 and findings["no finding"] == 0


def test_experts_stand_before_what_was_mined(root):
    (root / "expert_labels.csv").write_text(expert_table(a={"Effusion": ("YES", 5)}, b={}))
    best = {study.id: study for study in load_studies(root)}
    assert best["a"].positive == ("pleural effusion",) and best["a"].findings["mass"] == 0
    assert [best[name].label_source for name in "abc"] == ["expert", "expert", "mined"]
    mined = {study.id: study for study in load_studies(root, labels="mined")}
    assert mined["a"].positive == ("edema", "mass")
    assert {study.label_source for study in mined.values()} == {"mined"}
    with pytest.raises(ValueError, match="expected labels best or mined, got 'all'"):
        load_studies(root, labels="all")


def test_outlines_stand_before_what_was_mined_where_they_were_looked_for(root):
    entries = [outline("b.png", "Effusion", "Effusion", "Calcification"), outline("c.png")]
    entries += [outline("d.png"), outline("e.png", "Diffuse Nodule")]
    (root / "chestxdet.json").write_text(json.dumps(entries))
    best = {study.id: study for study in load_studies(root)}
    assert best["b"].positive == ("pleural effusion",) and best["b"].findings["no finding"] == 0
    assert best["c"].positive == ("infiltration",)  # nobody looked for it: the mined label stays
    assert best["d"].positive == () and best["d"].findings["no finding"] == 1
    assert best["e"].positive == ("nodule",) and best["e"].findings["mass"] == 0
    assert [best[name].label_source for name in "abcde"] == ["mined", *["outlined"] * 4]


def test_outlines_settle_what_divides_a_panel_and_nothing_else(root):
    votes = {"Effusion": ("NO", 2), "Mass": ("YES", 5), "Nodule": ("NO", 0)}
    (root / "expert_labels.csv").write_text(expert_table(a=votes))
    (root / "chestxdet.json").write_text(json.dumps([outline("a.png", "Effusion", "Nodule")]))
    study = load_studies(root)[0]
    labels = {"pleural effusion": 1, "mass": 1, "nodule": 0, "no finding": 0}
    assert labels.items() <= study.findings.items() and study.label_source == "expert"


@pytest.mark.parametrize(("old", "new"), [("YES", "MAYBE"), (",5,", ",five,")])
def test_a_cell_that_is_no_answer_is_named(root, old, new):
    table = expert_table(a={"Effusion": ("YES", 3)}).replace(old, new, 1)
    (root / "expert_labels.csv").write_text(table)
    with pytest.raises(ValueError, match="expert_labels.csv: expected YES, NO or .* for a.png"):
        load_studies(root)


def test_images_under_other_names_are_identified(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("one", "two"):
        (tmp_path / "images" / f"{name}.jpg").touch()
    (tmp_path / "studies.csv").write_text("image,age,sex,view\none.jpg,64,F,PA\ntwo.jpg,62,M,AP\n")
    (tmp_path / "names.csv").write_text(
        f"image,{NIH}\none.jpg,00000012_009.png,Edema|Effusion,5,12,45,M,AP\n"
    )
    (tmp_path / "chestxdet.json").write_text(json.dumps([outline("one.jpg", "Fracture")]))
    one, two = load_studies(tmp_path)
    assert (one.id, one.patient, one.age, one.sex, one.view) == ("one", "12", 64, "F", "PA")
    assert one.positive == ("edema", "fracture") and one.findings["pneumonia"] == 0
    assert (two.patient, two.findings, two.label_source) == ("two", {}, "")
    mined = load_studies(tmp_path, labels="mined")[0]
    assert mined.positive == ("edema", "pleural effusion") and mined.label_source == "mined"


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("nih", {"mined": 1492, "outlined": 184}),
        ("nih_expert", {"expert": 645}),
        ("nih_128", {"mined": 6530, "outlined": 1123}),
        ("adult_unlabelled", {"": 2680, "mined": 274, "outlined": 82}),
        ("adult_normal", {"": 3077, "mined": 308, "outlined": 87}),
    ],
)
def test_real_sources(real_data, name, sources):
    assert Counter(study.label_source for study in load_studies(real_data / name)) == sources


def test_real_expert_labels(real_data):
    readings = load_expert_labels(real_data / "nih_expert")
    assert len(readings) == 645 and {one.readers for one in readings.values()} == {5}
    assert sum(one.majority["pleural effusion"] for one in readings.values()) == 190
    assert sum(one.adjudicated["fracture"] for one in readings.values()) == 28
    values = Counter(one.findings["pleural effusion"] for one in readings.values())
    divided = sum(one.votes["pleural effusion"] in (2, 3) for one in readings.values())
    assert values[-1] == divided == 103 and values[1] == 124


def test_real_mined_labels_of_nih_128(real_data):
    studies = load_studies(real_data / "nih_128", labels="mined")
    counts = Counter(name for study in studies for name in study.positive)
    wanted = {"pleural effusion": 754, "pneumothorax": 296, "cardiomegaly": 157, "emphysema": 148}
    assert len(studies) == 7653 and wanted.items() <= counts.items()
    assert sum(study.findings["no finding"] for study in studies) == 4605

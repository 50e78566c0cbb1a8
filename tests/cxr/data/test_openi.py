"""Open-I in the two forms that circulate, with and without its films."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from cxr.data.load import load_reports, read_layout
from cxr.data.loaded import Notes
from cxr.data.openi import openi_findings
from cxr.findings import OPENI_FINDINGS

HEADER = "uid,MeSH,Problems,image,indication,comparison,findings,impression".split(",")
XML = """<?xml version="1.0" encoding="utf-8"?><eCitation><uId id="CXR7"/><MedlineCitation><Article>
<Abstract><AbstractText Label="INDICATION">Cough.</AbstractText>
<AbstractText Label="FINDINGS">Mild <b>cardiomegaly</b>.</AbstractText>
<AbstractText Label="IMPRESSION"/></Abstract></Article></MedlineCitation>
<MeSH><major>Cardiomegaly/mild</major><major>Opacity/lung/base/left</major>
<automatic>heart</automatic></MeSH>
<parentImage id="CXR7_IM-2263-1001"><caption>PA and lateral</caption></parentImage>
<parentImage id="CXR7_IM-2263-2001"><caption>PA and lateral</caption></parentImage></eCitation>"""


def write_csv(path: Path, *rows: list) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def openi(tmp_path: Path) -> Path:
    write_csv(
        tmp_path / "indiana_reports.csv",
        HEADER,
        [1, "normal", "normal", "PA", "TB", "None.", "Clear.", "Normal."],
        [2, "Costophrenic Angle/left/blunted;Spine/degenerative", "", "", "", "", "", "Blunted."],
        [3, "", "Cardiomegaly;Spine", "", "", "", "", ""],
        [4, "No Indexing", "No Indexing", "", "", "", "Seen.", ""],
    )
    write_csv(
        tmp_path / "indiana_projections.csv",
        ["uid", "filename", "projection"],
        [1, "1_IM-0001-4001.dcm.png", "Frontal"],
        [1, "1_IM-0001-3001.dcm.png", "Lateral"],
        [2, "2_IM-0652-1001.dcm.png", "Frontal"],
        [9, "9_IM-0001-1001.dcm.png", "Frontal"],
    )
    films = tmp_path / "images" / "images_normalized"
    films.mkdir(parents=True)
    (films / "1_IM-0001-4001.dcm.png").touch()
    (films / "1_IM-0001-3001.png").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (("Cardiomegaly/borderline",), {"cardiomegaly": 1}),
        (("Thickening/pleura/apex/right",), {"pleural thickening": 1}),
        (("Thickening/bronchovascular", "Opacity/breast"), {}),
        (("Costophrenic Angle/left/blunted", "Pleural Effusion/left"), {"pleural effusion": 1}),
        (("Mediastinum/prominent",), {"enlarged cardiomediastinum": -1}),
        (("Catheters, Indwelling/right", "Tube, Inserted"), {"support devices": 1}),
    ],
)
def test_terms_become_findings(terms, expected):
    assert openi_findings(terms, Notes()) == dict.fromkeys(OPENI_FINDINGS, 0) | expected


def test_openi_tables(openi):
    loaded = read_layout(openi)
    assert (loaded.layout, loaded.missing) == ("openi", 3)  # one film, two reports without any
    front, side = loaded.studies
    assert (front.id, front.view, side.view) == ("1_IM-0001-4001", "frontal", "lateral")
    assert front.patient == side.patient == "1"
    assert front.report == side.report == "Findings: Clear.\nImpression: Normal."
    assert front.findings == dict.fromkeys(OPENI_FINDINGS, 0) | {"no finding": 1}
    assert front.findings is not side.findings
    assert "images whose report is not in indiana_reports.csv: '9' (1)" in loaded.notes


def test_openi_reports_without_films(openi):
    (openi / "indiana_projections.csv").unlink()
    one, two, three, four = load_reports(openi)
    assert {study.image for study in (one, two, three, four)} == {None}
    assert (two.uncertain, two.positive) == (("pleural effusion",), ())
    assert two.findings["no finding"] == 0
    assert (three.positive, three.report) == (("cardiomegaly",), None)
    assert (four.findings, four.report) == ({}, "Findings: Seen.")


def test_openi_xml(tmp_path):
    (tmp_path / "ecgen-radiology").mkdir()
    (tmp_path / "ecgen-radiology" / "7.xml").write_text(XML)
    (tmp_path / "ecgen-radiology" / "8.xml").write_text("<eCitation>")
    (tmp_path / "NLMCXR_png").mkdir()
    (tmp_path / "NLMCXR_png" / "CXR7_IM-2263-1001.png").touch()
    loaded = read_layout(tmp_path)
    (study,) = loaded.studies
    assert (loaded.layout, loaded.missing) == ("openi", 1)
    assert (study.id, study.patient, study.view) == ("CXR7_IM-2263-1001", "7", None)
    assert study.positive == ("cardiomegaly", "lung opacity")
    assert study.report == "Findings: Mild cardiomegaly."
    assert any("reports that cannot be read: '8.xml" in note for note in loaded.notes)


def test_a_missing_column_or_table_is_named(openi):
    reports = openi / "indiana_reports.csv"
    reports.write_text(reports.read_text().replace("MeSH", "Terms"))
    with pytest.raises(ValueError, match="expected the columns uid, MeSH, .* without MeSH"):
        read_layout(openi)
    (openi / "indiana_projections.csv").unlink()
    with pytest.raises(ValueError, match="indiana_projections.csv: expected a readable CSV"):
        read_layout(openi)

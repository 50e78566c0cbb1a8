import json

import numpy as np
import pytest
from PIL import Image

from cxr.data.annotations import load_annotations
from cxr.data.load import load_studies

TABLE = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"
)
CORNERS = [[256, 256], [512, 256], [512, 512]]


@pytest.fixture
def nih(tmp_path, film):
    (tmp_path / "images").mkdir()
    rows = {"1_0": "Effusion", "1_1": "No Finding", "2_0": "Mass|Infiltration", "3_0": "Edema"}
    for number, name in enumerate(rows):
        film(number, (64, 64)).save(tmp_path / "images" / f"{name}.png")
    table = "".join(f"{name}.png,{labels},0,1,50,F,PA\n" for name, labels in rows.items())
    (tmp_path / "Data_Entry_2017.csv").write_text(TABLE + table)
    outlined = [
        {
            "image": "1_0.png",
            "syms": ["Effusion", "Calcification"],
            "boxes": [[], []],
            "polygons": [CORNERS, CORNERS],
        },
        {"image": "1_1.png", "syms": [], "boxes": [], "polygons": []},
    ]
    (tmp_path / "chestxdet.json").write_text(json.dumps(outlined))
    (tmp_path / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h]\n2_0.png,Infiltrate,102.4,204.8,512,256\n"
    )
    return tmp_path


def test_polygons_and_boxes_in_fractions_with_what_was_looked_for(nih):
    found = load_annotations(nih, load_studies(nih))
    assert set(found) == {"1_0", "1_1", "2_0"}
    effusion, other = found["1_0"].outlines
    assert effusion.points == ((0.25, 0.25), (0.5, 0.25), (0.5, 0.5))
    assert {effusion.target, other.target} == {"pleural effusion", "calcification"}
    assert found["1_0"].readings["pleural effusion"] == 1
    assert found["1_0"].readings["mass"] == found["1_0"].readings["no finding"] == 0
    assert "infiltration" not in found["1_0"].readings  # ChestX-Det did not look for it
    (box,) = found["2_0"].outlines
    assert box.target == "infiltration" and found["2_0"].readings == {
        "infiltration": 1,
        "no finding": 0,
    }
    assert np.allclose(box.points, [(0.1, 0.2), (0.6, 0.2), (0.6, 0.45), (0.1, 0.45)])


def test_an_image_on_which_nothing_was_found_is_verified_normal(nih):
    found = load_annotations(nih, load_studies(nih))["1_1"]
    assert found.outlines == () and found.readings["no finding"] == 1


def test_masks_become_polygons_and_an_organ_is_no_finding(tmp_path, film):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    film(1, (64, 64)).save(tmp_path / "images" / "a.png")
    film(2, (64, 64)).save(tmp_path / "images" / "b.png")
    mask = Image.new("L", (64, 64))
    mask.paste(255, (16, 16, 32, 48))
    for name in ("a", "heart"):
        mask.save(tmp_path / "masks" / f"{name}.png")
    (tmp_path / "masks.csv").write_text(
        "image,target,mask,split\na.png,consolidation,a.png,train\nb.png,heart,heart.png,train\n"
    )
    found = load_annotations(tmp_path, load_studies(tmp_path))
    readings = {name: one.readings for name, one in found.items()}
    assert sorted(next(iter(one.values())) for one in readings.values()) == [0, 1]
    (outline,) = next(one.outlines for one in found.values() if one.outlines)
    assert outline.target == "consolidation"
    assert np.allclose(np.ptp(outline.points, axis=0), [0.25, 0.5], atol=0.02)

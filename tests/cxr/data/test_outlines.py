"""Outlined findings, nodules and hand-measured ratios, drawn and real."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from expert_files import NIH, outline
from PIL import Image

from cxr.data.masks import load_masked_images
from cxr.data.outlines import load_cardiothoracic_ratios, load_outlined_images
from cxr.data.shapes import Disc, Polygon
from cxr.findings import OUTLINED


@pytest.mark.parametrize("size", [(512, 512), (128, 128), (320, 320), (64, 32)])
def test_a_polygon_covers_its_share_at_any_size(size):
    quarter = Polygon(((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)))
    mask = quarter.mask(size)
    assert mask.dtype == bool and mask.shape == size[::-1]
    assert mask.mean() == pytest.approx(0.25, rel=0.1)
    assert mask[size[1] // 2, size[0] // 2] and not mask[0, 0]


@pytest.mark.parametrize(
    "shape",
    [Polygon(((0.5, 0.5), (0.501, 0.5), (0.5, 0.501))), Polygon(((1, 1),)), Disc(1, 0, 0)],
)
def test_what_is_smaller_than_a_pixel_is_still_drawn(shape):
    assert shape.mask((32, 32)).any()


def test_a_disc_has_its_area_where_it_lies():
    mask = Disc(0.25, 0.75, 0.1).mask((400, 400))
    assert mask.mean() == pytest.approx(np.pi * 0.01, rel=0.02)
    assert np.argwhere(mask).mean(0) == pytest.approx((299.5, 99.5), abs=0.5)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "images").mkdir()
    rows = [NIH]
    for name in "abc":
        Image.new("L", (64, 64)).save(tmp_path / "images" / f"{name}.jpg")
        rows.append(f"{name}.png,Mass,0,{name}1,50,F,PA")
    (tmp_path / "Data_Entry_2017.csv").write_text("\n".join(rows))
    (tmp_path / "split.csv").write_text("Image Index,split\na,train\nb,val\nc,test\n")
    entries = [outline("a.png", "Effusion", "Mass", "Effusion"), outline("b.png"), outline("z.png")]
    (tmp_path / "chestxdet.json").write_text(json.dumps(entries))
    return tmp_path


def test_polygons_with_absent_targets_and_splits(root):
    one, two = load_outlined_images(root)  # c was not outlined, z is not there
    assert (one.id, one.patient, one.split, one.age, one.view) == ("a", "a1", "train", 50, "PA")
    assert two.split == "val" and one.known == two.known == set(OUTLINED)
    assert {name: len(shapes) for name, shapes in one.shapes.items()} == {
        "pleural effusion": 2,
        "mass": 1,
    }
    mask = one.mask("mass", (128, 64))
    assert mask.shape == (64, 128) and mask[:16, :32].all() and mask.sum() == 16 * 32
    assert not one.mask("fracture", (8, 8)).any() and not two.mask("mass", (8, 8)).any()
    assert one.mask("heart", (8, 8)) is None  # nobody looked for it


@pytest.mark.parametrize(
    "content", ["[", "{}x", '[{"image": "a.png"}]', json.dumps([outline("a", "Gout")])]
)
def test_a_damaged_file_is_named(root, content):
    (root / "chestxdet.json").write_text(content)
    with pytest.raises(ValueError, match="chestxdet.json: expected a list of images"):
        load_outlined_images(root)


NODULES = "image,subtlety,size_mm,age,sex,x_of_2048,y_of_2048,nature\n"


def test_nodules_are_discs(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("n1", "n2"):
        Image.new("L", (64, 64)).save(tmp_path / "images" / f"{name}.jpg")
    (tmp_path / "nodules.csv").write_text(
        f"{NODULES}n1.png,5,35,53,Male,1024,512,benign\nn2.png,,,30,Female,,,non-nodule\n"
        "gone.png,5,15,53,Male,1,1,benign\n"
    )
    one, two = load_outlined_images(tmp_path)
    assert one.known == two.known == {"nodule"} and (two.sex, two.age) == ("F", 30)
    mask = one.mask("nodule", (2048, 2048))
    assert np.sqrt(4 * mask.sum() / np.pi) * 0.175 == pytest.approx(35, rel=0.01)  # mm
    assert np.argwhere(mask).mean(0) == pytest.approx((511.5, 1023.5), abs=0.5)
    assert not two.mask("nodule", (64, 64)).any()
    (tmp_path / "nodules.csv").write_text(f"{NODULES}n1.png,5,x,53,Male,1024,512,benign\n")
    with pytest.raises(ValueError, match="nodules.csv: expected a size and a place"):
        load_outlined_images(tmp_path)


def test_a_folder_without_outlines_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected chestxdet.json or nodules.csv"):
        load_outlined_images(tmp_path)


def test_ratios_measured_by_hand(tmp_path):
    path = tmp_path / "cardiothoracic_ratio.csv"
    path.write_text("image,ratio\na.jpg,0.4453\nb.jpg,\n")
    assert load_cardiothoracic_ratios(tmp_path) == {"a": 0.4453}
    for bad in ("1.2", "0", "nan", "half"):
        path.write_text(f"image,ratio\na.jpg,{bad}\n")
        with pytest.raises(ValueError, match="expected a ratio between 0 and 1"):
            load_cardiothoracic_ratios(tmp_path)


@pytest.mark.parametrize(
    ("name", "images", "absent", "splits"),
    [
        ("nih", 184, 42, {"train": 149, "val": 14, "test": 21}),
        ("nih_expert", 30, 3, {"train": 23, "val": 3, "test": 4}),
        ("nih_128", 1123, 156, {"train": 1123}),
        ("adult_unlabelled", 82, 7, {"train": 82}),
        ("adult_normal", 87, 54, {"train": 87}),
    ],
)
def test_real_outlines(real_data, name, images, absent, splits):
    found = load_outlined_images(real_data / name)
    assert len(found) == images and sum(not image.shapes for image in found) == absent
    assert Counter(image.split for image in found) == splits
    for image in found[:20]:
        for target in OUTLINED:
            marked = image.mask(target, (128, 128))
            assert marked.any() == (target in image.shapes) and marked.mean() < 0.9


def test_real_nodules_and_ratios(real_data):
    nodules = load_outlined_images(real_data / "jsrt")
    assert len(nodules) == 207 and sum(bool(image.shapes) for image in nodules) == 125
    assert Counter(image.split for image in nodules) == {"train": 142, "val": 20, "test": 45}
    lungs = {image.id: image for image in load_masked_images(real_data / "jsrt")}
    inside = [
        (image.mask("nodule", (256, 256)) & lungs[image.id].mask(side, (256, 256))).any()
        for image in nodules
        if image.shapes
        for side in ("right lung", "left lung")
    ]
    assert sum(inside) > 0.7 * 125  # some lie behind the heart or below the diaphragm
    ratios = load_cardiothoracic_ratios(real_data / "heart_lungs")
    assert len(ratios) == 190 and 0.3 < min(ratios.values()) < max(ratios.values()) < 0.8

"""Boxes as weak supervision: ellipses on the padded square, of the train split alone."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image

from cxr.anatomy import GROUND_GLASS, LUNGS, OPACITY
from cxr.data.load import load_studies
from cxr.data.masks import Box
from cxr.data.splits import split_studies
from cxr.findings import Study
from cxr.images.load import Preprocess
from cxr.localization.targets import Target
from train.localizer.batch_sampler import BatchSampler
from train.localizer.box_data import BoxData, boxed_studies

VIEW = Preprocess(64, 0.5, 0.25, 1)


@pytest.fixture
def root(tmp_path):
    rows = [
        "image,target,x,y,w,h,split",
        "a.png,active tuberculosis,0.5,0,0.5,0.5,train",
        "b.png,opacity,0,0,1,1,val",
        "c.png,cardiomegaly,0,0,1,1,train",
    ]
    (tmp_path / "boxes.csv").write_text("\n".join(rows))
    (tmp_path / "images").mkdir()
    noise = np.random.default_rng(0)
    for name in "abcd":  # twice as wide as high: padded above and below
        film = noise.integers(0, 255, (60, 120), np.uint8)
        Image.fromarray(film).save(tmp_path / "images" / f"{name}.png")
    return tmp_path


def test_only_opacities_of_the_train_split_are_taken(root):
    studies, boxes = boxed_studies([root])
    assert [study.id for study in studies] == ["a"]
    assert boxes == [[Box("active tuberculosis", (0.5, 0.0, 0.5, 0.5), "train")]]
    with pytest.raises(ValueError, match="boxes.csv"):
        boxed_studies([root / "images"])


def test_an_ellipse_fills_its_box_on_the_square(root):
    data = BoxData(*boxed_studies([root]), VIEW, root / "cache")
    mask = data.mask(0, Target(OPACITY)) >= 128
    rows, columns = np.nonzero(mask)
    assert abs(rows.min() - 16) <= 1 and abs(rows.max() - 31) <= 1
    assert abs(columns.min() - 32) <= 1 and abs(columns.max() - 63) <= 1
    assert mask.sum() == pytest.approx(np.pi / 4 * 32 * 16, rel=0.05)
    assert mask[24, 48] and not mask[17, 33] and not mask[30, 62]


def test_nothing_else_is_known_and_one_question_counts_once(root):
    data = BoxData(*boxed_studies([root]), VIEW, root / "cache")
    assert not data.known(0, Target(LUNGS)) and not data.known(0, Target(GROUND_GLASS))
    assert not data.known(0, Target(OPACITY, "left"))
    batch = BatchSampler([data], [1.0], 5, plain=False).draw(2, random.Random(0))
    assert batch.weights.sum(1).tolist() == pytest.approx([1.0, 1.0])


def test_an_unreadable_film_takes_its_boxes_with_it(root):
    (root / "images" / "x.png").write_bytes(b"no film")
    film = Study("x", "s", "x", root / "images" / "x.png")
    good = boxed_studies([root])[0][0]
    place = [[Box("opacity", (0.0, 0.0, 0.1, 0.1))], [Box("opacity", (0.0, 0.0, 1.0, 1.0))]]
    data = BoxData([film, good], place, VIEW, root / "cache")
    assert len(data) == 1 and (data.mask(0, Target(OPACITY)) >= 128)[32, 32]


def test_boxes_without_a_split_follow_that_of_the_data_set(root):
    (root / "boxes.csv").unlink()
    rows = [f"{name}.png,Lung Opacity,0,0,512,512" for name in "abcd"]
    (root / "rsna_boxes.csv").write_text("Image Index,Finding Label,x,y,w,h\n" + "\n".join(rows))
    (root / "split.csv").write_text("Image Index,split\na.png,test\nb.png,train\nc.png,val\n")
    assert [study.id for study in boxed_studies([root])[0]] == ["b"]
    (root / "split.csv").unlink()
    everything = load_studies(root)
    train = split_studies(everything)["train"]
    assert {study.id for study in boxed_studies([root])[0]} == {study.id for study in train}

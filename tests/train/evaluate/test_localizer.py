"""The localizer's numbers: right for a model that knows, wrong for one that does not; the card."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mask_files import SHAPES, ellipse, make_masks
from PIL import Image
from training_data import make_nih

from cxr.anatomy import PARTS, TARGETS
from cxr.checkpoints.io import save_checkpoint
from cxr.data.masks import load_masked_images
from cxr.images.load import Preprocess
from cxr.localization.localizer import Localizer
from cxr.models.unet import LocalizerConfig, TextGuidedUNet
from train.cards.localizer import reading_text, steps_of
from train.evaluate import main as evaluate
from train.evaluate.localizer import annotated_mask, on_boxes, on_masks

CONFIG = LocalizerConfig(
    "resnet18", Preprocess(96, 0.5, 0.25, 1), "none", TARGETS, decoder=(16, 8, 8, 8, 4)
)


class Knowing(Localizer):
    """Marks the shapes that drawn films are made of; `shift` pixels of the square too far down."""

    def __init__(self, shown=tuple(SHAPES), shift: int = 0):
        super().__init__(TextGuidedUNet(CONFIG), None, torch.device("cpu"))
        self.shown, self.shift = shown, shift

    def _raw(self, square, queries):
        return np.stack([self._map(query.target) for query in queries])

    def _map(self, target: str) -> np.ndarray:
        square = np.zeros((96, 96), np.float32)
        for part in PARTS.get(target, (target,)):
            if part in self.shown:
                square[:, 8:88] = np.maximum(square[:, 8:88], ellipse(part, (80, 96)))
        return np.roll(square, self.shift, 0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_masks(tmp_path_factory.mktemp("masks") / "anatomy")


@pytest.fixture(scope="module")
def films(data):
    return load_masked_images(data)


def test_truth_at_the_films_own_size(films):
    film = next(film for film in films if film.id == "film0")
    assert np.array_equal(
        annotated_mask(film, "left lung", (80, 96)), ellipse("left lung", (80, 96))
    )
    both = annotated_mask(film, "lungs", (160, 192))
    assert (
        both.shape == (192, 160)
        and abs(both.mean() - 2 * ellipse("left lung", (80, 96)).mean()) < 0.01
    )
    other = next(film for film in films if film.id == "film1")
    assert not annotated_mask(other, "consolidation", (80, 96)).any()
    assert (
        annotated_mask(films[0].__class__("a", films[0].image, "p", "test"), "lungs", (8, 8))
        is None
    )


def test_a_model_that_knows_scores_one_and_marks_what_is_absent_falsely(films):
    scores = on_masks(Knowing(), films, 50, 0)
    assert set(scores["targets"]) == set(TARGETS)
    for target in ("lungs", "right lung", "heart and mediastinum", "airways"):
        entry = scores["targets"][target]
        assert entry["films"] == 12 and entry["absent_films"] == 0 and "false_marks" not in entry
        assert entry["dice"] == {"value": 1.0, "low": 1.0, "high": 1.0} == entry["iou"]
    opacity = scores["targets"]["consolidation"]
    assert (opacity["films"], opacity["absent_films"]) == (4, 8)
    share = ellipse("consolidation", (80, 96)).mean()
    assert opacity["false_marks"]["value"] == pytest.approx(share, abs=1e-3)
    assert all(entry == {"films": 12, "wrong": 0} for entry in scores["sides"].values())
    women, men = (scores["groups"]["groups"][name] for name in ("female", "male"))
    assert women["films"] == men["films"] == 6 and women["lungs"]["value"] == 1
    # Ground glass in all six films of men, consolidation in two: it marks both everywhere.
    assert men["opacity"]["value"] == pytest.approx((2 * 1 + 4 * 2 / 3) / 6, abs=1e-4)
    # Of the women's films only two show an opacity.
    assert "opacity" not in women and scores["groups"]["left_out"]["view AP"] == 0


def test_a_model_that_is_off_scores_less(films):
    scores = on_masks(Knowing(shift=8), films, 50, 0)
    lungs = scores["targets"]["lungs"]
    assert 0.6 < lungs["iou"]["value"] < lungs["dice"]["value"] < 0.95
    assert lungs["dice"]["low"] <= lungs["dice"]["value"] <= lungs["dice"]["high"]


def test_pointing_and_chance(tmp_path):
    root = make_nih(tmp_path / "nih", 6)
    (root / "BBox_List_2017.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h]\n"
        + "".join(
            f"{row:08d}_000.png,{label},{box}\n"
            for row, label, box in (
                (0, "Cardiomegaly", "0,0,1024,1024"),
                (1, "Cardiomegaly", "0,0,102.4,102.4"),
                (2, "Hernia", "0,0,1024,1024"),
            )
        )
    )
    from cxr.data.load import load_studies

    found = on_boxes(Knowing(), load_studies(root), root)
    assert found == {
        "heart and mediastinum": {
            "films": 2,
            "hits": 1,
            "accuracy": 0.5,
            "chance": round((1 + 0.01) / 2, 4),
        }
    }


def test_the_card_says_what_is_read_beside_the_u_net():
    assert reading_text({"architecture": CONFIG.to_dict()}) == ""
    config = {
        "architecture": {"grid_channels": 8, "grid_layers": [5, 8], "grid_side": 392},
        "text_encoder": {"weights": "retrieval", "image_sha256": "ab" * 32},
        "shares": {"opacity": 0.5, "consolidation": 0.25},
        "training": {
            "command": "two",
            "reading": {"command": "three"},
            "offsets": {
                "command": "six",
                "folds": [{"command": "four", "reading": {"command": "five"}}],
            },
            "earlier": [{"command": "one"}],
        },
    }
    said = reading_text(config)
    assert "to 392 px, after blocks 6, 9" in said and "50% for opacity, 25% for" in said
    assert "`abababababab`" in said
    assert [step["command"] for step in steps_of(config["training"])] == [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
    ]


def test_the_command_writes_numbers_and_card(data, tmp_path, capsys):
    torch.manual_seed(0)
    about = {
        "architecture": CONFIG.to_dict(),
        "training": {
            "command": "accelerate launch -m train.localizer",
            "minutes": 1.0,
            "step": 70,
            "films": [8, 0, 5],
            "data": ["anatomy"],
            "phase_1": False,
            "shuffled_text": False,
            "earlier": [{"command": "phase one", "minutes": 2.5, "data": ["nih", "anatomy"]}],
        },
    }
    state = TextGuidedUNet(CONFIG).state_dict()
    weights = save_checkpoint(tmp_path / "plain", state, about)
    other = shutil.copytree(weights, tmp_path / "other")
    words = [
        "localizer",
        "--weights",
        str(weights),
        "--data",
        str(data),
        "--split",
        "val",
        "--rounds",
        "20",
        "--compare",
        f"the same again={other}",
    ]
    assert evaluate.main([*words, "--write"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((weights / "metrics.json").read_text())
    assert [row["name"] for row in printed["compared"]] == ["this checkpoint", "the same again"]
    one, two = printed["compared"]
    assert {**one, "name": ""} == {**two, "name": ""} and one["fusion"] == "none"
    card = (weights / "README.md").read_text()
    assert "Left out for fewer than 5 films: female (0), male (2)" in card
    assert "hardware was not recorded" in card
    assert "{{" not in card and "| the same again | none | 0 | no | 70 |" in card
    assert "phase one\naccelerate launch -m train.localizer\n" in card
    assert "3.5 minutes. The hardware" in card
    assert "8 with masks, 5 read as normal." in card
    assert evaluate.main([*words[:4], str(tmp_path / "nowhere")]) == 2
    assert evaluate.main([*words, "--compare", "nameless"]) == 2
    assert "NAME=FOLDER" in capsys.readouterr().err


def test_the_real_truth_has_the_films_size(real_data):
    for film in load_masked_images(real_data / "anatomy")[:5]:
        with Image.open(film.image) as image:
            truth = annotated_mask(film, "lungs", image.size)
        assert truth.shape == image.size[::-1] and 0.15 < truth.mean() < 0.7
    assert isinstance(film.image, Path)

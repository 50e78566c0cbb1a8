"""Offsets: their effect on a map, the level that is chosen, and what is written."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from mask_files import make_masks
from PIL import Image

from cxr.anatomy import GROUND_GLASS, HEART, LUNGS, TARGETS
from cxr.checkpoints.format import read_config
from cxr.checkpoints.io import load_checkpoint, save_checkpoint
from cxr.data.masks import load_masked_images
from cxr.images.load import Preprocess
from cxr.localization.localizer import Localizer
from cxr.models.unet import LocalizerConfig, TextGuidedUNet
from train.localizer import offsets as script
from train.localizer.mask_data import folded

CONFIG = LocalizerConfig(
    "timm-mobilenetv3_small_minimal_100", Preprocess(64, 0.5, 0.25, 1), "none", TARGETS
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("offsets")
    make_masks(root / "anatomy")
    torch.manual_seed(0)
    save_checkpoint(
        root / "weights",
        TextGuidedUNet(CONFIG).state_dict(),
        {"architecture": CONFIG.to_dict(), "training": {}},
    )
    return root


@pytest.mark.parametrize("level", [0.05, 0.3, 0.8])
def test_the_offset_of_a_level_brings_it_to_one_half(level):
    logit = torch.logit(torch.tensor(level))
    assert torch.sigmoid(logit + script.offset(level)).item() == pytest.approx(0.5, abs=1e-5)


def test_a_map_is_shifted_for_its_target_alone(place):
    film = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8))
    plain, shifted = (Localizer.load(place / "weights") for _ in range(2))
    shifted.offsets = {HEART: script.offset(0.2)}
    before, after = plain.locate(film, HEART), shifted.locate(film, HEART)
    expected = 1 / (1 + np.exp(-(np.log(before / (1 - before)) + script.offset(0.2))))
    assert np.allclose(after, expected, atol=0.02) and (after > before).all()
    assert np.array_equal(plain.locate(film, LUNGS), shifted.locate(film, LUNGS))


def test_the_middle_of_good_levels_is_chosen():
    scores = np.array([0.1, 0.5, 0.7, 0.7, 0.695, 0.6, 0.5, 0.4, 0.3, 0.2])
    assert script.best_level(scores) == script.LEVELS[3]
    assert script.best_level(np.full(10, np.nan)) is None
    assert script.best_level(np.zeros(10)) is None


def test_folds_have_their_say_beside_the_validation_split(place, capsys, monkeypatch):
    asked = []
    scores_at = script.scores_at
    monkeypatch.setattr(script, "LEVELS", (0.2, 0.5))
    config, state = load_checkpoint(place / "weights")
    others = [
        save_checkpoint(
            place / f"fold{number}",
            {**state, "head.bias": torch.full_like(state["head.bias"], number)},
            {**config, "training": {"fold": f"{number}/5", "command": f"fold {number}"}},
        )
        for number in (1, 2)
    ]
    monkeypatch.setattr(script, "scores_at", lambda seen: asked.append(seen) or scores_at(seen))
    script.main(
        [
            "--weights",
            str(place / "weights"),
            "--data",
            str(place / "anatomy"),
            "--folds",
            *map(str, others),
        ]
    )
    films = load_masked_images(place / "anatomy")
    held = [
        [film.id for film in folded(films, fold) if film.split == "val"]
        for fold in (None, "1/5", "2/5")
    ]
    assert [film.id for _, film in asked[0]] == sum(held, [])
    shifts = {film.id: localizer.model.head.bias.mean().item() for localizer, film in asked[0][2:]}
    assert all(
        abs(shifts[film] - number) < 0.01
        for number, part in enumerate(held[1:], 1)
        for film in part
    )
    printed = json.loads(capsys.readouterr().out)
    about = read_config(place / "weights")["training"]["offsets"]
    assert [fold["command"] for fold in about["folds"]] == ["fold 1", "fold 2"]
    assert about["films"] == len(set(sum(held, [])))
    with pytest.raises(SystemExit, match="trained with --fold"):
        script.main(
            [
                "--weights",
                str(others[0]),
                "--data",
                str(place / "anatomy"),
                "--folds",
                str(place / "weights"),
            ]
        )
    assert printed["offsets"] == Localizer.load(place / "weights").offsets


def test_folds_part_patients_and_leave_the_test_split(place):
    films = load_masked_images(place / "anatomy")
    parts = [folded(films, f"{number}/3") for number in (1, 2, 3)]
    held = [{film.patient for film in part if film.split == "val"} for part in parts]
    assert sorted(sum(map(sorted, held), [])) == sorted(
        {film.patient for film in films if film.split != "test"}
    )
    for part, val in zip(parts, held):
        assert val and not val & {film.patient for film in part if film.split != "val"}
        assert {film.id for film in part if film.split == "test"} == {
            film.id for film in films if film.split == "test"
        }
    assert folded(films, None) == films
    for wrong in ("0/4", "5/4", "1", "1/1", "a/4", ""):
        with pytest.raises(ValueError, match="expected a fold"):
            folded(films, wrong)


def test_it_is_written_and_served(place, capsys):
    script.main(["--weights", str(place / "weights"), "--data", str(place / "anatomy")])
    printed = json.loads(capsys.readouterr().out)
    config = json.loads((place / "weights" / "config.json").read_text())
    assert config["offsets"] == printed["offsets"] and config["architecture"]
    assert all(
        printed["offsets"][name] == pytest.approx(script.offset(level), abs=1e-3)
        for name, level in printed["levels"].items()
        if level
    )
    assert Localizer.load(place / "weights").offsets == config["offsets"]
    assert LUNGS not in config["offsets"] and GROUND_GLASS in printed["levels"]
    with pytest.raises(SystemExit, match="val"):
        (place / "anatomy" / "images.csv").write_text(
            (place / "anatomy" / "images.csv").read_text().replace(",val", ",train")
        )
        script.main(["--weights", str(place / "weights"), "--data", str(place / "anatomy")])

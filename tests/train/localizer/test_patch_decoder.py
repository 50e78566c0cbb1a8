"""Training of a patch decoder: what is known, how copies are moved, and a run from end to end."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from expert_files import NIH, outline
from mask_files import make_masks
from PIL import Image
from tiny import tiny_dual_encoder

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.io import load_checkpoint
from cxr.images.load import Preprocess
from cxr.localization.localizer import Localizer
from train.localizer.patch_decoder import levels, train
from train.localizer.patch_decoder.features import Change
from train.localizer.patch_decoder.films import load_films

VIEW = Preprocess(64, 0.5, 0.25, 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("data")
    make_masks(root / "anatomy")
    folder = root / "nih"
    (folder / "images").mkdir(parents=True)
    rows = [NIH]
    for name in "abc":
        Image.new("L", (64, 64), 90).save(folder / "images" / f"{name}.jpg")
        rows.append(f"{name}.png,Mass,0,{name}1,50,F,PA")
    (folder / "Data_Entry_2017.csv").write_text("\n".join(rows))
    (folder / "split.csv").write_text("Image Index,split\na,train\nb,train\nc,test\n")
    entries = [outline("a.png", "Effusion", "Consolidation"), outline("b.png"), outline("c.png")]
    (folder / "chestxdet.json").write_text(json.dumps(entries))
    save_dual_encoder(tiny_dual_encoder(backbone="vit_tiny_patch16_224"), root / "retrieval")
    return root


def test_absent_is_empty_and_what_nobody_looked_for_is_unknown(root):
    films = {film.image.stem: film for film in load_films(root, ["nih", "anatomy"])}
    a, b = films["a"], films["b"]
    assert a.mask("pleural effusion", VIEW, (64, 64)).max() == 255
    assert a.mask("mass", VIEW, (64, 64)).max() == 0
    assert a.mask("heart", VIEW, (64, 64)) is None
    # An opacity is drawn where a consolidation is, and absent where nothing was outlined.
    assert a.mask("opacity", VIEW, (64, 64)).max() == 255
    assert b.mask("ground-glass opacity", VIEW, (64, 64)).max() == 0
    assert a.mask("ground-glass opacity", VIEW, (64, 64)) is None
    drawn = films["film0"]
    assert drawn.mask("left lung", VIEW, (80, 96)).max() == 255
    assert drawn.mask("mass", VIEW, (80, 96)) is None


def test_a_copy_and_its_mask_are_moved_alike():
    change = Change.of("nih/a.jpg", 1)
    assert change == Change.of("nih/a.jpg", 1) != Change.of("nih/b.jpg", 1)
    assert Change.of("nih/a.jpg", 0) == Change()
    square = np.zeros((64, 64), np.uint8)
    square[20:30, 35:45] = 255
    moved = change.moved(torch.from_numpy(square).float()[None, None])[0, 0].numpy()
    seen = change.seen(square).astype(float)
    seen -= np.median(seen)
    places = [np.average(np.indices((64, 64)), axis=(1, 2), weights=w) for w in (moved, seen)]
    assert np.abs(places[0] - places[1]).max() < 1.5
    assert np.array_equal(Change().seen(square), square)


def test_from_data_to_a_checkpoint_with_levels(root, tmp_path, monkeypatch, capsys):
    common = ["--data", str(root), "--sources", "nih", "anatomy", "--side", "96", "--layers", "1"]
    common += ["--text", str(root / "retrieval"), "--cache", str(tmp_path / "cache")]
    weights = root / "localizer"
    run = ["--batch-size", "2", "--steps", "3", "--fold", "1/3"]
    first = tmp_path / "organs"
    train.main([*common, *run, "--out", str(first), "--workdir", str(tmp_path / "run")])
    run += ["--part", "findings", "--start", str(first), "--out", str(weights)]
    train.main([*common, *run, "--workdir", str(tmp_path / "run2")])
    # What the second stage does not train is that of the first.
    before, after = load_checkpoint(first)[1], load_checkpoint(weights)[1]
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {"maps.weight", "mean"} < same and "reading.0.weight" not in same
    levels.main([*common, "--weights", str(weights)])
    config = json.loads((weights / "config.json").read_text())
    assert config["training"]["fold"] == "1/3" and config["training"]["films"] > 2
    assert [one["fold"] for one in config["training"]["earlier"]] == ["1/3"]
    assert set(config["levels"]["targets"]) == set(config["targets"])
    localizer = Localizer.load(weights)
    # A handful of films is too few to judge a finding by.
    assert "mass" not in localizer.locatable and "right lung" in localizer.locatable
    heat = localizer.locate(Image.new("L", (80, 96), 90), "right lung")
    assert heat.shape == (96, 80) and np.isfinite(heat).all()


@pytest.mark.parametrize("fold", ["3", "0/2", "3/2", "1/1"])
def test_what_is_no_fold_is_refused(fold):
    with pytest.raises(SystemExit, match="expected --fold K/N"):
        train.left_out([], fold)

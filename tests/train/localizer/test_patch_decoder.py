"""Training of a patch decoder: what is known, how copies are moved, and a run from end to end."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from expert_files import NIH, outline
from mask_files import make_masks
from PIL import Image
from tiny import tiny_dual_encoder

from cxr.anatomy import READ
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.io import load_checkpoint
from cxr.images.load import Preprocess
from cxr.localization.decoding import Level
from cxr.localization.localizer import Localizer
from cxr.models.patch_decoder import PatchDecoder, PatchDecoderConfig
from train.localizer.patch_decoder import levels, train
from train.localizer.patch_decoder.data import Batch, DecoderData
from train.localizer.patch_decoder.features import Change
from train.localizer.patch_decoder.films import load_films
from train.localizer.patch_decoder.labelled import Labelled, choose_enlarged, choose_speaker
from train.localizer.patch_decoder.teacher import TARGETS, Taught

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


def test_a_box_is_an_ellipse_of_opacity_and_a_film_without_one_shows_none(tmp_path):
    folder = tmp_path / "rsna"
    (folder / "images").mkdir(parents=True)
    for name in "ab":
        Image.new("L", (64, 64), 90).save(folder / "images" / f"{name}.jpg")
    (folder / "studies.csv").write_text("image,class\na.jpg,Lung Opacity\nb.jpg,Normal\n")
    (folder / "boxes.csv").write_text("image,x,y,w,h\na.jpg,256,512,512,256\n")
    a, b = load_films(tmp_path, [], ["rsna"])
    drawn = a.mask("opacity", VIEW, (64, 64)) > 127
    rows, columns = np.nonzero(drawn)
    assert rows.min() >= 31 and rows.max() <= 48 and columns.min() >= 15 and columns.max() <= 48
    assert drawn[39, 31] and not drawn[33, 17]  # the middle, and a corner of the box
    assert b.mask("opacity", VIEW, (64, 64)).max() == 0
    assert a.mask("consolidation", VIEW, (64, 64)) is None


def jittery() -> Batch:
    square = torch.zeros(1, 1, 64, 64)
    square[..., 20:30, 8:18] = 1
    return Batch(square, square.repeat(1, 2, 1, 1), square.clone(), torch.ones(1, 1))


def test_jitter_moves_image_features_and_masks_alike():
    moved = jittery().jittered(np.random.default_rng(3), mirror=False)
    places = [
        np.average(np.indices((64, 64)), axis=(1, 2), weights=part[0, 0].numpy() ** 8 + 1e-9)
        for part in (moved.pixels, moved.features, moved.masks)
    ]
    assert np.abs(places[0] - places[2]).max() < 1 and np.abs(places[1] - places[2]).max() < 0.1
    assert np.abs(places[2] - (24.5, 12.5)).max() > 0.5
    mirrored = [
        jittery().jittered(np.random.default_rng(seed), mirror=True).masks[0, 0]
        for seed in range(12)
    ]
    sides = {bool(mask[:, :32].sum() > mask[:, 32:].sum()) for mask in mirrored}
    assert sides == {True, False}


def test_what_a_teacher_drew_counts_less_and_never_before_a_mask(root, tmp_path):
    films = load_films(root, ["nih"])
    images = np.zeros((len(films), 64, 64), np.uint8)
    features = [(range(len(films)), np.zeros((len(films), 2, 4, 4), np.float16))]
    drawn = np.full((1, len(TARGETS), 32, 32), 255, np.uint8)
    outputs = ("heart and mediastinum", "airways", "opacity", "ground-glass opacity")
    data = DecoderData(
        films, images, features, outputs, VIEW, tmp_path, 32, Taught([0], drawn, 0.5)
    )
    # An opacity was outlined on the first film; of the rest nobody drew anything.
    assert data.weight[0].tolist() == [0.5, 0.5, 1, 0.5, 0]
    assert not data.known[0, 0] and data.present[0, 0]
    asked = np.array([False, True, True, False, False])
    batch = data.batch([0], [0], asked)
    assert batch.masks.shape == (1, 2, 32, 32) and batch.weight.tolist() == [[0.5, 1.0]]
    assert batch.masks[0, 0].min() == 1 and batch.masks[0, 1].min() == 0


def test_a_decoder_goes_on_from_one_with_fewer_features_and_grids():
    view = Preprocess(96, 0.5, 0.25, 1)
    small = PatchDecoder(PatchDecoderConfig(("heart",), (), (1,), 4, (8, 8, 8), (8, 8), 8, view))
    large = PatchDecoderConfig(
        ("heart",), (), (1, 2), 6, (8, 8, 8, 8), (8, 8, 8), 8, view, side=24, encoder_side=48
    )
    model = PatchDecoder(large).eval()
    train.start_from(model, {k: v.half() for k, v in small.state_dict().items()})
    pixels, features = torch.rand(1, 1, 96, 96), torch.rand(1, 6, 6, 6)
    model.edges.bias.data.zero_()
    maps = model.draw(pixels, features)
    assert maps.shape == (1, 1, 24, 24)
    # The further features have no say yet, and the former ones have that which they had.
    other = features.clone()
    other[:, 4:] = 7
    assert torch.equal(maps, model.draw(pixels, other))
    assert torch.allclose(model.reduce.weight[:, :4], small.reduce.weight, atol=1e-3)


def test_who_speaks_for_a_finding_and_from_where_a_heart_counts_as_enlarged():
    labels = np.full((40, len(READ)), np.nan, np.float32)
    place = READ.index("pleural effusion")
    labels[:, place] = np.arange(40) < 10
    own, classified = np.full((2, 40, len(READ)), 0.5, np.float32)
    classified[:, place] = np.linspace(0.9, 0.1, 40)
    films = Labelled(labels, own, classified, np.full(40, np.nan, np.float32))
    level, about = choose_speaker(films, "pleural effusion", Level(0.4, found_from=0.2))
    assert about["auroc_of_classifier"] == 1 and about["auroc_of_own"] == 0.5
    assert about["specificity"] >= 0.95 and about["sensitivity"] == 1
    assert level.classified_from == pytest.approx(classified[11, place], abs=1e-4)
    worse = replace(films, classified=1 - classified)
    assert choose_speaker(worse, "pleural effusion", Level(0.4))[0].classified_from == 0
    assert choose_speaker(films, "mass", Level(0.4)) == (Level(0.4), {})
    ratios = np.concatenate([np.linspace(0.4, 0.6, 100), [0.57, 0.65]])
    limit, about = choose_enlarged(ratios, np.arange(102) >= 100)
    assert 0.58 < limit < 0.59 and about["specificity"] >= 0.9 and about["sensitivity"] == 0.5
    assert choose_enlarged(ratios - 0.2, np.arange(102) >= 100)[0] == 0.5


def test_an_interval_holds_nine_of_ten_new_cases():
    away = np.arange(1, 20) / 100
    assert levels.half_width(away) == pytest.approx(0.18)
    assert levels.half_width(np.array([0.1, 0.3])) == pytest.approx(0.3)


def test_from_data_to_a_checkpoint_with_levels(root, tmp_path, monkeypatch, capsys):
    common = ["--data", str(root), "--sources", "nih", "anatomy", "--side", "96", "--layers", "1"]
    common += ["--encoder-side", "48", "--map-side", "64"]
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
    levels.main([*common, "--weights", str(weights), "--labelled", "nih"])
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

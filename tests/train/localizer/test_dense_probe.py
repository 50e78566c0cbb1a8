"""A probe of frozen features is learned beside a U-Net that stays as it is."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mask_files import make_lungs, make_masks
from tiny import tiny_dual_encoder
from tiny_localizer import CONFIG, save_localizer
from training_data import make_nih

from cxr.anatomy import DEVICES, LUNGS, OPACITIES, OPACITY, TARGETS
from cxr.checkpoints.encoders import load_text_encoder, save_dual_encoder
from cxr.checkpoints.format import read_config
from cxr.checkpoints.io import load_checkpoint
from cxr.data.masks import load_masked_images
from cxr.files import write_json
from cxr.images.load import Preprocess
from cxr.localization.localizer import Localizer
from cxr.localization.targets import Target
from cxr.models.text_fusion import DenseProbe
from cxr.models.unet import LocalizerConfig
from train.localizer import dense_probe as script
from train.localizer.batch_sampler import BatchSampler
from train.localizer.mask_data import MaskData, folded
from train.localizer.prompts import TextBank, wordings


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("reading")
    make_masks(root / "anatomy")
    make_nih(root / "nih", 12)
    folder = save_dual_encoder(
        tiny_dual_encoder(backbone="vit_tiny_patch16_224"), root / "retrieval"
    )
    save_localizer(
        root,
        text_encoder={"weights": "retrieval", "sha256": load_text_encoder(folder).fingerprint},
        training={"step": 7},
    )
    return root


def test_the_u_net_stays_and_the_probe_comes_beside_it(place, film):
    weights = place / "localizer"
    _, before = load_checkpoint(weights)
    without = Localizer.load(weights).locate(film(1), "heart")
    script.main(
        [
            "--weights",
            str(weights),
            "--text",
            str(place / "retrieval"),
            "--data",
            str(place / "anatomy"),
            "--normal",
            str(place / "nih"),
            "--layers",
            "1",
            "3",
            "--side",
            "64",
            "--steps",
            "3",
            "--cache",
            str(place / "cache"),
        ]
    )
    about, (_, after) = read_config(weights), load_checkpoint(weights)
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    new = [name for name in after if name not in before]
    assert new and all(name.startswith("reading.") for name in new)
    assert about["shares"] == dict.fromkeys(OPACITIES, 0.5) and about["training"]["step"] == 7
    reading = about["training"]["reading"]
    assert reading["films"] == [8, 1, 0] and str(place) not in reading["command"]
    localizer = Localizer.load(weights)
    np.testing.assert_allclose(localizer.locate(film(1), "heart"), without, atol=1e-6)
    assert localizer.patch_encoder.fingerprint == about["text_encoder"]["image_sha256"]
    assert reading["data"] == ["anatomy", "nih"] and reading["minutes"] >= 0


def test_a_second_probe_starts_afresh_and_drops_the_offsets(place, tmp_path):
    words = [
        "--text",
        str(place / "retrieval"),
        "--data",
        str(place / "anatomy"),
        "--steps",
        "2",
        "--side",
        "64",
        "--cache",
        str(place / "cache"),
        "--weights",
    ]
    once, twice = (shutil.copytree(place / "localizer", tmp_path / name) for name in "ab")
    script.main([*words, str(twice), "--layers", "2"])
    about = read_config(twice)
    about["offsets"], about["training"]["fold"] = {"opacity": 2.0}, "1/3"
    about["training"]["offsets"] = {"command": "stale"}
    write_json(twice / "config.json", about)
    write_json(once / "config.json", {**read_config(once), "training": {"fold": "1/3"}})
    for weights in (once, twice):
        script.main([*words, str(weights), "--layers", "1", "4"])
    one, two = (load_checkpoint(weights)[1] for weights in (once, twice))
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    about = read_config(twice)
    assert "offsets" not in about and "offsets" not in about["training"]
    assert LocalizerConfig.from_dict(about["architecture"]).grid_layers == (1, 4)
    films = folded(load_masked_images(place / "anatomy"), "1/3")
    assert about["training"]["reading"]["films"] == [
        sum(film.split == "train" for film in films),
        0,
        0,
    ]


@pytest.mark.parametrize("wrong", [["--share", "1.5"], ["--normal-share", "0.9"]])
def test_shares_that_do_not_add_up_are_refused(place, wrong):
    with pytest.raises(SystemExit, match="expected shares"):
        script.main(["--data", str(place / "anatomy"), *wrong])


def test_films_of_which_no_opacity_is_known_are_refused(place, tmp_path):
    make_lungs(tmp_path / "lungs")
    lungs = MaskData(
        load_masked_images(tmp_path / "lungs"), Preprocess(64, 0.5, 0.25, 1), tmp_path / "cache"
    )
    queries = dict.fromkeys(map(Target, OPACITIES), 1.0)
    with pytest.raises(SystemExit, match="whether they show consolidation, ground-glass"):
        BatchSampler([lungs], [1.0], 3, plain=False, queries=queries)


def test_what_the_features_say_is_learned_for_films_not_seen(place):
    """Features that are the answer, with noise: a probe finds it; shuffled, it finds nothing."""
    films = load_masked_images(place / "anatomy")
    view = Preprocess(64, 0.5, 0.25, 1)
    data = MaskData(films, view, place / "cache")
    tower = load_text_encoder(place / "retrieval")
    bank = TextBank(tower, {t for o in OPACITIES for t in wordings(Target(o))}, place / "cache")
    truths = torch.from_numpy(np.stack([data.mask(row, Target(OPACITY)) for row in range(12)]))
    cells = torch.nn.functional.interpolate(truths[:, None].float() / 255, size=16, mode="area")

    def overlap(shuffled: bool) -> float:
        torch.manual_seed(0)
        frozen = object.__new__(script.FrozenFeatures)
        order = torch.randperm(12) if shuffled else torch.arange(12)
        frozen.grids = torch.cat([cells[order], torch.randn(12, 7, 16, 16)], 1).half()
        frozen.lungs = torch.ones(12, script.MAP_SIDE, script.MAP_SIDE)
        options = script.Options(data=Path("x"), steps=60, rate=0.01)
        train = MaskData(films[:8], view, place / "cache")
        empty = MaskData([], view, place / "cache")
        reading = script.fit(
            DenseProbe(8, tower.dimension),
            [train, empty, empty],
            [frozen, None, None],
            bank,
            options,
        )
        with torch.no_grad():
            marked = reading(frozen.grids[8:], bank([OPACITY])[None].expand(4, -1, -1))[:, 0] > 0
        found, true = marked.numpy(), cells[8:, 0].numpy() > 0.5
        return 2 * (found & true).sum() / (found.sum() + true.sum())

    assert overlap(False) > 0.8 > 0.4 > overlap(True)


def test_a_localizer_without_words_is_refused(place, tmp_path):
    plain = LocalizerConfig("resnet18", CONFIG.preprocess, "none", TARGETS, decoder=CONFIG.decoder)
    with pytest.raises(SystemExit, match="reads text"):
        script.main(
            [
                "--weights",
                str(save_localizer(tmp_path, plain)),
                "--text",
                str(place / "retrieval"),
                "--data",
                str(place / "anatomy"),
            ]
        )


def test_mirrored_films_are_asked_for_nothing_that_has_a_side(place):
    view = Preprocess(64, 0.5, 0.25, 1)
    data = MaskData(load_masked_images(place / "anatomy"), view, place / "cache")
    batch = BatchSampler([data], [1.0], 6, plain=False, mirrored=1.0).draw(8, random.Random(0))
    allowed = {
        text
        for query in BatchSampler([data], [1.0], 6, plain=False).queries
        if not query.side and query.target in (LUNGS, DEVICES, *OPACITIES)
        for text in wordings(query)
    }
    assert set(batch.prompts) <= allowed
    for film, (_, row) in zip(batch.images, batch.sources):
        np.testing.assert_array_equal(film.numpy()[:, ::-1], data.images[row])
    sure = [n for n, prompt in enumerate(batch.prompts) if prompt == OPACITY]
    assert sure
    for n in sure:
        _, row = batch.sources[n // 6]
        mask = batch.masks.flatten(0, 1)[n].numpy()
        np.testing.assert_array_equal(mask[:, ::-1], data.mask(row, Target(OPACITY)))

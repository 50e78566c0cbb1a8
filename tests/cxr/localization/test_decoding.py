"""A localizer with a patch decoder: what is found, damped, cut to a side, and refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import tiny_dual_encoder

from cxr.anatomy import DECODED, OPACITIES, READ
from cxr.checkpoints.encoders import (
    load_dual_encoder,
    load_patch_encoder,
    load_text_encoder,
    save_dual_encoder,
)
from cxr.checkpoints.finding_classifier import Join
from cxr.checkpoints.fingerprints import fingerprint
from cxr.checkpoints.io import save_checkpoint
from cxr.images.load import Preprocess
from cxr.localization.decoding import Level, Levels
from cxr.localization.localizer import Localizer
from cxr.localization.lung_measures import RIGHT_AREA
from cxr.localization.presence import Classified
from cxr.models.patch_decoder import PatchDecoder, PatchDecoderConfig

SIDE = 96


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint whose every map is marked and whose every finding is rather unlikely."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("decoder")
    folder = save_dual_encoder(
        tiny_dual_encoder(backbone="vit_tiny_patch16_224"), root / "retrieval"
    )
    encoder = load_patch_encoder(folder, (1, 2), SIDE)
    config = PatchDecoderConfig(
        DECODED,
        READ,
        (1, 2),
        encoder.channels,
        (8, 8, 8),
        (8, 8),
        preprocess=Preprocess(SIDE, 0.5, 0.25, 1),
    )
    model = PatchDecoder(config)
    for last in (model.maps, model.reading[-1]):
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.constant_(last.bias, 2.0)
    for part in (model.presence.weight, model.presence.bias, model.presence_scale):
        torch.nn.init.zeros_(part)

    def save(name: str, **levels) -> Localizer:
        targets = {key.replace("_", " "): value for key, value in levels.items()}
        about = {
            "architecture": config.to_dict(),
            "targets": list(DECODED),
            "text_encoder": {
                "weights": "retrieval",
                "sha256": load_text_encoder(folder).fingerprint,
                "image_sha256": encoder.fingerprint,
            },
            "levels": {"targets": targets, "ratio_error": 0.04, "enlarged_from": 0.5},
        }
        save_checkpoint(root / name, model.state_dict(), about)
        return Localizer.load(root / name)

    save.root = root
    return save


def test_a_finding_is_found_when_its_own_probability_says_so(saved, film):
    localizer = saved("a", mass={"found_from": 0.6}, pneumothorax={"found_from": 0.4})
    absent, present = localizer.find_all(film(1), ["mass", "pneumothorax"])
    assert not absent.present and absent.probability == pytest.approx(0.5)
    assert absent.heat.max() < 0.5 and not absent.measure().found
    assert present.present and present.heat.max() > 0.5 and present.found_from == 0.4
    assert localizer.find(film(1), "lungs").probability is None
    assert localizer.maps_alone(film(1))["mass"].max() > 0.5


def test_the_level_moves_the_map(saved, film):
    heat = saved("b", heart={"level": 0.5}, airways={"level": 0.95})
    heart, airways = heat.find_all(film(1), ["heart", "airways"])
    inside = heart.heat[40:60, 30:60]
    assert inside.mean() == pytest.approx(1 / (1 + np.exp(-2)), abs=0.02)
    assert airways.heat.max() < 0.5


def test_cardiomegaly_is_a_matter_of_the_ratio(saved, film):
    localizer = saved("c")
    found = localizer.find(film(1), "big heart")
    # All maps are alike here: heart and chest are equally wide.
    assert found.ratio is not None and found.ratio.high == pytest.approx(found.ratio.value + 0.04)
    assert found.ratio.value == 1 and "no heart has" in found.ratio.words
    assert not found.present and found.heat.max() < 0.5
    assert found.probability is None and found.found_from == 0.5
    reading = localizer.reader(np.zeros((SIDE, SIDE), np.uint8))
    assert reading.maps["cardiomegaly"] is reading.maps["heart"]
    large = replace(reading, ratio=replace(found.ratio, value=0.6))
    assert localizer.reader.present("cardiomegaly", large)
    assert localizer.reader.damped(reading.maps["heart"], "cardiomegaly", large).max() > 0.5
    small = replace(reading, ratio=replace(found.ratio, value=0.49))
    assert not localizer.reader.present("cardiomegaly", small)
    assert localizer.reader.damped(reading.maps["heart"], "cardiomegaly", small).max() < 0.5
    assert not localizer.reader.present("cardiomegaly", replace(reading, ratio=None))


def test_the_classifier_speaks_for_a_finding_where_it_tells_it_better(saved):
    levels = {"mass": {"found_from": 0.4, "classified_from": 0.7}, "nodule": {"found_from": 0.4}}
    reader = saved("f", **levels).reader
    square = np.zeros((SIDE, SIDE), np.uint8)
    said = reader(square, Classified({"mass": 0.6, "nodule": 0.1}))
    assert said.probabilities["mass"] == 0.6 and not reader.present("mass", said)
    # It is not asked about the nodule, nor where there is none.
    assert said.probabilities["nodule"] == pytest.approx(0.5) and reader.present("nodule", said)
    alone = reader(square)
    assert alone.probabilities["mass"] == pytest.approx(0.5) and reader.present("mass", alone)


def test_a_finding_that_a_report_calls_unlikely_is_told(saved):
    """What the features say and what the decoder says are joined as a report joins them."""
    reader = saved("j", mass={"found_from": 0.4}).reader
    square, join = np.zeros((SIDE, SIDE), np.uint8), Join((0.5, 2.0, -1.0), 0.3)
    said = reader(square, Classified({"mass": 0.2}, {"mass": join, "edema": join}))
    logit = 0.5 * np.log(0.2 / 0.8) - 1  # by itself the decoder says 0.5
    assert said.unlikely == {"mass": (pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-3), 0.3)}
    assert reader.present("mass", said) and said.probabilities["mass"] == pytest.approx(0.5)
    assert reader(square, Classified({"mass": 0.7}, {"mass": join})).unlikely == {}
    assert reader(square).unlikely == {}
    # A report joins the ratio of heart and chest, which is no probability of the decoder's.
    large = Classified({"cardiomegaly": 0.2}, {"cardiomegaly": Join((0.0, 30.0, -17.0), 0.3)})
    assert reader(square, large).unlikely == {}


@pytest.mark.parametrize("target", OPACITIES)
def test_opacities_are_believed_on_images_that_look_abnormal_alone(saved, target):
    reader = saved("k", **{target: {"found_from": 0.4}, "nodule": {"found_from": 0.4}}).reader
    square = np.zeros((SIDE, SIDE), np.uint8)
    for abnormal, found in ((0.7, False), (0.8, True), (None, True)):
        said = reader(square, Classified({}, abnormal=abnormal, abnormal_from=0.75))
        assert reader.present(target, said) is found is (reader.doubted(target, said) is None)
        assert (reader.damped(said.maps[target], target, said).max() < 0.5) is not found
        assert reader.present("nodule", said)
    assert reader.present(target, reader(square))


def test_the_classifier_beside_the_checkpoint_is_found(saved, tmp_path, film):
    localizer = saved("g", mass={"found_from": 0.4, "classified_from": 0.7})
    assert localizer.presence is None
    root = tmp_path
    for name in ("g", "retrieval"):
        shutil.copytree(saved.root / name, root / name)
    dual, _ = load_dual_encoder(root / "retrieval")
    width = dual.image_encoder.feature_width
    heads = {
        "directions": torch.zeros(width, 1),
        "offsets": torch.zeros(1),
        "platt": torch.tensor([[1.0], [2.0]]),
    }
    config = {
        "encoder": fingerprint(root / "retrieval"),
        "calibration": {"findings": ["mass"]},
    }
    save_checkpoint(root / "heads", heads, config)
    about = json.loads((root / "g/config.json").read_text())
    (root / "g/config.json").write_text(json.dumps({**about, "presence": {"weights": "heads"}}))
    found = Localizer.load(root / "g").find(film(1), "mass")
    assert found.probability == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3) and found.present
    # Joined with the decoder's own, as in a report, and with a judge of the whole image.
    more = {
        "term mass": torch.tensor([[1.0, 0.0, -3.0]]),
        "abnormality": torch.tensor([[0.0, 1.0]]),
    }
    record = {
        "terms": {"mass": {"threshold": 0.3}},
        "bands": {"unlikely": 0.28},
        "abnormality": {"abnormal_from": 0.9},
    }
    joint = {**config, "calibration": {**config["calibration"], **record}}
    save_checkpoint(root / "heads", heads | more, joint)
    localizer = Localizer.load(root / "g")
    found = localizer.find(film(1), "mass")
    assert found.present and found.doubted is None and found.unlikely[1] == 0.28
    assert found.unlikely[0] == pytest.approx(1 / (1 + np.exp(1)), abs=1e-3)
    said = localizer.presence(film(1))
    assert said.abnormal == pytest.approx(1 / (1 + np.exp(-1))) and said.abnormal_from == 0.9
    save_checkpoint(root / "heads", heads, {**config, "encoder": "ab" * 32})
    assert Localizer.load(root / "g").presence is None


def test_a_side_is_half_of_the_chest_for_what_reaches_beyond_the_lungs(saved, film):
    localizer = saved("d")
    right = localizer.find(film(1), "fluid on the right").maps[0]
    left = localizer.find(film(1), "left effusion").maps[0]
    assert not ((right > 0) & (left > 0)).any() and (right > 0).any() and (left > 0).any()
    assert np.argwhere(right > 0)[:, 1].max() < np.argwhere(left > 0)[:, 1].min()


def test_what_is_not_good_enough_is_refused_with_its_reason(saved, film):
    localizer = saved("e", mass={"refused": "Mass is not outlined: too seldom right."})
    assert "mass" not in localizer.locatable and "nodule" in localizer.locatable
    with pytest.raises(ValueError, match="Mass is not outlined: too seldom right. Name one of: lu"):
        localizer.locate(film(1), "mass")
    with pytest.raises(ValueError, match="Tubes and lines cannot be outlined by this model"):
        localizer.locate(film(1), "ET tube")
    for text in ("banana", "left heart border", "no effusion"):
        with pytest.raises(ValueError, match="names an organ or a finding"):
            localizer.locate(film(1), text)


def test_levels_survive_json_and_refuse_what_is_not_known():
    entries = {"targets": {"mass": {"level": 0.3}}, "ratio_error": 0.1, "enlarged_from": 0.52}
    assert Levels.from_dict(entries).lung_errors == {}
    entries["lung_errors"] = {RIGHT_AREA: 0.02}
    assert Levels.from_dict(entries).lung_errors[RIGHT_AREA] == 0.02
    assert Levels.from_dict(json.loads(json.dumps(entries))).of("mass") == Level(0.3)
    for wrong in ({}, {**entries, "targets": {"mass": {"x": 1}}}):
        with pytest.raises(ValueError, match="expected levels of targets"):
            Levels.from_dict(wrong)

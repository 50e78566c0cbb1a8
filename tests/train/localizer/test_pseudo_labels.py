"""Masks that a teacher predicts: soft, and none where nothing is to be learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import tiny_dual_encoder
from training_data import make_nih

from cxr.anatomy import CONSOLIDATION, DEVICES, HEART, LEFT_LUNG, LUNGS, OPACITY, TARGETS
from cxr.checkpoints.encoders import load_text_encoder, save_dual_encoder
from cxr.devices import has_bf16
from cxr.findings import Study
from cxr.images.load import Preprocess
from cxr.localization.targets import Target
from cxr.models.unet import LocalizerConfig, TextGuidedUNet
from train.common.studies import unlabelled_studies
from train.localizer.checkpoint import save_localizer
from train.localizer.data import of_other_patients
from train.localizer.prompts import TextBank
from train.localizer.pseudo_labels import PseudoLabelData
from train.localizer.validation import predict

VIEW = Preprocess(64, 0.5, 0.25, 1)


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    root = tmp_path_factory.mktemp("taught")
    make_nih(root / "nih", 12)
    save_dual_encoder(tiny_dual_encoder(), root / "retrieval")
    tower = load_text_encoder(root / "retrieval")
    bank = TextBank(tower, [Target(target).prompt for target in TARGETS], root / "cache")
    torch.manual_seed(0)
    model = TextGuidedUNet(
        LocalizerConfig(
            "timm-mobilenetv3_small_minimal_100", VIEW, "kernel", text_dimension=tower.dimension
        )
    )
    for level in model.fusion.levels:
        torch.nn.init.normal_(level.weight)
    save_localizer(model, root / "teacher", "retrieval", tower, {})
    sick, normal = unlabelled_studies([root / "nih"])[:2]
    studies = [replace(sick, findings={"mass": 1}), replace(normal, findings={"no finding": 1})]
    made = [
        PseudoLabelData(
            studies,
            VIEW,
            root / "cache",
            str(root / "teacher"),
            str(root / "retrieval"),
            bank,
            torch.device("cpu"),
        )
        for _ in range(2)
    ]
    return *made, model, bank, root


def test_masks_are_the_teachers_maps(taught):
    data, _, model, bank, _ = taught
    with torch.no_grad():  # as stored, in half precision
        model.load_state_dict(
            {
                k: v.half().float() if v.is_floating_point() else v
                for k, v in model.state_dict().items()
            }
        )
    cpu = torch.device("cpu")
    with torch.autocast("cpu", torch.bfloat16, enabled=has_bf16(cpu)):
        maps = predict(model, data.images, bank, cpu)
    for target in (LEFT_LUNG, HEART):
        expected = maps[0, TARGETS.index(target)] * 255
        found = data.mask(0, Target(target))
        assert found.dtype == np.uint8 and np.abs(found - expected).max() <= 1
        assert len(np.unique(found)) > 2


def test_devices_are_not_taught_and_normal_films_show_no_opacity(taught):
    data = taught[0]
    assert not data.known(0, Target(DEVICES)) and data.known(0, Target(OPACITY))
    assert data.mask(0, Target(CONSOLIDATION)).any()
    assert not data.mask(1, Target(CONSOLIDATION)).any() and data.mask(1, Target(LUNGS)).any()
    assert not data.mask(1, Target(OPACITY, "left", "lower")).any()


def test_opacities_are_left_out_where_anatomy_alone_is_taught(taught):
    bank, root = taught[3], taught[4]
    data = PseudoLabelData(
        taught[0]._studies,
        VIEW,
        root / "cache",
        str(root / "teacher"),
        str(root / "retrieval"),
        bank,
        torch.device("cpu"),
        anatomy=True,
    )
    assert not data.known(0, Target(OPACITY)) and data.known(0, Target(HEART))
    assert data.known(1, Target(OPACITY)) and not data.mask(1, Target(OPACITY)).any()


def test_they_are_drawn_once(taught):
    first, second, *_, root = taught
    assert len(list((root / "cache").glob("pseudo-labels-*.npy"))) == 1
    assert np.array_equal(first.mask(0, Target(HEART)), second.mask(0, Target(HEART)))


def test_patients_who_have_a_film_with_masks_are_left_out(tmp_path):
    films = [
        Study(f"s{row}", "covid", patient, image=tmp_path / f"{row}.jpg")
        for row, patient in enumerate(("one", "two", "one", "three"))
    ]
    assert [film.id for film in of_other_patients({"0"}, films)] == ["s1", "s3"]
    assert of_other_patients({"9"}, films) == films

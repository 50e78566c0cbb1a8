"""Sampler with a generator that numbers condition: findings, heart ratio, person, view."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from tiny import tiny_dual_encoder
from tiny_generator import CONDITION, save_condition_generator, save_generator, tiny_generator

import cxr
from cxr.checkpoints.encoders import save_dual_encoder
from cxr.generation import Condition, ConditionFormat
from cxr.generation.sampler import straight_line

EFFUSION = Condition({"pleural effusion": 1.2}, age=70, sex="F", view="AP")
NORMAL = Condition()


@pytest.fixture(scope="module")
def sampler(tmp_path_factory):
    return cxr.Sampler.load(save_condition_generator(tmp_path_factory.mktemp("drawing") / "g"))


def pixels(images):
    return [image.tobytes() for image in images]


def test_no_text_encoder_is_needed_and_the_format_is_read_back(sampler):
    assert sampler.text_encoder is None and sampler.condition == CONDITION


def test_image_i_shows_condition_i_with_noise_of_seed_and_i_alone(sampler):
    many = sampler.draw([EFFUSION, NORMAL] * 5, seed=3)
    assert [(image.mode, image.size) for image in many] == [("L", (128, 128))] * 10
    assert pixels(sampler.draw([EFFUSION], seed=3)) == pixels(many[:1])
    assert pixels(sampler.draw([EFFUSION, NORMAL, NORMAL], seed=3))[:2] == pixels(many[:2])
    assert pixels(sampler.draw([NORMAL], seed=3)) != pixels(many[:1])
    assert pixels(sampler.draw([EFFUSION], seed=4)) != pixels(many[:1])
    assert len(set(pixels(many))) == 10


def test_every_number_of_a_condition_reaches_the_image(sampler):
    asked = [
        NORMAL,
        *(Condition({name: 1.0}) for name in CONDITION.findings),
        Condition(heart_ratio=0.6),
        Condition(age=20),
        Condition(sex="F"),
        Condition(view="AP"),
    ]
    drawn = [sampler.draw([one])[0].tobytes() for one in asked]
    assert len(set(drawn)) == len(asked)


def test_without_noise_equal_conditions_are_alike(sampler):
    assert len(set(pixels(sampler.draw([EFFUSION] * 3, truncation=0)))) == 1


def test_what_cannot_be_drawn_is_refused(sampler):
    assert sampler.draw([]) == []
    with pytest.raises(ValueError, match="got fracture"):
        sampler.draw([Condition({"fracture": 1.0})])
    with pytest.raises(ValueError, match="truncation from 0 to 1"):
        sampler.draw([NORMAL], truncation=2)
    with pytest.raises(ValueError, match="seed"):
        sampler.draw([NORMAL], seed=-1)


def test_a_generator_of_text_embeddings_draws_no_conditions(tmp_path):
    save_dual_encoder(tiny_dual_encoder(dimension=16), tmp_path / "retrieval")
    sampler = cxr.Sampler.load(save_generator(tmp_path / "generator", tmp_path / "retrieval"))
    assert sampler.condition is None and len(sampler.sample("edema", 1)) == 1
    with pytest.raises(ValueError, match="text embeddings"):
        sampler.draw([NORMAL])


def test_a_condition_of_another_length_than_the_generator_is_refused():
    generator = tiny_generator("residual", CONDITION.length)
    with pytest.raises(ValueError, match="18 dimensions, got 5"):
        cxr.Sampler(generator, ConditionFormat(("edema",)))
    assert np.isfinite(CONDITION.vector(EFFUSION)).all()


def test_a_text_is_drawn_as_its_conditions(sampler):
    request = sampler.read("severe edema, 70-year-old woman")
    conditions = [request.condition(index, 5, 0.8) for index in range(3)]
    assert {(one.age, one.sex) for one in conditions} == {(70, "F")}
    drawn = pixels(sampler.sample("severe edema, 70-year-old woman", 3, 5, 0.8))
    assert drawn == pixels(sampler.draw(conditions, 5, 0.8)) and len(set(drawn)) == 3
    assert len(set(pixels(sampler.sample("edema", 3, 5, 0.0)))) == 1
    with pytest.raises(ValueError, match="support devices.*ask for findings"):
        sampler.sample("support devices")


def test_a_way_begins_and_ends_with_the_samples_of_its_texts(sampler):
    start = sampler.read("severe edema").start
    way = pixels(sampler.interpolate(start, "severe edema", 5, 3, 1.0, 1))
    assert way[0] == pixels(sampler.sample(start, 2, 3))[1]
    assert way[-1] == pixels(sampler.sample("severe edema", 2, 3))[1]
    assert len(set(way)) == 5


def test_a_straight_line_keeps_its_steps():
    first, last = torch.tensor([0.0, 2.0]), torch.tensor([3.0, 2.0])
    assert straight_line(first, last, 4)[:, 0].tolist() == pytest.approx([0, 1, 2, 3])
    assert torch.equal(straight_line(first, last, 4)[-1], last)


def test_findings_that_a_judge_hardly_tells_are_named(tmp_path):
    folder = save_condition_generator(tmp_path / "g")
    assert cxr.Sampler.load(folder).read("edema").doubtful == {}  # nobody measured it
    found = {"edema": {"beside_normal": 0.75}, "mass": {"beside_normal": 0.8}, "hernia": {}}
    (folder / "metrics.json").write_text(json.dumps({"findings": found}))
    sampler = cxr.Sampler.load(folder)
    assert sampler.read("edema and a mass").doubtful == {"edema": 0.75}
    assert sampler.read("mass, hernia").doubtful == {}

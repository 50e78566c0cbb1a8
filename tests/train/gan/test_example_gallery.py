"""Which studies the example gallery asks for, and which generated images may represent them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cxr.findings import NIH_FINDINGS, Study
from train.evaluate.films import FilmSet
from train.evaluate.generator_judge import Judge
from train.gan import example_gallery
from train.gan.example_gallery import (
    QUIET,
    Selector,
    drawn_request,
    least_scores,
    wanted_findings,
    wanted_studies,
)

EDEMA, HEART = NIH_FINDINGS.index("edema"), NIH_FINDINGS.index("cardiomegaly")
NORMAL = dict.fromkeys(NIH_FINDINGS, 0) | {"no finding": 1}


def study(name: str, findings: dict[str, int]) -> Study:
    return Study(name, "s", name, findings=findings)


def test_wanted_studies_cover_findings_sexes_ages_and_views():
    rng = np.random.default_rng(0)
    together = [("edema", "pleural effusion")] * 3 + [NIH_FINDINGS[:5], ("fracture", "hernia")]
    wanted = wanted_findings(NIH_FINDINGS, together, 460, rng)
    assert len(wanted) == 460 and sum(not one for one in wanted) == 110
    several = [one for one in wanted if len(one) > 1]
    assert len(several) == 117 and {len(one) for one in several} == {2, 3}
    pairs = [one for one in several if len(one) == 2]
    assert set(pairs) == {("pleural effusion", "edema")}  # hernia stays alone without the fracture
    assert 70 < len(pairs) < 110 and all(set(one) <= set(NIH_FINDINGS) for one in wanted)
    assert min(wanted.count((name,)) for name in NIH_FINDINGS) >= 16
    studies = wanted_studies(wanted, rng)
    assert len({one.id for one in studies}) == 460
    assert studies[-1].id.startswith("synthetic-") and set(studies[-1].positive) == set(wanted[-1])
    hernias = [one for one in studies if one.positive == ("hernia",)]
    assert {(s.sex, s.view) for s in hernias} == {(a, b) for a in "FM" for b in ("PA", "AP")}
    ages = [one.age for one in studies]
    assert min(ages) < 22 and max(ages) > 84 and min(ages) >= 18 and max(ages) <= 88
    assert studies[0].findings == NORMAL


def test_without_films_of_several_findings_each_stands_alone():
    wanted = wanted_findings(
        ("edema", "mass"), [("edema", "hernia")], 100, np.random.default_rng(0)
    )
    assert {len(one) for one in wanted} == {0, 1} and len(wanted) == 100


def test_severities_and_the_person_go_with_the_study():
    rng = np.random.default_rng(0)
    both = replace(study("a", {"cardiomegaly": 1, "edema": 1}), age=70, sex="F", view="AP")
    asked = drawn_request(both, (0.9, 1.7), rng)
    assert set(asked.severities) == {"cardiomegaly", "edema"}
    assert all(0.9 <= value <= 1.7 for value in asked.severities.values())
    drawn = asked.condition(0, 0)
    assert (drawn.age, drawn.sex, drawn.view) == (70, "F", "AP") and drawn.heart_ratio > 0.5
    assert drawn_request(both, (0.9, 1.7), rng).severities != asked.severities
    assert drawn_request(study("b", NORMAL), (0.9, 1.7), rng).severities == {}


@pytest.fixture
def selector(monkeypatch) -> Selector:
    """One whose judge scores features as they come: 1 is half of the real films with a finding."""
    count = len(NIH_FINDINGS)
    real = np.linspace(-1, 0, 101)[:, None].repeat(count, 1)
    clear = tuple(np.linspace(0, 2, 5) for _ in NIH_FINDINGS)
    judge = Judge(NIH_FINDINGS, np.eye(count, dtype=np.float32), np.zeros(count), {}, clear, real)
    monkeypatch.setattr(Selector, "copies", lambda self, films: films.embeddings[:, 0] > 0)
    monkeypatch.setattr(example_gallery, "heart_ratios", lambda _, squares: squares[:, 0, 0] / 100)
    least, most = least_scores(judge, 0.5), np.quantile(real, QUIET, 0)
    return Selector(None, judge, least, most, object(), None, np.zeros((1, 1)), 0.0)


def films(features: list[dict[int, float]], hearts: list[int]) -> FilmSet:
    rows = np.full((len(features), len(NIH_FINDINGS)), -1.0)
    for row, found in zip(rows, features):
        for column, value in found.items():
            row[column] = value
    squares = np.array(hearts, np.uint8)[:, None, None].repeat(20, 1).repeat(20, 2)
    return FilmSet(squares, np.zeros((len(rows), 1)), rows, np.empty((len(rows), 0)))


def test_an_image_must_show_every_finding_as_real_films_do(selector):
    both = study("both", {"cardiomegaly": 1, "edema": 1})
    shown = films([{EDEMA: 3, HEART: 0.9}, {EDEMA: 1.1, HEART: 1.2}, {EDEMA: 5}], [60, 61, 62])
    assert selector.select([both] * 3, shown)["both"][0, 0] == 61
    assert selector.select([study("edema", {"edema": 1})] * 3, shown)["edema"][0, 0] == 62


def test_how_clear_a_finding_must_be_is_told_by_real_images(selector):
    few = replace(selector.judge, shown=(np.zeros(4), *selector.judge.shown[1:]))
    found = least_scores(few, 0.25)
    assert np.isnan(found[0]) and np.all(found[1:] == 0.5)


def test_a_normal_image_must_show_no_more_than_most_normal_ones(selector):
    normal = study("normal", NORMAL)
    assert selector.select([normal], films([{EDEMA: -0.05}], [45])) == {}
    assert "normal" in selector.select([normal], films([{EDEMA: -0.15}], [45]))


def test_the_measured_heart_must_go_with_the_study(selector):
    large, normal = study("large", {"cardiomegaly": 1}), study("normal", NORMAL)
    assert (
        selector.select([large] * 2, films([{HEART: 3}, {HEART: 2}], [51, 52]))["large"][0, 0] == 52
    )
    assert selector.select([normal], films([{}], [52])) == {}
    edema = study("edema", {"edema": 1})
    assert "edema" in selector.select([edema], films([{EDEMA: 3}], [70]))  # of no other is it asked
    unmeasured = replace(selector, localizer=None)
    assert "large" in unmeasured.select([large], films([{HEART: 3}], [40]))


def test_a_copy_represents_nobody(selector):
    edema = study("edema", {"edema": 1})
    shown = films([{EDEMA: 3}, {EDEMA: 2}], [40, 41])
    copied = replace(shown, embeddings=np.array([[1.0], [0.0]]))
    assert selector.select([edema] * 2, copied)["edema"][0, 0] == 41


def test_a_body_with_a_black_hole_represents_nobody(selector):
    edema = study("edema", {"edema": 1})
    shown = films([{EDEMA: 3}, {EDEMA: 2}], [40, 41])
    shown.squares[0, 16:19, 8:11] = 0
    shown.squares[1, 16:19, 0:3] = 0  # beside the body
    assert selector.select([edema] * 2, shown)["edema"][0, 5] == 41

"""Measures by sex, age band and view: known answers, small groups left out, gaps like with like."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.findings import Study
from train.cards.groups import NOTE, PENDING, Column, groups_text
from train.evaluate.groups import by_group, mean_auroc_of, mean_of, of_images

COLUMNS = [Column("score", "score, %", percent=True)]


def people(*parts) -> list[Study]:
    """`count` studies of a sex, an age and a view, one part after the other."""
    return [
        Study(f"{place} {row}", "s", "p", sex=sex, age=age, view=view)
        for place, (count, sex, age, view) in enumerate(parts)
        for row in range(count)
    ]


def test_each_group_has_its_own_mean_and_the_gap_is_the_difference():
    films = people((20, "F", 30, "PA"), (10, "M", 50, "PA"))
    values = np.array([0.75] * 20 + [0.25] * 10)
    found = by_group(films, {"score": mean_of(values)}, 100, 0)
    sure = {"value": 0.75, "low": 0.75, "high": 0.75}
    assert found["groups"]["female"] == {"kind": "sex", "films": 20, "score": sure}
    assert found["groups"]["age 40 to 59"]["score"]["value"] == 0.25
    assert found["groups"]["view PA"]["score"]["value"] == pytest.approx(7 / 12, abs=1e-4)
    gaps = {tuple(gap["groups"]): gap["score"] for gap in found["gaps"]}
    assert gaps == {
        ("female", "male"): {"value": 0.5, "low": 0.5, "high": 0.5},
        ("age under 40", "age 40 to 59"): {"value": 0.5, "low": 0.5, "high": 0.5},
    }


def test_the_interval_holds_the_value_and_narrows_with_films():
    def interval(count: int) -> dict:
        values = np.random.default_rng(0).uniform(size=count)
        return by_group(people((count, "F", 30, "PA")), {"score": mean_of(values)}, 300, 0)[
            "groups"
        ]["female"]["score"]

    few, many = interval(20), interval(500)
    assert few["low"] < few["value"] < few["high"]
    assert many["high"] - many["low"] < (few["high"] - few["low"]) / 3


def test_small_and_empty_groups_are_left_out_and_told():
    films = people((12, "F", 70, "PA"), (9, "M", None, "AP"), (3, None, 70, "frontal"))
    found = by_group(films, {"score": mean_of(np.ones(24))}, 20, 0)
    assert set(found["groups"]) == {"female", "age 60 and over", "view PA"}
    assert found["left_out"] == {"male": 9, "age under 40": 0, "age 40 to 59": 0, "view AP": 9}
    assert found["unknown"] == {"sex": 3, "age": 9, "view": 3} and found["gaps"] == []
    assert "male" in by_group(films, {}, 20, 0, least=9)["groups"]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "age under 40"),
        (39, "age under 40"),
        (40, "age 40 to 59"),
        (59, "age 40 to 59"),
        (60, "age 60 and over"),
        (120, "age 60 and over"),
    ],
)
def test_bands_begin_where_they_say(age, band):
    assert list(by_group(people((10, None, age, None)), {}, 5, 0)["groups"]) == [band]


def test_films_without_a_value_do_not_count_and_too_few_give_no_number():
    films = people((20, "F", 30, "PA"), (20, "M", 30, "PA"))
    values = np.full(40, np.nan)
    values[:10], values[20:29] = 1, 0
    found = by_group(films, {"score": mean_of(values)}, 50, 0)
    assert found["groups"]["female"]["score"]["value"] == 1
    assert "score" not in found["groups"]["male"] and "score" not in found["gaps"][0]


def test_auroc_is_taken_over_findings_with_enough_films_and_gaps_over_those_of_both():
    films = people((40, "F", 30, "PA"), (40, "M", 30, "PA"))
    labels, scores = np.zeros((80, 3)), np.zeros((80, 3))
    labels[:10, :2] = labels[40:50, 0] = 1  # both have the first, women alone the second
    labels[:4, 2] = labels[40:44, 2] = 1  # the third is too rare
    scores[:10, 0] = scores[40:50, 0] = 1  # told apart
    scores[:10, 1] = -1  # told the wrong way round
    found = by_group(films, {"auroc": mean_auroc_of(scores, labels)}, 50, 0)
    women, men = (found["groups"][name]["auroc"] for name in ("female", "male"))
    assert (women["value"], women["findings"]) == (0.5, 2)
    assert (men["value"], men["findings"]) == (1, 1)
    gap = next(gap for gap in found["gaps"] if gap["groups"] == ["female", "male"])
    assert (gap["auroc"]["value"], gap["auroc"]["findings"]) == (0, 1)


def test_labels_that_nobody_read_are_left_out_of_an_auroc():
    labels = np.full((30, 1), np.nan)
    labels[:10], labels[10:20] = 1, 0
    scores = np.where(labels == 1, 1.0, 0.0)
    scores[20:] = 9
    found = by_group(people((30, "F", 30, "PA")), {"auroc": mean_auroc_of(scores, labels)}, 50, 0)
    assert found["groups"]["female"]["auroc"]["value"] == 1
    few = by_group(people((30, "F", 30, "PA")), {"auroc": mean_auroc_of(scores, labels, 11)}, 5, 0)
    assert "auroc" not in few["groups"]["female"]


def test_any_statistic_of_films_will_do():
    films = people((10, "F", 30, "PA"), (10, "M", 30, "PA"))
    found = by_group(films, {"first": of_images(lambda rows: float((rows < 10).mean()))}, 20, 0)
    assert found["groups"]["female"]["first"]["value"] == 1
    assert found["gaps"][0]["first"]["value"] == 1


def test_the_card_tells_groups_gaps_and_what_was_left_out():
    films = people((20, "F", 30, "PA"), (10, "M", 30, "PA"), (2, "M", 70, "AP"), (1, None, 9, "PA"))
    values = np.array([0.75] * 20 + [0.25] * 13)
    text = groups_text(by_group(films, {"score": mean_of(values)}, 20, 0), COLUMNS)
    assert "| female | 20 | 75.0 (75.0 to 75.0) |" in text
    assert "| female − male | 50.0 (50.0 to 50.0) |" in text
    assert "Gaps whose interval leaves out 0: female − male (score, %)." in text
    assert "fewer than 10 films: age 40 to 59 (0), age 60 and over (2), view AP (2)." in text
    assert "Not known of so many films: sex (1)." in text and text.endswith(NOTE)


def test_the_card_says_when_no_gap_is_clear_and_when_nothing_could_be_measured():
    films = people((20, "F", 30, "PA"), (20, "M", 30, "PA"))
    values = np.tile([0.0, 1.0], 20)
    text = groups_text(by_group(films, {"score": mean_of(values)}, 50, 0), COLUMNS)
    assert "No gap's interval leaves out 0." in text
    nothing = groups_text(by_group(films, {}, 5, 0), COLUMNS)
    assert "| female | 20 | – |" in nothing and "interval leaves out" not in nothing
    assert "|" not in groups_text(by_group([], {}, 5, 0), COLUMNS)
    assert groups_text(None, COLUMNS) == PENDING

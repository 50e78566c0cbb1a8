"""The order of studies by labels, reports and images, on answers that a person can work out."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.findings import Study
from cxr.language import parse
from cxr.retrieval.ranking import LabelTable, Ranking, RankingWeights, standardized


def study(number: int, report: str | None = None, **values) -> Study:
    """A study whose findings are given with underscores for spaces."""
    person = {key: values.pop(key) for key in ("view", "sex", "age") if key in values}
    findings = {name.replace("_", " "): value for name, value in values.items()}
    return Study(f"s{number}", "drawn", f"p{number}", findings=findings, report=report, **person)


def order(studies, text, cosines=None, k=12, **weights) -> list[str]:
    cosines = np.zeros(len(studies)) if cosines is None else np.array(cosines)
    ranking = Ranking(studies, RankingWeights(**weights))
    ranked = ranking.order(parse(text), cosines.astype(np.float32), k)
    return [studies[one.row].id for one in ranked]


def evidence(studies, text, cosines=None) -> list[list[str]]:
    cosines = np.zeros(len(studies)) if cosines is None else np.array(cosines)
    ranked = Ranking(studies, RankingWeights()).order(parse(text), cosines.astype(np.float32), 12)
    return [[one.kind for one in entry.evidence] for entry in ranked]


PAIR = [study(0, cardiomegaly=0, edema=1), study(1, cardiomegaly=1), study(2, cardiomegaly=-1)]


def test_what_is_labelled_comes_first_the_doubtful_next_and_the_contrary_never():
    assert order(PAIR, "cardiomegaly", [0.9, -0.9, 0.5]) == ["s1", "s2"]
    assert evidence(PAIR, "cardiomegaly") == [["label"], ["label"]]


def test_of_equal_labels_the_more_typical_image_comes_first():
    studies = [study(n, cardiomegaly=1) for n in range(3)]
    assert order(studies, "cardiomegaly", [0.1, 0.3, 0.2]) == ["s1", "s2", "s0"]


def test_an_unlabelled_gallery_ranks_by_images_alone():
    studies = [study(n) for n in range(3)]
    assert order(studies, "cardiomegaly", [0.1, 0.3, 0.2]) == ["s1", "s2", "s0"]
    assert evidence(studies, "cardiomegaly") == [["image"]] * 3


def test_what_nobody_read_comes_after_what_is_labelled():
    studies = [study(0), study(1, edema=1), study(2, cardiomegaly=1)]
    assert order(studies, "cardiomegaly", [0.9, 0.5, -0.9])[0] == "s2"
    assert set(order(studies, "cardiomegaly")) == {"s0", "s1", "s2"}


def test_an_excluded_finding_excludes():
    studies = [study(0, pleural_effusion=1), study(1, pleural_effusion=0), study(2)]
    assert order(studies, "no pleural effusion", [0.9, 0, 0.5]) == ["s1", "s2"]


def test_both_findings_are_asked_for():
    both = {"edema": 1, "pleural_effusion": 1}
    studies = [study(0, edema=1, pleural_effusion=0), study(1, **both), study(2, edema=1)]
    assert order(studies, "edema and pleural effusion", [0.9, 0, 0]) == ["s1", "s2"]


def test_where_nothing_matches_the_nearest_say_so():
    studies = [study(0, hernia=0), study(1, hernia=0)]
    assert evidence(studies, "hernia", [0.1, 0.2]) == [["nearest"], ["nearest"]]
    assert order(studies, "hernia", [0.1, 0.2]) == ["s1", "s0"]


def test_the_person_is_part_of_the_question():
    studies = [
        study(0, edema=1, sex="M", age=70),
        study(1, edema=1, sex="F", age=71),
        study(2, edema=1, sex="F", age=30),
        study(3, edema=1),
    ]
    assert order(studies, "edema in women over 60", [0.9, 0, 0.8, 0.1]) == ["s1"]
    assert order(studies, "edema in women", [0.9, 0, 0.8, 0.1]) == ["s2", "s1", "s3"]


def test_a_frontal_image_may_be_the_asked_view():
    studies = [study(0, edema=1, view="AP"), study(1, edema=1, view="frontal")]
    studies.append(study(2, edema=1, view="PA"))
    assert order(studies, "PA view, edema") == ["s2", "s1"]


def test_normal_means_that_nothing_is_present():
    studies = [study(0, edema=1), study(1, **{"no_finding": 1}), study(2, edema=0, mass=0)]
    assert set(order(studies, "normal chest x-ray")) == {"s1", "s2"}


def test_a_report_speaks_for_a_study_and_its_denial_against():
    studies = [
        study(0, report="No pleural effusion. The heart is normal."),
        study(1, report="Lungs are clear. There is a small left pleural effusion."),
        study(2),
    ]
    assert order(studies, "pleural effusion", [0.9, -0.9, 0.0]) == ["s1", "s2"]
    found = Ranking(studies, RankingWeights()).order(
        parse("pleural effusion"), np.zeros(3, np.float32), 3
    )
    (said,) = found[0].evidence
    assert said.kind == "report" and "small left pleural effusion" in said.text


def test_a_filter_limits_and_k_cuts():
    studies = [study(n, edema=1) for n in range(4)]
    ranking = Ranking(studies, RankingWeights())
    cosines = np.arange(4, dtype=np.float32)
    assert [one.row for one in ranking.order(parse("edema"), cosines, 2)] == [3, 2]
    rows = np.array([0, 1])
    assert [one.row for one in ranking.order(parse("edema"), cosines, 9, rows)] == [1, 0]


def test_counting_keeps_a_tiles_promise():
    ranking = Ranking(PAIR, RankingWeights())
    assert ranking.count(parse("cardiomegaly")) == 1
    assert ranking.count(parse("without cardiomegaly")) == 1


def test_a_wider_term_is_shown_by_a_narrower_one():
    studies = [study(0, nodule=1), study(1, nodule=0), study(2, lung_lesion=0, nodule=1)]
    values = LabelTable(studies).values("lung lesion")
    assert values[0] == 1 and values[2] == 0


def test_standardized_has_mean_zero_and_spread_one():
    values = standardized(np.array([1.0, 2.0, 3.0], np.float32))
    assert values.mean() == pytest.approx(0) and values.std() == pytest.approx(1)
    assert (standardized(np.full(4, 0.3, np.float32)) == 0).all()


@pytest.mark.parametrize("bad", [{"label": -1}, {"pixels": 1}, {"image": float("nan")}])
def test_bad_weights_are_refused(bad):
    with pytest.raises(ValueError, match=r"expected ranking weights .* Fit them again"):
        RankingWeights.from_dict(bad)


def test_where_none_shows_both_the_finding_that_was_named_first_counts_more():
    studies = [study(0, edema=1), study(1, mass=1), study(2, mass=1, edema=1)]
    ranking = Ranking(studies, RankingWeights())
    looks = np.array([0.5, 0.0, 0.1], np.float32)
    first = [one.row for one in ranking.order(parse("mass and edema"), looks, 3)]
    assert first == [2, 1, 0]
    assert [one.row for one in ranking.order(parse("edema and mass"), -looks, 3)] == [2, 0, 1]
    assert ranking.count(parse("mass and edema")) == 1

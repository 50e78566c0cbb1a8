"""Images like an image: what both share, like persons, and contrasts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gallery_helpers import ENCODER

from cxr.checkpoints.finding_classifier import FindingClassifier
from cxr.findings import Study
from cxr.gallery.filter import Where
from cxr.gallery.gallery import build_gallery
from cxr.retrieval.finding_space import FindingSpace
from cxr.retrieval.ranking import LabelTable
from cxr.retrieval.similar_images import SimilarImages, like_person

# id, view, sex, age, labels, angle of the embedding in degrees: the first axis speaks for effusion,
# the second for mass.
ROWS = (
    ("asked", "PA", "F", 60, {"pleural effusion": 1}, 0),
    ("alike", "PA", "F", 65, {"pleural effusion": 1}, 10),
    ("a man", "PA", "M", 61, {"pleural effusion": 1, "mass": 1}, 5),
    ("other", "PA", "F", 55, {"mass": 1, "pleural effusion": 0}, 80),
    ("far", "PA", "F", 52, {"mass": 1}, 90),
    ("old", "PA", "F", 71, {"mass": 1}, 20),
    ("unsure", "PA", "F", 60, {"mass": 1, "pleural effusion": -1}, 20),
    ("normal", "PA", "F", 58, {"no finding": 1}, 44),
    ("unread", None, None, None, {}, 45),
)


@pytest.fixture(scope="module")
def similar(film, tmp_path_factory) -> SimilarImages:
    folder = tmp_path_factory.mktemp("similar")
    studies = [_study(number, row, folder, film) for number, row in enumerate(ROWS)]
    angles = iter(np.radians([row[5] for row in ROWS]))

    def encode(images: list) -> np.ndarray:
        rows = np.zeros((len(images), 512), np.float32)
        for row in rows:
            angle = next(angles)
            row[:2] = np.cos(angle), np.sin(angle)
        return rows

    gallery = build_gallery(studies, encode, folder / "gallery", ENCODER, progress=False)
    directions = np.zeros((2, 512), np.float32)
    directions[0, 0] = directions[1, 1] = 8
    space = FindingSpace(
        ("pleural effusion", "mass"),
        directions,
        np.full(2, -4, np.float32),
    )
    return SimilarImages(gallery, LabelTable(gallery.studies), space)


def _study(number: int, row: tuple, folder: Path, film) -> Study:
    name, view, sex, age, labels, _ = row
    path = folder / f"{number}.png"
    film(number, (40, 48)).save(path)
    return Study(name, "drawn", f"p{number}", path, view, sex, age, labels, None, "CC0")


def named(similar: SimilarImages, name: str) -> Study:
    return next(study for study in similar.gallery.studies if study.id == name)


def found(similar: SimilarImages, name: str, k: int = 20, **asked) -> dict[str, str]:
    """The ids of what is like a study, in order, with what is said of each."""
    study = named(similar, name)
    alike = similar.find(similar.vector(study), k, study=study, **asked)
    studies = similar.gallery.studies
    return {studies[one.row].id: "; ".join(e.text for e in one.evidence) for one in alike}


def test_images_are_ordered_by_what_they_show_and_say_what_is_shared(similar):
    said = found(similar, "asked")
    assert list(said)[:2] == ["a man", "alike"] and "asked" not in said and len(said) == 8
    assert said["alike"] == "both labelled: pleural effusion"
    assert said["old"] == "both seem to show: pleural effusion"
    assert said["far"] == "looks alike"


def test_heads_count_beside_the_probes_where_the_gallery_was_read_by_them(similar):
    heads = FindingClassifier(("hernia",), np.ones((1, 1)), np.zeros(1), np.array([[1], [0]]))
    space = replace(similar.space, heads=heads)
    read = np.full((len(ROWS), 1), -12, np.float16)
    read[[0, 4]] = 12  # "asked" and "far"
    joined = SimilarImages(similar.gallery, similar.table, space, read)
    said = found(joined, "asked")
    assert list(said).index("far") < list(said).index("old")
    assert said["far"] == "both seem to show: hernia"
    vector = similar.vector(named(similar, "asked"))
    own = joined.find(vector, 2, logits=np.array([12], np.float32))
    assert "hernia" in own[0].evidence[-1].text  # itself: it is not said to be of the gallery
    alone = joined.find(vector, 9)  # an image whose features are not known: by the probes
    assert [one.row for one in alone] == [one.row for one in similar.find(vector, 9)]


def test_a_person_is_matched_where_wished(similar):
    assert set(found(similar, "asked", matched=("sex",))) == {row[0] for row in ROWS[1:]} - {
        "a man",
        "unread",
    }
    assert set(found(similar, "asked", matched=("view", "sex", "age"))) == {
        "alike",
        "other",
        "far",
        "unsure",
        "normal",
    }
    only = found(similar, "asked", matched=("age",), where=Where(sex="M"))
    assert list(only) == ["a man"]


def test_nothing_is_matched_that_is_not_known(similar):
    assert like_person(None, ()) is None
    with pytest.raises(ValueError, match="whose view and age is known"):
        found(similar, "unread", matched=("age", "view"))
    with pytest.raises(ValueError, match="filter by view, sex or age"):
        similar.find(similar.vector(named(similar, "asked")), 5, matched=("sex",))
    with pytest.raises(ValueError, match="view, sex, age to match"):
        like_person(named(similar, "asked"), ("weight",))
    with pytest.raises(ValueError, match="of this gallery, got 'elsewhere'"):
        similar.row_of(Study("elsewhere", "drawn", "p"))


def test_a_contrast_is_of_a_like_person_with_another_finding_or_none(similar):
    contrast = similar.contrast(named(similar, "asked"))
    studies = similar.gallery.studies
    assert [studies[one.row].id for one in contrast] == ["other", "normal"]
    same = "same view, sex and age group"
    assert contrast[0].evidence[0].text == f"mass, without pleural effusion, {same}"
    assert contrast[1].evidence[0].text == f"no finding, {same}"


def test_a_normal_study_is_contrasted_with_findings_and_an_unread_one_with_nothing(similar):
    studies = similar.gallery.studies
    contrast = similar.contrast(named(similar, "normal"), 3)
    assert [studies[one.row].id for one in contrast] == ["unsure", "alike", "other"]
    assert similar.contrast(named(similar, "unread")) == []

"""How a query is described, and taken apart."""

from __future__ import annotations

import pytest

from cxr.language.chips import Chip, describe, without
from cxr.language.query import parse

TEXTS = (
    "women over 60 with cardiomegaly but no effusion",
    "normal chest x-ray of a young man",
    "64-year-old, possible pneumonia in the right lower lobe, PA",
    "tubes and lines, no pneumothorax, AP",
    "severe edema on both sides in patients between 40 and 50",
    "sarcoidosis in a woman",
    "heart failure with an effusion",
    "moderate-to-large left effusion",
    "ARDS, no pneumothorax",
    "abnormal film, lateral",
    "windpipe",
    "left lung",
    "pacemaker and small left effusion, men under 50",
)


def test_a_query_is_described_in_short_phrases():
    chips = describe(parse(TEXTS[0]))
    assert [chip.label for chip in chips] == [
        "cardiomegaly",
        "without pleural effusion",
        "women over 60",
    ]
    assert [chip.field for chip in chips] == ["present", "absent", "person"]
    assert describe(parse("asdfgh")) == []


@pytest.mark.parametrize("text", TEXTS)
def test_a_chip_can_be_taken_away_and_the_new_text_means_what_is_left(text):
    query = parse(text)
    chips = describe(query)
    assert chips
    for chip in chips:
        left = without(query, chip)
        labels = [one.label for one in describe(left)]
        assert chip.label not in labels
        assert set(labels) <= {one.label for one in chips}
        if left.text:
            again = [one.label for one in describe(parse(left.text))]
            assert sorted(again) == sorted(labels)
        else:
            assert labels == []


def test_the_last_chip_leaves_an_empty_query():
    query = parse("edema")
    assert without(query, describe(query)[0]).text == ""


def test_a_contradiction_goes_with_its_chip():
    query = parse("effusion, no effusion")
    left = without(query, Chip("without pleural effusion", "absent", "pleural effusion"))
    assert query.contradictions and not left.contradictions
    assert left.present == ("pleural effusion",)


def test_a_chip_of_no_field_is_refused():
    with pytest.raises(ValueError, match="expected"):
        without(parse("edema"), Chip("x", "text", "x"))

"""What a typed text asks for."""

from __future__ import annotations

import pytest
from lay_queries import CLUMSY, NEGATED, QUERIES

from cxr.findings import FINDINGS
from cxr.language.query import MAX_TEXT, asked_for, parse
from train.retrieval.paraphrases import SYNONYMS

WORDS = [*QUERIES, *((text, name) for name, texts in SYNONYMS.items() for text in (name, *texts))]


@pytest.mark.parametrize(("text", "name"), WORDS)
def test_lay_words_and_synonyms_mean_their_finding(text, name):
    assert parse(text).present == (name,)


@pytest.mark.parametrize(("text", "negated"), NEGATED)
def test_a_negated_text_excludes_its_finding(text, negated):
    query = parse(negated)
    assert query.absent == parse(text).present
    assert not query.present and not query.normal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cardiomegaly", {"present": ("cardiomegaly",)}),
        ("normal chest x-ray", {"present": ("no finding",), "normal": True}),
        (
            "normal heart",
            {"absent": ("cardiomegaly",), "anatomy": ("heart and mediastinum",)},
        ),
        ("no fluid", {"absent": ("pleural effusion",)}),
        ("rule out pneumonia", {"uncertain": ("pneumonia",)}),
        ("possible edema", {"uncertain": ("edema",)}),
        ("hydropneumothorax", {"present": ("pneumothorax", "pleural effusion")}),
        (
            "women over 60 with cardiomegaly but no effusion",
            {
                "present": ("cardiomegaly",),
                "absent": ("pleural effusion",),
                "sex": "F",
                "age_min": 60,
            },
        ),
        (
            "64-year-old man, right lower lobe pneumonia, PA",
            {
                "present": ("pneumonia",),
                "side": "right",
                "zone": "lower",
                "sex": "M",
                "age_min": 64,
                "age_max": 64,
                "view": "PA",
                "anatomy": ("right lung",),
            },
        ),
        (
            "effusion, no effusion",
            {
                "present": ("pleural effusion",),
                "absent": ("pleural effusion",),
                "contradictions": ("pleural effusion",),
            },
        ),
        ("sarcoidosis", {"other": ("sarcoidosis",)}),
        ("kein Erguss", {"unknown": ("kein", "Erguss"), "language": "de"}),
    ],
)
def test_parts_of_a_query(text, expected):
    query = parse(text)
    default = type(query)(text)
    said = {k: v for k, v in vars(query).items() if v != getattr(default, k)}
    assert said == expected


@pytest.mark.parametrize("text", [t for t in CLUMSY if len(t) <= MAX_TEXT] + ["<b>no</b>\ud83e"])
def test_clumsy_texts_are_read_without_an_error(text):
    query = parse(text)
    assert query.text == text
    assert set(query.present) <= set(FINDINGS)


@pytest.mark.parametrize("text", ["", " \n\t", "x" * (MAX_TEXT + 1)])
def test_empty_and_overlong_texts_are_refused(text):
    with pytest.raises(ValueError, match=r"expected .*, got .*; "):
        parse(text)


def test_highlights_take_an_empty_text():
    assert asked_for("", FINDINGS) == set()

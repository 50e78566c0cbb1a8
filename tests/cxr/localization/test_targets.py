"""Free text -> target, side and zone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cxr.anatomy import CLAVICLES, PARTS, TARGETS, union_known
from cxr.localization.localizer import STANDS_FOR
from cxr.localization.targets import Target, parse
from train.localizer.prompts import PHRASES, weighted_queries, wordings

MEANT = {
    "right lung": Target("right lung"),
    "Lung on the RIGHT side": Target("right lung"),
    "left side": Target("left lung"),
    "both lungs": Target("lungs"),
    "the heart": Target("heart"),
    "mediastinum": Target("heart and mediastinum"),
    "clavicles": Target("clavicles"),
    "left collarbone": Target("clavicles", "left"),
    "big heart": Target("cardiomegaly"),
    "mass in the right upper lobe": Target("mass", "right", "upper"),
    "fluid on the left": Target("pleural effusion", "left"),
    "broken rib": Target("fracture"),
    "windpipe": Target("airways"),
    "ET tube": Target("tubes and lines"),
    "where is the breathing tube?": Target("tubes and lines"),
    "opacity in the left lower zone": Target("opacity", "left", "lower"),
    "left lower zone opacity": Target("opacity", "left", "lower"),
    "ground-glass opacity in the left lung": Target("ground-glass opacity", "left"),
    "GGO, bilateral": Target("ground-glass opacity"),
    "hazy stuff on the right": Target("ground-glass opacity", "right"),
    "consolidation at both bases": Target("consolidation", None, "lower"),
    "consolidaton rll": Target("consolidation", "right", "lower"),
    "whats with teh oppacity at left bottom": Target("opacity", "left", "lower"),
    "right and left lung": Target("lungs"),
    "LLL": Target("lungs", "left", "lower"),
    "upper right": Target("lungs", "right", "upper"),
    "lungs, no pneumonia": Target("lungs"),
    "heart without the lungs": Target("heart"),
}


@pytest.mark.parametrize("text", MEANT)
def test_what_a_text_means(text):
    assert parse(text) == MEANT[text]


@pytest.mark.parametrize(
    "text",
    [
        "left heart border",
        "upper mediastinum on the right",
        "scoliosis",
        "cat",
        "banana left",
        "left foot",
        "no pneumonia",
        "???",
        "🫁",
        "where",
        "1234",
        "о",
    ],
)
def test_what_means_nothing_here(text):
    assert parse(text) is None


def test_every_prompt_of_training_is_understood_as_it_was_meant():
    """What the model is taught and what the words are taken to mean must be the same."""
    for query in weighted_queries():
        assert parse(query.prompt) == query
        for text in wordings(query):
            said = parse(text)
            assert replace(said, target=STANDS_FOR.get(said.target, said.target)) == query, text


def test_a_union_is_known_by_its_parts():
    assert union_known("lungs", frozenset(("right lung", "left lung")))
    assert not union_known("lungs", frozenset(("right lung",)))
    assert union_known("tubes and lines", frozenset(("tubing",)))
    assert not union_known("tubes and lines", frozenset()) and not union_known(
        "airways", frozenset(("airways",))
    )


def test_queries_cover_every_target_in_several_words():
    assert set(PHRASES) == set(TARGETS) == {q.target for q in weighted_queries()}
    assert all(len(wordings(query)) >= 3 for query in weighted_queries())
    assert set(PARTS) - {CLAVICLES} < set(TARGETS)

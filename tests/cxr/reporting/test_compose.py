"""Composed reports: they never say a thing and its opposite, nor more than is known."""

from __future__ import annotations

import numpy as np
import pytest

from cxr.findings import NIH_FINDINGS
from cxr.reporting.calibration import Bands
from cxr.reporting.claims import (
    ABSENT,
    ACUTE,
    POSSIBLE,
    claims_of,
    contradictions,
    labels_of_text,
    sentences,
)
from cxr.reporting.compose import (
    AKIN,
    LONGEST_IMPRESSION,
    NEVER_ASSESSED,
    SERIOUS,
    WEIGHTS,
    compose_report,
    report_text,
)
from cxr.reporting.overall import LOOKS_ABNORMAL, LOOKS_NORMAL, UNDECIDED
from cxr.reporting.phrases import WORDINGS, phrase_bank

BANDS = Bands(0.5, 0.2, 0.1)
UNLIKELY = dict.fromkeys(NIH_FINDINGS, "unlikely")


def choose_by(random: np.random.Generator):
    """A chooser that takes any of our phrases that make exactly the claims in the word's mood."""

    def choose(claims, word):
        fitting = [
            phrase
            for phrase in phrase_bank()
            if phrase.neutral
            and dict(phrase.claims) == dict(claims)
            and phrase.likely == (word == "likely")
        ]
        return (fitting[random.integers(len(fitting))], 0.1) if fitting else None

    return choose


def compose(words, deniable=NIH_FINDINGS, ratios=None, seed=0, overall=""):
    choose = choose_by(np.random.default_rng(seed))
    return compose_report(words, choose, deniable, ratios, overall=overall)


def impression_of(composed):
    return [one.text for one in composed if one.section == "impression"]


@pytest.mark.parametrize("seed", range(40))
def test_no_report_contradicts_itself_or_denies_what_it_may_not(seed):
    """Random probabilities, some all low or all high; the text is read again by other rules."""
    random = np.random.default_rng(seed)
    for power in (0.3, 1.0, 4.0, 10.0):
        chances = random.uniform(0, 1, len(NIH_FINDINGS)) ** power
        words = {name: BANDS.word(p) for name, p in zip(NIH_FINDINGS, chances)}
        for name in random.choice(NIH_FINDINGS, 4, replace=False):
            words[str(name)] = "not assessed"
        deniable = {name for name in NIH_FINDINGS if random.uniform() < 0.8}
        deniable -= {name for name, word in words.items() if word == "not assessed"}
        composed = compose(words, deniable, seed=seed)
        assert contradictions(one.claims for one in composed) == []
        text = report_text(composed)
        assert contradictions(claims_of(one) for one in sentences(text)) == [], text
        said = labels_of_text(text)
        for name, word in words.items():
            raised = {POSSIBLE} if word in ("likely", "possible") else {None}
            expected = {None, ABSENT} if word == "unlikely" and name in deniable else raised
            assert said.get(name) in expected, (name, word, text)


@pytest.mark.parametrize("group", AKIN, ids=lambda group: "-".join(sorted(group)))
def test_what_is_akin_to_a_raised_finding_is_not_denied(group):
    members = sorted(group.intersection(NIH_FINDINGS))
    for raised in members:
        composed = compose({**UNLIKELY, raised: "possible"})
        denied = {name for one in composed for name, state in one.claims.items() if state == ABSENT}
        assert denied.isdisjoint(members)


@pytest.mark.parametrize("name", NIH_FINDINGS)
def test_a_finding_that_is_not_assessed_is_named_so_and_never_denied(name):
    text = report_text(compose({**UNLIKELY, name: "not assessed"}))
    assert name not in labels_of_text(text), text
    (said,) = [one for one in sentences(text) if one.startswith("Not assessed by this model: ")]
    assert all(one in said for one in NEVER_ASSESSED)
    assert WORDINGS[name].name.removeprefix("a ").removeprefix("an ") in said


def test_the_heart_is_not_called_normal_when_its_size_is_not_assessed():
    for seed in range(20):
        text = report_text(compose({**UNLIKELY, "cardiomegaly": "not assessed"}, seed=seed))
        assert "heart" not in text.lower() and "No cardiomegaly" not in text
    assert labels_of_text(report_text(compose(UNLIKELY)))["cardiomegaly"] == ABSENT


def test_lungs_are_not_called_clear_while_a_nodule_is_not_assessed():
    assert "clear" in report_text(compose(UNLIKELY))
    text = report_text(compose({**UNLIKELY, "nodule": "not assessed"}))
    assert "clear" not in text and "Not assessed by this model: nodule, bones" in text


def test_nothing_is_denied_that_may_not_be():
    text = report_text(compose(UNLIKELY, deniable=()))
    assert labels_of_text(text) == {}
    text = report_text(compose(UNLIKELY, deniable={"edema", "pneumothorax"}))
    assert labels_of_text(text) == {"edema": ABSENT, "pneumothorax": ABSENT}


def test_a_normal_image_is_plainly_said_to_look_normal():
    composed = compose(UNLIKELY)
    normal = "Looks normal as a whole: none of the 14 findings assessed is suggested."
    assert impression_of(composed) == [normal]
    assert set(composed[-1].claims) == set(NIH_FINDINGS)
    text = report_text(composed)
    assert "ungs are clear." in text
    assert set(labels_of_text(text)) >= set(NIH_FINDINGS)


@pytest.mark.parametrize("name", NIH_FINDINGS)
def test_no_image_is_called_normal_while_a_serious_finding_is_not_assessed(name):
    composed = compose({**UNLIKELY, name: "not assessed"})
    (text,) = impression_of(composed)
    serious = WEIGHTS.get(name, 1) >= SERIOUS
    assert ("cannot be called normal" in text) is serious
    assert text.startswith("Looks normal") is not serious
    assert "13 findings assessed" in text and name not in composed[-1].claims


NONE = "one of the 13 findings assessed is suggested"
OPEN = "o finding is suggested with confidence"
ABNORMAL = "The image looks abnormal as a whole"


@pytest.mark.parametrize(
    ("overall", "changed", "said"),
    [
        (LOOKS_NORMAL, "", f"Looks normal as a whole: n{NONE}; 1 is not assessed."),
        (LOOKS_NORMAL, "not sure", f"Looks normal as a whole: n{OPEN}; 1 is not assessed."),
        (LOOKS_ABNORMAL, "", f"{ABNORMAL}, but n{NONE}, and 1 is not assessed."),
        (LOOKS_ABNORMAL, "possible", f"{ABNORMAL}."),
        (LOOKS_ABNORMAL, "likely", "Likely pulmonary edema."),
        (UNDECIDED, "", f"N{NONE}; with 1 not assessed, the image cannot be called normal."),
        (UNDECIDED, "not sure", f"N{OPEN}."),
    ],
)
def test_the_impression_says_how_the_image_looks_as_a_whole(overall, changed, said):
    words = {**UNLIKELY, "mass": "not assessed"} | ({"edema": changed} if changed else {})
    composed = compose(words, overall=overall)
    impression = impression_of(composed)
    assert impression[0] == said
    assert impression[1:] == (["Possible pulmonary edema."] if changed == "possible" else [])
    assert not contradictions([claims_of(one) for one in sentences(report_text(composed))])


def test_an_image_that_looks_abnormal_has_an_impression_of_three_sentences_at_most():
    words = dict.fromkeys(("edema", "mass", "pneumothorax", "atelectasis"), "possible")
    composed = impression_of(compose({**UNLIKELY, **words}, overall=LOOKS_ABNORMAL))
    assert len(composed) == 3 and composed[0] == f"{ABNORMAL}."


@pytest.mark.parametrize("word", ["", UNDECIDED])
def test_no_image_looks_normal_where_nothing_says_so(word):
    (said,) = impression_of(compose({**UNLIKELY, "mass": "not assessed"}, overall=word))
    assert "cannot be called normal" in said


def test_an_image_of_which_nothing_was_assessed_is_not_called_normal():
    composed = compose(dict.fromkeys(NIH_FINDINGS, "not assessed"))
    assert impression_of(composed) == ["No finding was assessed."]


def test_what_is_open_and_what_is_not_assessed_go_by_anatomy_whatever_their_probability():
    for names in (NIH_FINDINGS, reversed(NIH_FINDINGS)):
        text = report_text(compose(dict.fromkeys(names, "not assessed")))
        assert "model: atelectasis, consolidation, pulmonary edema, emphysema, fibrosis," in text
    assert "thickening, pneumothorax, cardiomegaly, hernia through the diaphragm, bones" in text


def test_an_impression_is_short_and_goes_by_probability_over_prior_and_weight():
    words = {**UNLIKELY, **dict.fromkeys(("pneumothorax", "infiltration", "fibrosis"), "possible")}
    words |= {"pleural effusion": "possible", "hernia": "likely"}
    ratios = {"pneumothorax": 5.0, "pleural effusion": 1.5, "infiltration": 2.0, "fibrosis": 3.0}
    assert impression_of(compose(words, ratios=ratios)) == [
        "Likely hernia through the diaphragm.",
        "Possible pneumothorax.",
        "Possible fibrosis.",
    ]
    ratios |= {"pleural effusion": 4.0}
    assert impression_of(compose(words, ratios=ratios))[2] == "Possible pleural effusion."
    every = dict.fromkeys(NIH_FINDINGS, "possible")
    assert len(impression_of(compose(every))) == LONGEST_IMPRESSION
    assert set(WEIGHTS) <= set(NIH_FINDINGS) and WEIGHTS["pneumothorax"] > WEIGHTS["atelectasis"]


def test_one_shadow_is_named_once_in_the_impression():
    words = {**UNLIKELY, **dict.fromkeys(("pneumonia", "consolidation", "infiltration"), "likely")}
    assert impression_of(compose(words, ratios={"consolidation": 9.0})) == ["Likely consolidation."]


@pytest.mark.parametrize("name", NIH_FINDINGS)
@pytest.mark.parametrize("word", ["likely", "possible"])
def test_a_finding_is_said_in_one_mood_throughout(name, word):
    for seed in range(6):
        text = report_text(compose({**UNLIKELY, name: word}, seed=seed))
        moods = [one for one in sentences(text) if claims_of(one).get(name) not in (None, ABSENT)]
        assert len(moods) == 2 and {claims_of(one)[name] for one in moods} == {POSSIBLE}
        assert all(("likely" in one.lower()) == (word == "likely") for one in moods), text


def test_what_is_open_is_named_and_nothing_is_called_normal():
    text = report_text(compose({**UNLIKELY, "pneumothorax": "not sure"}))
    assert "Not sure either way: pneumothorax." in text
    assert text.endswith("Impression: No finding is suggested with confidence.")
    assert "pneumothorax" not in labels_of_text(text) and "pneumothorax" in ACUTE


def test_a_finding_without_a_phrase_is_still_said():
    composed = compose_report({"edema": "likely"}, lambda claims, word: None)
    assert composed[0].claims == {"edema": POSSIBLE}
    assert composed[0].text == "Pulmonary edema is likely."


def test_every_finding_with_labels_has_its_wording():
    assert set(NIH_FINDINGS) == set(WORDINGS)

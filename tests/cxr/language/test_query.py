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
            {"absent": ("cardiomegaly",), "anatomy": ("heart",)},
        ),
        (
            "severe heart failure",
            {
                "present": ("edema",),
                "other": ("heart failure",),
                "kinds": (("heart failure", "edema"),),
                "severity": "severe",
            },
        ),
        ("edema in sarcoidosis", {"present": ("edema",), "other": ("sarcoidosis",)}),
        ("no fluid", {"absent": ("pleural effusion",)}),
        ("rule out pneumonia", {"uncertain": ("pneumonia",)}),
        ("possible edema", {"uncertain": ("edema",)}),
        (
            "cardiomeg",
            {"present": ("cardiomegaly",), "corrections": (("cardiomeg", "cardiomegaly"),)},
        ),
        ("cardio", {"unknown": ("cardio",)}),  # the beginning of several words
        (
            "no pl. eff.",
            {
                "absent": ("pleural effusion",),
                "corrections": (("pl", "pleural"), ("eff", "effusion")),
            },
        ),
        ("f pt, PSP", {"present": ("pneumothorax",), "sex": "F"}),
        ("the lung has gone stiff", {"present": ("fibrosis",)}),
        ("the effusion has gone", {"absent": ("pleural effusion",)}),
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
        ("COPD but no bullae", {"present": ("emphysema",), "unknown": ("no bullae",)}),
        ("no bullae", {"absent": ("emphysema",)}),
        (
            "pleural effusion but no fluid",
            {
                "present": ("pleural effusion",),
                "absent": ("pleural effusion",),
                "contradictions": ("pleural effusion",),
            },
        ),
        (
            "hart too big pls",
            {"present": ("cardiomegaly",), "corrections": (("hart", "heart"),)},
        ),
        ("water bottle sign", {"present": ("cardiomegaly",)}),
        ("water bottle effusion", {"other": ("pericardial effusion",)}),
        ("sarcoidosis", {"other": ("sarcoidosis",)}),
        ("kein Erguss", {"unknown": ("kein", "Erguss"), "language": "de"}),
    ],
)
def test_parts_of_a_query(text, expected):
    query = parse(text)
    default = type(query)(text)
    said = {k: v for k, v in vars(query).items() if v != getattr(default, k)}
    assert said == expected


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("mild effusion", "mild"),
        ("mild to moderate effusion", "mild to moderate"),
        ("moderate-to-large left effusion", "moderate to severe"),
        ("effusion, moderate to severe", "moderate to severe"),
        ("mild/moderate edema", "mild to moderate"),
        ("edema, mild–moderate", "mild to moderate"),
        ("mild or moderate edema", "mild to moderate"),
        ("moderately to mildly enlarged heart", "mild to moderate"),
        ("small to large effusion", "moderate"),
        ("tiny to small effusion", "mild"),
        ("mild edema, moderate effusion", "mild"),
        ("small and large effusions", "mild"),
    ],
)
def test_a_range_of_severities_is_what_lies_between(text, severity):
    assert parse(text).severity == severity


SIGNS = [
    ("the pump is too large for its box", "cardiomegaly"),
    ("CTR > 0.5", "cardiomegaly"),
    ("blunted angles", "pleural effusion"),
    ("fluid has collected around the lung", "pleural effusion"),
    ("meniscus sign", "pleural effusion"),
    ("deep sulcus sign", "pneumothorax"),
    ("no lung markings at the edge", "pneumothorax"),
    ("batwing opacities", "edema"),
    ("Kerley B lines", "edema"),
    ("upper lobe blood diversion", "edema"),
    ("lungs like a wet sponge", "edema"),
    ("air bronchograms", "consolidation"),
    ("right heart border obscured", "consolidation"),
    ("sail sign", "atelectasis"),
    ("bibasilar atx", "atelectasis"),
    ("flattened diaphragms", "emphysema"),
    ("lungs blown up like balloons", "emphysema"),
    ("honeycombing", "fibrosis"),
    ("cobweb lungs", "fibrosis"),
    ("cannonball lesions", "nodule"),
    ("millet seeds", "nodule"),
    ("spiculated lesion", "mass"),
    ("lump the size of an egg", "mass"),
    ("white-out of the left lung", "lung opacity"),
    ("rib #", "fracture"),
    ("# clavicle", "fracture"),
    ("stomach has slipped up into the chest", "hernia"),
    ("space between the lungs is too wide", "enlarged cardiomediastinum"),
    ("holly leaf sign", "pleural other"),
    ("boring film", "no finding"),
]


@pytest.mark.parametrize(("text", "name"), SIGNS)
def test_signs_comparisons_and_slang_mean_their_finding(text, name):
    assert parse(text).present == (name,)


# Each looks like words of the lexicon and asks for nothing that a chest X-ray is labelled with.
FALSE_FRIENDS = """heart attack; broken heart; body mass index; knee effusion; joint effusion;
    ankle edema; cerebral edema; inguinal hernia; disc herniation; liver mass; breast cancer;
    brain tumor; hip fracture; cystic fibrosis; mass effect; pericardial effusion; tension headache;
    diffusion; confusion; pneumatic; emphasis; noodle; massage; infiltrator; machine learning;
    circle; sail; lace; golf; orange; #1; silhouettes"""


@pytest.mark.parametrize("text", [text.strip() for text in FALSE_FRIENDS.split(";")])
def test_false_friends_ask_for_no_finding(text):
    assert parse(text).present == ()


@pytest.mark.parametrize(
    ("text", "sex", "youngest", "oldest"),
    [
        ("a boy", "M", 0, 17),
        ("5 year old girl", "F", 5, 5),
        ("70+", None, 70, None),
        ("70 plus", None, 70, None),
        ("old lady", "F", 65, None),
        ("middle-aged", None, 40, 64),
        ("grown man", "M", 18, None),
        ("M/64", "M", 64, 64),
        ("about 60", None, 55, 65),
        ("girl under ten", "F", None, 9),
        ("F with CHF", "F", None, None),
        ("retired bloke", "M", 65, None),
        ("over 60", None, 60, None),
        ("older than 85", None, 85, None),
        ("no women", "M", None, None),
        ("pneumonia, but not in men", "F", None, None),
        ("she has no effusion", "F", None, None),
        ("no fluid in this woman", "F", None, None),
        ("effusion, no children", None, 18, None),
        ("non-elderly", None, None, 64),
    ],
)
def test_persons(text, sex, youngest, oldest):
    query = parse(text)
    assert (query.sex, query.age_min, query.age_max) == (sex, youngest, oldest)
    assert query.zone is None


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

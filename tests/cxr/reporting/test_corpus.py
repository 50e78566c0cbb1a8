"""A corpus of the user's reports: which sentences are taken, and how it is kept."""

from __future__ import annotations

import json

import pytest

from cxr.findings import Study
from cxr.reporting.claims import ABSENT, PRESENT
from cxr.reporting.corpus import SENTENCES, build_corpus, corpus_phrases, load_corpus

ROWS = (
    "Small left pleural effusion. Stable cardiomegaly.",
    "The heart is enlarged. XXXX atelectasis. Recommend CT for the mass.",
    "No pneumothorax, but a large effusion. Emphysema is present.",
    "Emphysema is present. The patient has pneumonia. 3 nodules.",
)


def make_openi(root):
    root.mkdir()
    lines = ["uid,MeSH,Problems,image,indication,comparison,findings,impression"]
    lines += [f'{row},normal,normal,,,,"{text}",' for row, text in enumerate(ROWS)]
    (root / "indiana_reports.csv").write_text("\n".join(lines))
    return root


def test_only_what_one_film_can_bear_out_is_taken():
    studies = [Study(str(i), "S", str(i), report=text) for i, text in enumerate(ROWS)]
    found = {phrase.text: phrase for phrase in corpus_phrases(studies)}
    assert set(found) == {
        "Small left pleural effusion.",
        "The heart is enlarged.",
        "Emphysema is present.",
    }
    effusion = found["Small left pleural effusion."]
    assert (effusion.side, effusion.severity) == ("left", "small") and not effusion.neutral
    assert dict(effusion.claims) == {"pleural effusion": PRESENT}
    assert found["Emphysema is present."].origin == "2"


def test_a_corpus_is_built_once_and_read_again(tmp_path):
    info = build_corpus(make_openi(tmp_path / "openi"), tmp_path / "reports")
    assert (info["reports"], info["sentences"]) == (4, 3) and "NC" in info["licence"]
    phrases = load_corpus(tmp_path / "reports")
    assert [phrase.source for phrase in phrases] == ["Open-I"] * 3
    assert all(ABSENT not in dict(phrase.claims).values() for phrase in phrases)
    with pytest.raises(ValueError, match="--overwrite"):
        build_corpus(tmp_path / "openi", tmp_path / "reports")
    build_corpus(tmp_path / "openi", tmp_path / "reports", overwrite=True)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_another_folder_is_never_overwritten(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="expected no folder yet"):
        build_corpus(make_openi(tmp_path / "openi"), tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize(
    "content",
    [
        None,
        "{",
        "{}",
        '{"format_version": 9}',
        '{"format_version": 1, "sentences": [{"text": "x"}]}',
    ],
)
def test_a_missing_or_damaged_corpus_is_refused_with_the_command(tmp_path, content):
    if content is not None:
        (tmp_path / SENTENCES).write_text(content)
    with pytest.raises(ValueError, match="python -m cxr reports build"):
        load_corpus(tmp_path)


def test_a_data_set_without_reports_is_refused(tmp_path, synthetic_folder):
    with pytest.raises(ValueError, match="such as Open-I"):
        build_corpus(synthetic_folder, tmp_path / "reports")
    with pytest.raises(ValueError, match="there is none"):
        build_corpus(tmp_path / "nowhere", tmp_path / "reports")


def test_what_is_kept_is_plain_json(tmp_path):
    build_corpus(make_openi(tmp_path / "openi"), tmp_path / "reports")
    document = json.loads((tmp_path / "reports" / SENTENCES).read_text("utf-8"))
    assert document["sentences"][0]["claims"] == {"pleural effusion": "present"}

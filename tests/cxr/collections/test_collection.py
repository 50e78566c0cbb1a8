"""Collections as JSON, and their studies in a gallery."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from cxr.collections import (
    MAX_STUDIES,
    Collection,
    checked_ids,
    find_studies,
    gallery_name,
    read_collection,
)
from cxr.findings import Study


def test_a_collection_goes_through_json_and_back():
    kept = Collection(("b", "a, 1", "ö"), "Effusions", "synthetic: ours")
    assert read_collection(json.dumps(kept.to_dict())) == kept
    assert read_collection(json.dumps(kept.to_dict()).encode()) == kept


def test_a_list_of_ids_is_a_collection_and_each_id_is_kept_once():
    assert read_collection('["b", "a", "b"]') == Collection(("b", "a"), "Collection")


def test_a_name_is_one_line_of_bounded_length():
    document = {"studies": ["a"], "name": " two\n lines\x00 " + "x" * 100}
    name = read_collection(json.dumps(document)).name
    assert name.startswith("two lines xxx") and len(name) == 80


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "as JSON"),
        ("%PDF-1.4", "as JSON"),
        (b"\xff\xfe\x00", "as JSON"),
        ("[" * 100_000, "as JSON"),
        ("3", "another kind"),
        ('{"format": "other", "studies": ["a"]}', "another kind"),
        ('{"version": 2, "studies": ["a"]}', "version 1, got '2'"),
        ('{"version": true, "studies": ["a"]}', "version 1, got 'True'"),
        ("{}", "list of ids"),
        ('{"studies": "a"}', "list of ids"),
        ('{"studies": [1]}', "as text"),
        ('["a", ""]', "as text"),
        (json.dumps(["x" * 201]), "as text"),
        ("[]", "empty one"),
        (json.dumps([str(n) for n in range(MAX_STUDIES + 1)]), "at most 500 studies, got 501"),
    ],
)
def test_what_is_no_collection_is_refused_in_words(text, words):
    with pytest.raises(ValueError, match=words):
        read_collection(text)


def test_ids_are_limited():
    assert checked_ids(["a", "a"], 1) == ("a",)
    with pytest.raises(ValueError, match="at most 1 studies, got 2"):
        checked_ids(["a", "b"], 1)


def test_studies_come_in_the_order_of_the_ids_and_missing_ones_are_named():
    studies = [Study(name, "ours", name) for name in "abc"] + [Study("a", "theirs", "a")]
    found, missing = find_studies(iter(studies), ["c", "x", "a"])
    assert [(one.id, one.source) for one in found] == [("c", "ours"), ("a", "ours")]
    assert missing == ["x"]


def test_a_gallery_is_named_by_its_source():
    ours = gallery_name(SimpleNamespace(header={"source": "NIH"}))
    other = gallery_name(SimpleNamespace(header={}))
    assert ours["source"] == "NIH" and len(ours["key"]) == 8 and ours["key"] != other["key"]
    assert other["source"]

import csv
import io
import json
import zipfile
from dataclasses import replace

import pytest
from practice_pool import NOW, make_pool

from cxr.practice.grading import Commitment
from cxr.practice.profile import Judgement, Profile
from cxr.practice.results.files import (
    COLUMNS,
    ORIGIN_COLUMNS,
    anki_deck,
    origin_csv,
    results_csv,
    results_json,
)
from cxr.practice.schedule.answers import answered

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def profile():
    answer = Commitment(True, {"mass": None}, 0.8, 12.34)
    return answered(make_pool(), Profile(), 0, answer, NOW, "exam")[0]


def test_a_line_an_answer(profile):
    (row,) = csv.DictReader(io.StringIO(results_csv(profile.records)))
    assert tuple(row) == COLUMNS
    assert row["misses"] == "pleural effusion" and row["false_alarms"] == "mass"
    assert row["mode"] == "exam" and row["hits"] == "" and row["seconds"] == "12.3"
    assert json.loads(json.dumps(results_json(profile)))["results"][0]["score"] == 0


def test_judgements_of_origin_have_a_file_of_their_own(profile):
    judged = (Judgement("ab" * 12, "=x", NOW.isoformat(), 3.21, 0.7, True, False),)
    (row,) = csv.DictReader(io.StringIO(origin_csv(judged)))
    assert tuple(row) == ORIGIN_COLUMNS and row["study"] == "'=x"
    assert (row["said"], row["truth"], row["right"]) == ("generated", "real", "False")
    document = results_json(replace(profile, judged=judged))
    assert len(document["results"]) == len(document["real_or_generated"]) == 1
    assert "=x" not in results_csv(profile.records)


def test_a_spreadsheet_runs_nothing(profile):
    hostile = replace(profile.records[0], study="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in results_csv([hostile])


def test_a_deck_holds_a_card_and_a_picture_a_study(profile):
    deck = anki_deck([*profile.records, *profile.records], lambda key: PNG, "Films")
    with zipfile.ZipFile(io.BytesIO(deck)) as package:
        media = json.loads(package.read("media"))
        assert list(media.values()) == [f"film-{profile.records[0].key}.png"]
        assert package.read("0") == PNG
    with pytest.raises(ValueError, match="at least one"):
        anki_deck([], lambda key: PNG, "Films")

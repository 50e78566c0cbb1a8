"""Evaluation: one JSON, the card and the README from it, and nothing typed by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny import tiny_dual_encoder
from training_data import make_nih

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.findings import Study
from train.cards import retrieval as card
from train.common.studies import ABNORMAL_FINDINGS
from train.evaluate import main as evaluate
from train.evaluate.retrieval import both_ways, by_finding, groups, mean_auroc

TRAINING = {
    "data": ["covid", "my_own"],
    "films": 1,
    "minutes": 2,
    "hardware": "a processor",
    "command": "train",
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    root = tmp_path_factory.mktemp("evaluation")
    save_dual_encoder(tiny_dual_encoder(), root / "weights", {"training": TRAINING})
    make_nih(root / "nih", 72)
    marks = "<!-- metrics:retrieval -->", "<!-- /metrics:retrieval -->"
    (root / "README.md").write_text(f"a\n{marks[0]}\nold\n{marks[1]}\nb\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        status = evaluate.main(
            ["retrieval", "--weights", "weights", "--data", "nih", "--rounds", "50", "--write"]
        )
    assert status == 0
    return root


def test_the_report_is_one_json_with_intervals_and_chance(measured, capsys):
    report = json.loads((measured / "weights" / "metrics.json").read_text())
    assert report["split"] == "test" and report["pairs"] == 12
    for variant in ("exact_pairs", "same_findings"):
        for direction in ("image_to_text", "text_to_image"):
            entry = report[variant][direction]["recall_at_5"]
            assert 0 <= entry["low"] <= entry["value"] <= entry["high"] <= 1
    exact = report["exact_pairs"]["image_to_text"]
    assert exact["recall_at_5"]["random"] == pytest.approx(5 / 12, abs=1e-4)
    assert report["same_findings"]["image_to_text"]["recall_at_1"]["random"] > 1 / 12
    assert {"cardiomegaly", "mass", "nodule"} <= set(report["findings"])
    left_out = report["groups"]["left_out"]
    assert left_out["female"] == left_out["male"] == 6
    assert left_out["view PA"] + left_out["view AP"] == 12 and report["groups"]["groups"] == {}


def test_card_and_readme_are_made_from_the_report(measured):
    text = (measured / "weights" / "README.md").read_text()
    report = json.loads((measured / "weights" / "metrics.json").read_text())
    assert "{{" not in text and report["weights_sha256"] in text
    shown = card.percent_with_interval(report["exact_pairs"]["image_to_text"]["recall_at_10"])
    assert shown in text and shown in (measured / "README.md").read_text()
    assert "old" not in (measured / "README.md").read_text()


def test_the_card_names_the_data_sets_of_its_own_training(measured):
    text = (measured / "weights" / "README.md").read_text()
    training = text[text.index("## Training") : text.index("## What was tried")]
    assert "- covid-chestxray-dataset" in training and "- `my_own`" in training
    assert "NIH ChestX-ray14" not in training and "Hannover" not in training


def test_a_card_without_numbers_is_refused(tmp_path):
    save_dual_encoder(tiny_dual_encoder(), tmp_path / "weights", {"training": TRAINING})
    with pytest.raises(ValueError, match="train.evaluate"):
        card.write_card(tmp_path / "weights")


def test_groups_tell_a_view_that_is_searched_well_from_one_that_is_not():
    films = [Study(f"{row}", "s", "p", view=("PA", "AP")[row // 20]) for row in range(40)]
    similarity = np.eye(40)
    similarity[20:, 20:] = np.eye(20)[::-1] - np.eye(20)  # another's caption, its own last of all
    nothing = np.full((40, len(ABNORMAL_FINDINGS)), np.nan)
    found = groups(films, similarity, nothing, nothing, 20, 0)
    assert found["groups"]["view PA"]["recall_at_10"]["value"] == 1
    assert found["groups"]["view AP"]["recall_at_10"]["value"] == 0
    assert found["gaps"][0]["recall_at_10"] == {"value": 1, "low": 1, "high": 1}
    assert "mean_auroc" not in found["groups"]["view PA"]


def test_a_split_with_too_few_films_is_refused(measured, tmp_path, capsys):
    weights = str(measured / "weights")
    few = str(make_nih(tmp_path / "few", 24))
    assert evaluate.main(["retrieval", "--weights", weights, "--data", few]) == 2
    error = capsys.readouterr().err
    assert "at least 10 images" in error and "Traceback" not in error


def test_a_perfect_model_scores_one_and_equal_findings_count_together():
    similarity = np.eye(20)
    exact = both_ways(similarity, np.eye(20, dtype=bool), 20, 0)
    assert exact["image_to_text"]["recall_at_1"]["value"] == 1
    swapped = similarity[np.arange(20) ^ 1]
    keys = np.arange(20) // 2
    same = both_ways(swapped, keys[:, None] == keys[None], 20, 0)
    assert same["text_to_image"]["recall_at_1"]["value"] == 1
    assert (
        both_ways(swapped, np.eye(20, dtype=bool), 20, 0)["text_to_image"]["recall_at_1"]["value"]
        == 0
    )


def test_findings_without_positives_are_left_out_and_rare_ones_do_not_count_in_the_mean():
    labels = np.zeros((40, len(ABNORMAL_FINDINGS)))
    labels[:10, 0] = labels[:3, 1] = 1
    labels[:5, 2] = np.nan
    scores = labels.copy()
    found = by_finding(np.nan_to_num(scores), np.nan_to_num(scores), labels, 20, 0)
    assert set(found) == {ABNORMAL_FINDINGS[0], ABNORMAL_FINDINGS[1]}
    assert found[ABNORMAL_FINDINGS[0]]["auroc"]["value"] == 1
    assert found[ABNORMAL_FINDINGS[0]]["precision_at_10"] == 1
    assert mean_auroc(np.nan_to_num(scores), labels, 20, 0)["findings"] == 1

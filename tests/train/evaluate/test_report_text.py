"""Suggested reports measured against texts: known answers."""

from __future__ import annotations

import pytest

from train.evaluate.report_text import meteor_modules, text_scores


def test_equal_texts_score_one_and_disjoint_ones_nothing():
    text = "The heart is enlarged. There is a small pleural effusion."
    same = text_scores([text], [text])
    assert same["bleu_4"] == same["rouge_l"] == 1 and same["meteor"] > 0.99
    other = text_scores(["Quite another sentence"], [text])
    assert other["rouge_l"] == other["meteor"] == 0 and other["bleu_1"] == 0
    half = text_scores(["The heart is enlarged."], [text])
    assert 0 < half["bleu_1"] < 1 and 0 < half["rouge_l"] < 1
    assert meteor_modules()[:2] == ["exact", "stem"]
    with pytest.raises(ValueError, match="as many candidates"):
        text_scores([text], [])

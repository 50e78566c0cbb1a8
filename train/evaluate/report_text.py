"""Suggested reports against reference text: BLEU, ROUGE-L and METEOR by the usual libraries."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

WORD = re.compile(r"[a-z]+(?:-[a-z]+)*|\d+|[.,;:]")
NO_LIBRARY = (
    "expected nltk and rouge-score, which measure text; install them: pip install -e .[train]"
)


def words(text: str) -> list[str]:
    """Lower-case words, numbers and stops."""
    return WORD.findall(text.lower())


def text_scores(candidates: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Measure N candidates against their references, each measure in [0, 1].

    Corpus BLEU-1 to BLEU-4 (Papineni 2002, add-one smoothing above unigrams), mean ROUGE-L F1
    (Lin 2004) and mean METEOR (Banerjee and Lavie 2005), which matches synonyms only where WordNet
    is at hand: `meteor_modules` says what it did.

    Raises:
        ValueError: the libraries are missing, or the lists differ in length.
    """
    if len(candidates) != len(references) or not candidates:
        raise ValueError(
            f"expected as many candidates as references and one at least; "
            f"got {len(candidates)} and {len(references)}."
        )
    try:
        from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu
        from nltk.translate.meteor_score import single_meteor_score
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise ValueError(NO_LIBRARY) from error
    made, wanted = [words(text) for text in candidates], [words(text) for text in references]
    smooth = SmoothingFunction().method2
    scores = {
        f"bleu_{n}": corpus_bleu(
            [[one] for one in wanted], made, weights=(1 / n,) * n, smoothing_function=smooth
        )
        for n in (1, 2, 3, 4)
    }
    rouge = RougeScorer(["rougeL"], use_stemmer=True)
    scores["rouge_l"] = float(
        np.mean(
            [rouge.score(" ".join(b), " ".join(a))["rougeL"].fmeasure for a, b in zip(made, wanted)]
        )
    )
    synonyms = wordnet() or _NoSynonyms()
    scores["meteor"] = float(
        np.mean([single_meteor_score(b, a, wordnet=synonyms) for a, b in zip(made, wanted)])
    )
    return {name: round(float(value), 4) for name, value in scores.items()}


def meteor_modules() -> list[str]:
    """What METEOR matches words by here."""
    return ["exact", "stem", *(["synonym"] if wordnet() is not None else [])]


class _NoSynonyms:
    def synsets(self, word: str) -> list:
        return []


def wordnet():
    """NLTK's WordNet where its data are installed (python -m nltk.downloader wordnet), or None."""
    try:
        from nltk.corpus import wordnet as corpus

        corpus.ensure_loaded()
    except (ImportError, LookupError):
        return None
    return corpus

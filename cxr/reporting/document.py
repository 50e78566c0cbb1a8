"""A suggestion as values for JSON, for the command line and for programs."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from cxr.findings import caption
from cxr.reporting.compose import Sentence
from cxr.reporting.measured import Measurements
from cxr.reporting.suggester import Suggestion
from cxr.retrieval import Match


def as_document(suggestion: Suggestion) -> dict[str, Any]:
    """A suggestion as JSON-able values, for the command line and for programs.

    A number that is not known is null. Holds no path of this machine.
    """
    return {
        "in_domain": suggestion.in_domain,
        "warnings": suggestion.warnings,
        "gate": asdict(suggestion.verdict),
        "report": suggestion.report,
        "overall": None if suggestion.overall is None else asdict(suggestion.overall),
        "findings": [asdict(one) for one in suggestion.findings],
        "not_assessed": list(suggestion.not_assessed),
        "measurements": _measured_document(suggestion.measurements),
        "sentences": [_sentence_document(one) for one in suggestion.sentences],
        "evidence": [_match_document(one) for one in suggestion.evidence],
        "note": "for education, not for diagnosis",
    }


def _measured_document(measured: Measurements | None) -> dict[str, Any]:
    heart = None if measured is None else measured.heart
    return {
        "cardiothoracic_ratio": None
        if heart is None
        else {
            name: None if value is None else round(value, 4)
            for name, value in asdict(heart).items()
        },
        "places": {} if measured is None else dict(measured.places),
        "log_odds": {}
        if measured is None
        else {name: round(value, 3) for name, value in measured.log_odds.items()},
    }


def _sentence_document(sentence: Sentence) -> dict[str, Any]:
    return {
        "text": sentence.text,
        "section": sentence.section,
        "claims": dict(sentence.claims),
        "probability": _number(sentence.probability),
        "npv": _number(sentence.npv),
        "similarity": _number(sentence.similarity),
        "source": sentence.source,
        "origin": sentence.origin,
        "prompt": sentence.prompt,
        "support": [_match_document(match) for match in sentence.support],
        "alternatives": list(sentence.alternatives),
    }


def _match_document(match: Match) -> dict[str, Any]:
    return {
        "id": match.study.id,
        "source": match.study.source,
        "score": round(match.score, 4),
        "similarity": match.similarity,
        "caption": caption(match.study),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)

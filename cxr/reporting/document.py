"""A Suggestion as plain values, for the command line and for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cxr.findings import caption

if TYPE_CHECKING:
    from cxr.reporting.suggester import Suggestion


def as_document(suggestion: Suggestion) -> dict[str, Any]:
    """JSON-able; a number that a sentence lacks is null. Holds no path of this machine."""

    def match(one) -> dict[str, Any]:
        return {
            "id": one.study.id,
            "source": one.study.source,
            "score": round(one.score, 4),
            "similarity": one.similarity,
            "caption": caption(one.study),
        }

    def number(value: float) -> float | None:
        return None if value != value else round(value, 4)  # NaN is not equal to itself

    sentences = [
        {
            "text": one.text,
            "section": one.section,
            "claims": dict(one.claims),
            "probability": number(one.probability),
            "similarity": number(one.similarity),
            "source": one.source,
            "origin": one.origin,
            "prompt": one.prompt,
            "support": [match(study) for study in one.support],
            "alternatives": list(one.alternatives),
        }
        for one in suggestion.sentences
    ]
    return {
        "in_domain": suggestion.in_domain,
        "warnings": suggestion.warnings,
        "gate": asdict(suggestion.verdict),
        "report": suggestion.report,
        "findings": [asdict(one) for one in suggestion.findings],
        "sentences": sentences,
        "evidence": [match(one) for one in suggestion.evidence],
        "note": "for education, not for diagnosis",
    }

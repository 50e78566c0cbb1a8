"""Texts that ask for one finding: "X" against "no X", for zero-shot scores."""

from __future__ import annotations


def affirmative(finding: str) -> tuple[str, ...]:
    """Texts that say the finding is there; their embeddings are averaged."""
    return finding, f"Findings: {finding}."


def negative(finding: str) -> tuple[str, ...]:
    """Texts that say it is not there; their embeddings are averaged."""
    return f"no {finding}", f"no evidence of {finding}"

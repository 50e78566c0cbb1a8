"""What is known of an image of the gallery, beside what the model says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxr.findings import Study
from cxr.reporting import LOOKS_ABNORMAL, LOOKS_NORMAL
from cxr.tabs.read.state import SUGGESTED
from cxr.tabs.shared import study_text

if TYPE_CHECKING:
    from cxr.reporting import Finding, Overall

SOURCES = {
    "mined": "labels that software mined from the report",
    "expert": "what radiologists saw",
    "outlined": "what radiologists outlined",
}


@dataclass(frozen=True)
class KnownLabels:
    """Labels of an image and where the model says something else; plain text.

    Attributes:
        labels: the findings in a line, such as "edema, possible mass".
        source: who says so.
        disagreements: sentences; empty where the model says nothing else.
    """

    labels: str
    source: str
    disagreements: tuple[str, ...]


def known_labels(
    study: Study | None, findings: Sequence[Finding], overall: Overall | None = None
) -> KnownLabels | None:
    """Compare the labels of a study with the model's findings; None where there are no labels."""
    if study is None or not study.labelled:
        return None
    missed = _of_label(study, findings, 1, lambda one: one.assessed and one.word not in SUGGESTED)
    unseen = _of_label(study, findings, 1, lambda one: not one.assessed)
    added = _of_label(study, findings, 0, lambda one: one.word in SUGGESTED)
    said = [
        ("The model suggests {}, which this film is labelled as without.", added),
        ("The model does not suggest {}, which this film is labelled with.", missed),
        ("This film is labelled with {}, which the model does not assess.", unseen),
    ]
    whole = ""
    if overall is not None and overall.word == LOOKS_ABNORMAL and not study.positive:
        whole = "The film looks abnormal as a whole, and is labelled as without finding."
    elif overall is not None and overall.word == LOOKS_NORMAL and study.positive:
        whole = "The film looks normal as a whole, and is labelled with a finding."
    source = "what it was generated for" if study_text.is_synthetic(study) else ""
    return KnownLabels(
        study_text.summary(study),
        source or SOURCES.get(study.label_source, "its labels"),
        (*(text.format(_listed(names)) for text, names in said if names), *filter(None, [whole])),
    )


def _of_label(
    study: Study, findings: Sequence[Finding], label: int, fits: Callable[[Finding], bool]
) -> list[str]:
    """The findings with this label that fit."""
    healthy = study.findings.get("no finding") == 1
    labels = {one.name: study.findings.get(one.name, 0 if healthy else None) for one in findings}
    return [one.name for one in findings if labels[one.name] == label and fits(one)]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]

"""The suggested report in a box to edit; assets/report.js copies and saves it in the browser.

What the reader makes of it stays in the page: no handler is ever given the text.
"""

from __future__ import annotations

import json
from html import escape

import cxr
from cxr.tabs.read.findings import share
from cxr.tabs.read.state import ReadState
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text as words

EDUCATION = "For education only, not for diagnosis."


def report(box: ReadState, services: Services) -> str:
    """The report; "" as long as there is none. The HTML changes only with the report, so that the
    page keeps what the reader has written.
    """
    if box.suggestion is None or box.withheld:
        return ""
    return (
        f'<section class="read-report" aria-label="Suggested report" {_data(box, services)}>'
        '<h3><label for="report-text">Suggested report</label> <span>edit it as you like</span>'
        f'</h3><textarea id="report-text" rows="9" spellcheck="false">'
        f"{escape(box.suggestion.report)}</textarea>"
        '<div class="actions"><button type="button" class="strong" data-save="picture">Download '
        'the page</button><button type="button" class="plain" data-save="text">Download the text'
        '</button><button type="button" class="plain" data-save="copy">Copy</button>'
        '<button type="button" class="quiet" data-save="restore">As suggested</button></div>'
        f'<p class="hint" role="status" data-said="{escape(EDUCATION)}">{escape(EDUCATION)}</p>'
        "</section>"
    )


def model_version(services: Services) -> str:
    """The program and the encoder that a suggestion comes from."""
    encoder = services.suggester.get().retriever.encoder
    return f"CXR Reading Room {cxr.__version__}, model {encoder[:12] or 'without a fingerprint'}"


def _data(box: ReadState, services: Services) -> str:
    rows = [
        {
            "name": one.name,
            "word": one.word,
            "percent": share(one.probability),
            "probability": one.probability,
            "low": one.low,
            "high": one.high,
        }
        for one in box.suggestion.findings
    ]
    values = {
        "key": box.key,
        "report": box.suggestion.report,
        "findings": json.dumps(rows),
        "model": model_version(services),
        "source": box.source,
        "mark": "SYNTHETIC" if box.study and words.is_synthetic(box.study) else "",
        "warning": " ".join(box.suggestion.warnings),
        "note": EDUCATION,
    }
    return " ".join(f'data-{name}="{escape(str(value))}"' for name, value in values.items())

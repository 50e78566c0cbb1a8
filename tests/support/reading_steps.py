"""What tests of the Read tab do again and again."""

from __future__ import annotations

import re
from html import unescape

from reporting_parts import save_reporting

from cxr.checkpoints.fingerprints import fingerprint
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import ReadState
from cxr.tabs.services import Services


def reading_services(services, folder, limit: float = 1e9) -> Services:
    """Services with a tiny calibration and a gate whose limits are all `limit`."""
    reporting = save_reporting(folder, fingerprint(services.weights), limit)
    return Services(
        services.gallery,
        services.weights,
        lambda **_: services.retriever(),
        reporting=str(reporting),
    )


def answered(handlers: ReadHandlers, state: ReadState) -> ReadState:
    """The state after the model has said what it has to say."""
    return handlers.receive(state, handlers.ask(state))


def html_of(handlers: ReadHandlers, state: ReadState) -> str:
    """All that the page shows, message first."""
    return "".join(handlers.show(state)[:5])


def data(html: str, name: str) -> str:
    """What a component hands to its script under a name."""
    return unescape(re.search(f'data-{name}="([^"]*)"', html)[1])

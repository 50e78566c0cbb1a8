"""From nothing to a page that answers: the page first, the models in the background."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from cxr.tabs.app import build_app, launch_options
from cxr.tabs.services import Services
from cxr.tabs.shared.zerogpu import on_zerogpu

LOOPBACK = ("127.0.0.1", "localhost", "0.0.0.0")


def launch(services: Services, tell: Callable[[str], None]) -> None:
    """Serve until interrupted, on 127.0.0.1:7860 or where GRADIO_SERVER_NAME and _PORT say.

    tell(line) is given one line a step.
    """
    reach_ourselves()
    if on_zerogpu():
        services.load(tell)
    app = build_app(services)
    _, address, _ = app.launch(**launch_options(services), quiet=True, prevent_thread_lock=True)
    tell(f"The page is on {address}")
    if not on_zerogpu():
        threading.Thread(target=services.load, args=[tell], name="load", daemon=True).start()
    app.block_thread()


def reach_ourselves() -> None:
    """Have no proxy stand between this process and its own page, which Gradio and MCP ask."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [host.strip() for host in os.environ.get(name, "").split(",")]
        os.environ[name] = ",".join(dict.fromkeys(filter(None, (*known, *LOOPBACK))))

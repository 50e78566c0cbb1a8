"""From nothing to a page that answers: the page first, the models in the background.

Gradio is imported when the page is built, since it reads the environment on its import.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxr.tabs.services import Services

DEFAULT_PORT = 7860
RELEASE_EVERY_S = 20
LOOPBACK = ("127.0.0.1", "localhost", "0.0.0.0")


def server_port() -> int:
    """Return the port to serve on: GRADIO_SERVER_PORT, else 7860.

    Raises:
        ValueError: GRADIO_SERVER_PORT is no port.
    """
    text = os.environ.get("GRADIO_SERVER_PORT", str(DEFAULT_PORT)).strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(
            f"expected GRADIO_SERVER_PORT to be a number from 1 to 65535, got {text[:40]!r}; "
            "correct it"
        )
    return int(text)


def launch(services: Services, port: int, progress: Callable[[str], None]) -> None:
    """Serve the page until interrupted, on 127.0.0.1 or where GRADIO_SERVER_NAME says.

    Args:
        services: the models and the gallery.
        port: as server_port gives it.
        progress: is given one line a step.

    Raises:
        ValueError: the port is taken.
    """
    from cxr.tabs.api import answer_mcp_in_json
    from cxr.tabs.app import build_app, launch_options
    from cxr.tabs.shared.zerogpu import on_zerogpu

    exclude_loopback_from_proxies()
    if on_zerogpu():
        services.load(progress)
    app = build_app(services)
    options = launch_options(services) | {"server_port": port}
    try:
        _, address, _ = app.launch(**options, quiet=True, prevent_thread_lock=True)
    except OSError as error:
        raise ValueError(
            f"expected port {port} to be free, got one that is taken; end what listens there, or "
            "set GRADIO_SERVER_PORT to another"
        ) from error
    answer_mcp_in_json(app)
    progress(f"The page is on {address}")
    if not on_zerogpu():
        threading.Thread(target=_load, args=[services, progress], name="load", daemon=True).start()
    threading.Thread(target=_release, name="release memory", daemon=True).start()
    app.block_thread()


def _load(services: Services, progress: Callable[[str], None]) -> None:
    from cxr.devices import limit_memory  # here: it imports torch, and the page is to be up first

    limit_memory()
    services.load(progress)


def _release() -> None:
    """Keep the process from growing for as long as it serves."""
    while True:
        time.sleep(RELEASE_EVERY_S)
        from cxr.devices import release_memory  # here, as in _load

        release_memory()


def exclude_loopback_from_proxies() -> None:
    """Exclude loopback from proxies: Gradio and MCP call this server."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [host.strip() for host in os.environ.get(name, "").split(",")]
        os.environ[name] = ",".join(dict.fromkeys(filter(None, (*known, *LOOPBACK))))

"""The reading room in a browser: python app.py. CXR_GALLERY and CXR_WEIGHTS say what it reads."""

from __future__ import annotations

import logging
import os
import sys

from cxr.progress import Steps
from cxr.tabs import launch, server_port


def main() -> int:
    """Serve the page on 127.0.0.1:7860, or where GRADIO_SERVER_NAME and _PORT say.

    Returns:
        The exit code: 2 when it cannot be served.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # Gradio reads it on its import
    progress = Steps()
    try:
        port = server_port()
        progress("Starting Gradio")
        from cxr.tabs import Services  # imports Gradio

        launch(Services.from_environment(), port, progress)
    except (OSError, ValueError) as error:
        print(f"cxr: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The reading room in a browser: python app.py. CXR_GALLERY and CXR_WEIGHTS say what it reads."""

from __future__ import annotations

import logging
import os
import sys

from cxr.progress import Steps


def main() -> None:
    """Serve the page on 127.0.0.1:7860, or where GRADIO_SERVER_NAME and _PORT say."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # Gradio reads it on its import
    tell = Steps()
    tell("Starting Gradio")
    from cxr.tabs import Services, launch

    try:
        launch(Services.from_environment(), tell)
    except (OSError, ValueError) as error:  # the port is taken, or no port is one
        sys.exit(f"cxr: {error}")


if __name__ == "__main__":
    main()

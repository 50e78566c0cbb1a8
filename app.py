"""The reading room in a browser: python app.py. CXR_GALLERY and CXR_WEIGHTS say what it reads."""

from __future__ import annotations

import logging
import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from cxr.tabs import build_app, launch_options  # noqa: E402
from cxr.tabs.services import Services  # noqa: E402


def main() -> None:
    """Serve the page on 127.0.0.1:7860, or where GRADIO_SERVER_NAME and _PORT say."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    services = Services.from_environment()
    services.warm()
    build_app(services).launch(**launch_options(services))


if __name__ == "__main__":
    main()

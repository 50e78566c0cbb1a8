"""app.py with the drawn localizer and sampler, run as a process of its own."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS.parent)]

from drawn_models import (  # noqa: E402
    CONDITION,
    DrawnLocalizer,
    DrawnSampler,
    DrawnTrainingImages,
    drawn,
)

from cxr.progress import Steps  # noqa: E402
from cxr.tabs.serve import launch, server_port  # noqa: E402
from cxr.tabs.services import REPORTING, Services  # noqa: E402


def main() -> None:
    """Serve the page where GRADIO_SERVER_NAME and _PORT say."""
    logging.basicConfig(level=logging.WARNING)
    services = Services(
        os.environ["CXR_GALLERY"],
        os.environ["CXR_WEIGHTS"],
        reporting=os.environ.get("CXR_REPORTING", REPORTING),
        localizer=drawn(DrawnLocalizer),
        generator=drawn(lambda: DrawnSampler(DrawnTrainingImages(), CONDITION)),
    )
    launch(services, server_port(), Steps())


if __name__ == "__main__":
    main()

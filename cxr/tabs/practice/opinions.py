"""What the model says of the gallery's images, for learners who have answered.

An image is read as the Read tab reads it, with what the localizer measures on it. That takes about
a second, so it begins when the image is shown; it stays on the server until there is an answer.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor, wait

from cxr.findings import Study
from cxr.tabs.practice.views import Opinion
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import attempt
from cxr.tabs.shared.image_urls import study_image

log = logging.getLogger(__name__)
KEPT = 512  # opinions, those asked for last
PATIENCE_S = 0.5  # that an answer waits for an opinion that is not there yet


class Opinions:
    """The model's opinions by the key of an image, each made once; safe to call from threads."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._made: OrderedDict[str, Future[Opinion | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "opinion")  # one, beside those that serve the page

    def begin(self, key: str, study: Study) -> Future[Opinion | None] | None:
        """Begin to read an image, unless that was begun; None where no model is loaded."""
        if not self._services.suggester.ready:
            return None
        with self._lock:
            if key not in self._made:
                self._made[key] = self._worker.submit(self._read, study)
            self._made.move_to_end(key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)[1].cancel()
            return self._made[key]

    def of(self, key: str, study: Study) -> Opinion | None:
        """The opinion on an image; None where it cannot be had, or not within PATIENCE_S."""
        begun = self.begin(key, study)
        if begun is None:
            return None
        wait([begun], PATIENCE_S)
        return begun.result() if begun.done() and not begun.cancelled() else None

    def _read(self, study: Study) -> Opinion | None:
        findings, problem = attempt(lambda: self._services.read_findings(study_image(study)))
        if findings is None:
            log.warning("no model's opinion: %s", problem)
            return None
        return Opinion.of(findings)

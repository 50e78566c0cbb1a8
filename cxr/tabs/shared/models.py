"""A model that several visitors share: loaded on first use, once, behind a lock."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from cxr.defaults import find_shipped
from cxr.tabs.shared.zerogpu import with_gpu

log = logging.getLogger(__name__)


class Model:
    """One service of cxr and where its weights are.

    weights: a folder or "hf://owner/name". load(weights=) makes the service. remedy: what to do
    when the weights are missing, the end of a sentence.
    """

    def __init__(self, weights: str, load: Callable, remedy: str) -> None:
        self.weights, self.remedy = weights, remedy
        self._load = load
        self._lock = threading.Lock()
        self._service = None

    @property
    def ready(self) -> bool:
        """Whether it is in memory, so that it answers at once."""
        return self._service is not None

    def missing(self) -> str:
        """One line on what to train or fetch first; "" when the weights are there."""
        if self.ready or not absent(self.weights, "config.json"):
            return ""
        return f"No model at {self.weights} yet: {self.remedy}."

    def get(self):
        """The one service of this process. Raises ValueError, with the remedy."""
        with self._lock:
            if self._service is None:
                if problem := self.missing():
                    raise ValueError(problem)
                self._service = with_gpu(loaded(lambda: self._load(weights=self.weights)))
        return self._service


def loaded(load: Callable):
    """What load() makes. Raises ValueError: its own, or one that points to the log."""
    try:
        return load()
    except ValueError:
        raise
    except Exception as error:
        log.exception("the models could not be loaded")
        raise ValueError("The models could not be loaded; the log says why.") from error


def absent(place: str, file: str) -> bool:
    """Whether a local folder lacks a file; what lies on the Hub is never called absent."""
    remote = ":" in place.partition("/")[0] and not Path(place).exists()
    return not remote and not (find_shipped(place) / file).is_file()

"""What a program is doing, on the terminal: one line a step, with the seconds since it began."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Steps:
    """Tell what comes next; safe to call from several threads."""

    began: float = field(default_factory=time.monotonic)

    def __call__(self, text: str) -> None:
        """Print one line, at once."""
        print(f"{time.monotonic() - self.began:5.1f} s  {text}\n", end="", flush=True)

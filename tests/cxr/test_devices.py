"""How a process stays small."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from cxr.devices import release_memory


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone keeps what was freed")
def test_freed_memory_is_given_back():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    kept = [bytearray(100_000) for _ in range(2_000)]
    keep = kept[::50]  # holes between what stays, which no heap shrinks over
    before = resident()
    del kept
    release_memory()
    assert before - resident() > 100e6 / mmap.PAGESIZE and len(keep) == 40

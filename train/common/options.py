"""How a script was called, and the precision that it computes in."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from cxr.devices import best_device, has_bf16


def command_line(start: str, options: argparse.Namespace, parser: argparse.ArgumentParser) -> str:
    """`start` with every option that is not the parser's default; of a folder, its name alone."""
    words = [start]
    for name, value in vars(options).items():
        if value in (parser.get_default(name), False, None):
            continue
        values = value if isinstance(value, list) else [value]
        shown = [
            Path(item).name
            if isinstance(item, Path) or Path(str(item)).is_absolute()
            else str(item)
            for item in values
        ]
        words.append(" ".join([f"--{name.replace('_', '-')}", *([] if value is True else shown)]))
    return " ".join(words)


def precision(full: bool) -> str:
    """For Accelerator(mixed_precision=...): what `accelerate launch` was told, else "bf16" where
    the processor or GPU multiplies it in hardware; "no" when `full` precision is asked for.
    """
    told = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if full or told != "no":
        return "no" if full else told
    return "bf16" if has_bf16(best_device()) else "no"

"""Model cards and the README's table, made again from the JSON files beside the weights.

    python -m train.cards            after a template has changed
    python -m train.cards --check    tells which differ, exit code 1; writes nothing

metrics.json and config.json are the only source of the numbers that a card shows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from train.cards import report, retrieval
from train.cards.generator import generator_card
from train.cards.localizer import localizer_card

CARDS: dict[str, Callable[[Path], str]] = {
    "retrieval": retrieval.card_text,
    "reporting": report.card_text,
    "localizer": localizer_card,
    "generator": generator_card,
}


def derived(weights: Path, readme: Path) -> dict[Path, str]:
    """What each card in weights/ and the project's README should hold, by file.

    Raises:
        ValueError: A folder that no card is known for, or whose JSON files cannot be read.
    """
    texts = {}
    for folder in sorted(path for path in weights.iterdir() if path.is_dir()):
        if folder.name not in CARDS:
            raise ValueError(
                f"expected folders named {', '.join(CARDS)} in {weights}, got "
                f"{folder.name}; give it a card in train/cards"
            )
        texts[folder / "README.md"] = CARDS[folder.name](folder)
    if readme.exists() and (weights / "retrieval").is_dir():
        texts[readme] = retrieval.filled(readme.read_text("utf-8"), weights / "retrieval")
    return texts


def stale(texts: dict[Path, str]) -> list[Path]:
    """The files that hold something else, or are not there."""
    return [
        path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text
    ]


def main(argv: list[str] | None = None) -> int:
    """Write the cards that differ, or with --check name them; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(argv)
    try:
        texts = derived(options.weights, options.readme)
    except (ValueError, OSError) as error:
        print(f"train.cards: {error}", file=sys.stderr)
        return 2
    differ = stale(texts)
    for path in differ:
        print(path)
        if not options.check:
            path.write_text(texts[path], "utf-8")
    return int(options.check and bool(differ))

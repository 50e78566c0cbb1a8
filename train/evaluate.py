"""Every number that the project reports, from a checkpoint and a data set.

    python -m train.evaluate retrieval --weights weights/retrieval --data ROOT --split test

Prints one JSON document; with --write it becomes the checkpoint's metrics.json, and the tables of
its model card and of the project's README are made from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from train.card import fill_readme, write_card
from train.evaluate_retrieval import evaluate_retrieval


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="model", required=True)
    retrieval = commands.add_parser("retrieval", help="image-text retrieval and zero-shot findings")
    retrieval.add_argument("--weights", default="weights/retrieval")
    retrieval.add_argument("--data", type=Path, required=True)
    retrieval.add_argument("--split", default="test", choices=("train", "val", "test"))
    retrieval.add_argument("--rounds", type=int, default=1000, help="bootstrap rounds")
    retrieval.add_argument("--seed", type=int, default=0)
    retrieval.add_argument("--write", action="store_true", help="metrics.json and the model card")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        result = evaluate_retrieval(
            options.weights, options.data, options.split, options.rounds, options.seed)
    except ValueError as error:
        print(f"train.evaluate: {error}", file=sys.stderr)
        return 2
    if options.write:
        folder = Path(options.weights)
        (folder / "metrics.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        write_card(folder)
        fill_readme(Path("README.md"), folder)
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every number that the project reports, from a checkpoint and a data set.

    python -m train.evaluate retrieval --weights weights/retrieval --data ROOT --split test
    python -m train.evaluate report --reporting weights/reporting --data ROOT --split test
    python -m train.evaluate localizer --weights weights/localizer --data ROOT --split test
    python -m train.evaluate generator --weights weights/generator --reference R --data ROOT

Prints one JSON document; with --write it becomes the checkpoint's metrics.json, and the tables of
its model card and of the project's README are made from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from train.cards.generator import write_generator_card
from train.cards.localizer import write_localizer_card
from train.cards.report import write_report_card
from train.cards.retrieval import fill_readme, write_card
from train.evaluate.generator import add_generator, measure_generator
from train.evaluate.localizer import add_localizer, measure_localizer
from train.evaluate.report import evaluate_report
from train.evaluate.retrieval import evaluate_retrieval


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="model", required=True)
    retrieval = commands.add_parser("retrieval", help="image-text retrieval and zero-shot findings")
    report = commands.add_parser("report", help="suggested reports, their probabilities, the gate")
    for command in (retrieval, report):
        command.add_argument("--weights", default="weights/retrieval")
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--split", default="test", choices=("train", "val", "test"))
        command.add_argument("--rounds", type=int, default=1000, help="bootstrap rounds")
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--write", action="store_true", help="metrics.json and the model card")
    report.add_argument("--reporting", type=Path, default=Path("weights/reporting"))
    report.add_argument("--cache", type=Path, default=Path(".cache/reporting"))
    report.add_argument("--others", type=int, default=300, help="pictures that are no film")
    add_generator(commands)
    add_localizer(commands)
    return parser.parse_args(argv)


def measure(options: argparse.Namespace) -> dict:
    """The numbers of the model that was asked for; with --write they go into its folder."""
    if options.model == "report":
        result = evaluate_report(
            options.weights,
            options.reporting,
            options.data,
            options.split,
            options.cache,
            options.rounds,
            options.seed,
            options.others,
        )
        folder, write = options.reporting, write_report_card
    elif options.model == "generator":
        result = measure_generator(options)
        folder, write = Path(options.weights), write_generator_card
    elif options.model == "localizer":
        result = measure_localizer(options)
        folder, write = Path(options.weights), write_localizer_card
    else:
        result = evaluate_retrieval(
            options.weights, options.data, options.split, options.rounds, options.seed
        )
        folder, write = Path(options.weights), write_card
    if options.write:
        (folder / "metrics.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        write(folder)
        if options.model == "retrieval":
            fill_readme(Path("README.md"), folder)
    return result


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    try:
        result = measure(options)
    except ValueError as error:
        print(f"train.evaluate: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=1))
    return 0

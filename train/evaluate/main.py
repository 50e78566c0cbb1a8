"""Every number that the project reports, from a checkpoint and a data set.

    python -m train.evaluate retrieval --weights weights/retrieval --data ROOT --split test
    python -m train.evaluate search --queries tests/queries/held_out.tsv --data ROOT
    python -m train.evaluate report --reporting weights/reporting --data ROOT --split test
    python -m train.evaluate localizer --weights weights/localizer --data ROOT --split test
    python -m train.evaluate generator --weights weights/generator --reference R --data ROOT

Prints one JSON document; with --write it becomes the checkpoint's metrics.json (for search its
search.json), and the tables of its model card and of the project's README are made from it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr.defaults import LOCALIZER
from train.cards.generator import write_generator_card
from train.cards.localizer import write_localizer_card
from train.cards.report import write_report_card
from train.cards.retrieval import SEARCH, fill_readme, write_card
from train.common.options import option, parse_options
from train.evaluate.generator import GeneratorOptions, measure_generator
from train.evaluate.localizer import LocalizerOptions, measure_localizer
from train.evaluate.report import PARTS, evaluate_report
from train.evaluate.retrieval import RetrievalOptions, measure_retrieval
from train.evaluate.search import SearchOptions, measure_search


@dataclass(frozen=True, kw_only=True)
class ReportOptions(RetrievalOptions):
    """The options of train.evaluate report."""

    reporting: Path = option("checkpoint of the report suggester", Path("weights/reporting"))
    cache: Path = option("decoded images and features", Path(".cache/reporting"))
    others: int = option("pictures that are no chest X-ray", 300)
    experts: Path | None = option("data set with expert_labels.csv", None)
    localizer: str = option("checkpoint that measures images; '': none", LOCALIZER)
    frontal: list[Path] = option("other hospitals' data sets, for the gate", [])
    children: list[Path] = option("data sets of children, for the gate", [])
    parts: list[str] = option(f"measured anew, out of {', '.join(PARTS)}; none: all", [])


def measure_report(options: ReportOptions) -> dict:
    """Measure the report suggester as the options ask for it."""
    return evaluate_report(
        options.weights,
        options.reporting,
        options.data,
        options.split,
        options.cache,
        options.rounds,
        options.seed,
        options.others,
        options.experts,
        options.parts,
        options.localizer,
        options.frontal,
        options.children,
    )


def write_retrieval_card(folder: Path) -> None:
    """Write the card of a retrieval checkpoint, and its table in the project's README."""
    write_card(folder)
    fill_readme(Path("README.md"), folder)


@dataclass(frozen=True)
class Command:
    """One kind of evaluation.

    Attributes:
        options: its options class.
        measure: options -> the numbers, JSON-able.
        write_card: folder of a checkpoint -> writes its model card.
        folder: the field of the options that names the checkpoint's folder.
        file: what the numbers are written to, in that folder.
    """

    options: type
    measure: Callable[[Any], dict]
    write_card: Callable[[Path], None]
    folder: str = "weights"
    file: str = "metrics.json"


COMMANDS = {
    "retrieval": Command(RetrievalOptions, measure_retrieval, write_retrieval_card),
    "search": Command(SearchOptions, measure_search, write_card, file=SEARCH),
    "report": Command(ReportOptions, measure_report, write_report_card, folder="reporting"),
    "localizer": Command(LocalizerOptions, measure_localizer, write_localizer_card),
    "generator": Command(GeneratorOptions, measure_generator, write_generator_card),
}


def read_command(words: Sequence[str]) -> tuple[Command, Any]:
    """Read a command line whose first word is one of COMMANDS -> (the command, its options)."""
    command = COMMANDS[words[0]]
    return command, parse_options(command.options, words[1:], __doc__, f"train.evaluate {words[0]}")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure what the first word names, print it as JSON and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        asked = words and words[0] in ("-h", "--help")
        got = "" if asked else f"train.evaluate: expected one of {', '.join(COMMANDS)} first\n"
        print(f"{got}{__doc__}", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    command, options = read_command(words)
    try:
        result = command.measure(options)
        if options.write:
            folder = Path(getattr(options, command.folder))
            (folder / command.file).write_text(json.dumps(result, indent=1) + "\n", "utf-8")
            command.write_card(folder)
    except ValueError as error:
        print(f"train.evaluate: {error}", file=sys.stderr)
        return 2
    print(json.dumps(result, indent=1))
    return 0

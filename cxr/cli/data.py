"""`data fetch` and `reports build`: public data sets, and a corpus of a data set's reports."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cxr.cli.arguments import add_json, print_json, whole_number


def add_data(commands) -> None:
    """Add `data fetch` to a parser's commands."""
    from cxr.data import CREDIT, MIRROR, NIH_ARCHIVES

    data = commands.add_parser("data", help="fetch public data sets")
    parts = data.add_subparsers(required=True, metavar="fetch")
    fetch = parts.add_parser(
        "fetch",
        help="download a public data set and unpack it",
        description="Run again after an interruption, it goes on where it stopped. "
        f"{MIRROR}=URL takes the files from URL/SET/FILE instead.",
    )
    fetch.add_argument("name", choices=tuple(CREDIT), metavar="SET", help=", ".join(CREDIT))
    fetch.add_argument("--out", type=Path, required=True, metavar="DIR")
    fetch.add_argument(
        "--archives",
        type=whole_number(1, NIH_ARCHIVES),
        default=1,
        metavar="N",
        help=f"of NIH's {NIH_ARCHIVES} archives of films (1)",
    )
    add_json(fetch)
    fetch.set_defaults(run=_fetch)


def add_reports(commands) -> None:
    """Add `reports build` to a parser's commands."""
    reports = commands.add_parser("reports", help="index the reports of a data set")
    parts = reports.add_subparsers(required=True, metavar="build")
    build = parts.add_parser("build", help="take the usable sentences of a data set's reports")
    build.add_argument("root", type=Path, metavar="ROOT", help="such as Open-I's folder")
    build.add_argument("--out", type=Path, required=True, metavar="DIR")
    build.add_argument("--overwrite", action="store_true", help="replace the corpus at --out")
    add_json(build)
    build.set_defaults(run=_build)


def _fetch(options: argparse.Namespace) -> int:
    from cxr.data import CREDIT, fetch_set

    def say(line: str) -> None:
        print(f"cxr: {line}", file=sys.stderr)

    folder = fetch_set(options.name, options.out, options.archives, say)
    credit = CREDIT[options.name]
    if options.json:
        print_json({"folder": str(folder), "credit": credit})
    else:
        print(f"{folder}\n{credit}")
    return 0


def _build(options: argparse.Namespace) -> int:
    from cxr.reporting import build_corpus

    info = build_corpus(options.root, options.out, options.overwrite)
    if options.json:
        print_json(info)
    else:
        print(f"{info['sentences']} sentences of {info['reports']} reports in {info['out']}")
    return 0

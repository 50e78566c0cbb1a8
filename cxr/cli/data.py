"""`data fetch`: public data sets that need no agreement, and CheXpert with a key for Kaggle."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def add_data(commands) -> None:
    """Add the command to the command line."""
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
        type=int,
        default=1,
        metavar="N",
        help=f"of NIH's {NIH_ARCHIVES} archives of films (1)",
    )
    fetch.add_argument("--json", action="store_true", help="print one JSON document")
    fetch.set_defaults(run=_fetch)


def _fetch(options: argparse.Namespace) -> int:
    from cxr.data import CREDIT, fetch_set

    def say(line: str) -> None:
        print(f"cxr: {line}", file=sys.stderr)

    folder = fetch_set(options.name, options.out, options.archives, say)
    credit = CREDIT[options.name]
    print(
        json.dumps({"folder": str(folder), "credit": credit}, indent=2)
        if options.json
        else f"{folder}\n{credit}"
    )
    return 0

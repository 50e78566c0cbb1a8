"""The command line: data on stdout, progress and errors on stderr.

Exit codes: 0 done, 1 check found problems, 2 bad input (one line on stderr; a picture that is no
frontal chest X-ray counts, unless forced), 130 interrupted, 141 the reader of a pipe went away.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import NoReturn

from cxr.cli.collection import add_collection
from cxr.cli.data import add_data, add_reports
from cxr.cli.gallery import add_gallery
from cxr.cli.hub import add_hub
from cxr.cli.locate import add_locate
from cxr.cli.report import add_report
from cxr.cli.sample import add_sample
from cxr.cli.search import add_search
from cxr.cli.space import add_space


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after `python -m cxr`; None: those of this process.

    Returns:
        The exit code.
    """
    logging.basicConfig(format="cxr: %(message)s", stream=sys.stderr)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' hints to programmers
    try:
        options = _parser().parse_args(argv)
        code = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("cxr: interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"cxr: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m cxr", description="Chest X-rays for education.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        *(add_search, add_report, add_reports, add_sample, add_locate),
        *(add_gallery, add_collection, add_hub, add_data, add_space),
    ):
        add(commands)
    return parser

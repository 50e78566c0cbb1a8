"""`push` and `pull`: checkpoints to and from the Hugging Face Hub."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from cxr.cli.arguments import add_json, print_json

_PUBLIC = "let everyone see it; without this the repository is private"


def add_hub(commands) -> None:
    """Add push and pull of checkpoints to a parser's commands."""
    push = add_push(commands, "upload a checkpoint to the Hugging Face Hub", _push)
    push.add_argument(
        "--text-weights",
        metavar="W",
        help="hf:// address of the text encoder that "
        "steers it (OWNER's repository of the name in config.json)",
    )
    add_pull(
        commands,
        "copy a checkpoint from the Hugging Face Hub to a folder",
        "hf://OWNER/NAME[@REVISION]",
        _pull,
    )


def add_push(commands, purpose: str, run: Callable) -> argparse.ArgumentParser:
    """Add a push of a folder: what it is for, and what runs it."""
    push = commands.add_parser("push", help=purpose)
    push.add_argument("folder", metavar="DIR", type=Path)
    push.add_argument("repository", metavar="OWNER/NAME", help="made when there is none")
    push.add_argument("--public", action="store_true", help=_PUBLIC)
    add_json(push)
    push.set_defaults(run=run)
    return push


def add_pull(commands, purpose: str, address: str, run: Callable) -> None:
    """Add a pull to a folder: what it is for, the form of an address, and what runs it."""
    pull = commands.add_parser("pull", help=purpose)
    pull.add_argument("address", metavar=address)
    pull.add_argument("folder", metavar="DIR", type=Path)
    pull.add_argument("--overwrite", action="store_true", help="replace what DIR holds")
    add_json(pull)
    pull.set_defaults(run=run)


def print_done(key: str, value: object, as_json: bool) -> int:
    """Print what a push or pull made, and return the exit code 0."""
    if as_json:
        print_json({key: str(value)})
    else:
        print(value)
    return 0


def _push(options: argparse.Namespace) -> int:
    from cxr.checkpoints import push_checkpoint

    private, text_weights = not options.public, options.text_weights
    address = push_checkpoint(options.folder, options.repository, private, text_weights)
    return print_done("address", address, options.json)


def _pull(options: argparse.Namespace) -> int:
    from cxr.checkpoints import pull_checkpoint

    folder = pull_checkpoint(options.address, options.folder, options.overwrite)
    return print_done("folder", folder, options.json)

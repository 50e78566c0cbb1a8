"""`push`, `pull`, `gallery push` and `gallery pull`: checkpoints and galleries on the Hub."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

_PRIVATE = "let everyone see it; without this the repository is private"


def add_hub(commands) -> None:
    """Add push and pull of checkpoints to the command line."""
    push = _add_push(commands, "upload a checkpoint to the Hugging Face Hub", _push)
    push.add_argument(
        "--text-weights",
        metavar="W",
        help="hf:// address of the text encoder that "
        "steers it (OWNER's repository of the name in config.json)",
    )
    _add_pull(
        commands,
        "copy a checkpoint from the Hugging Face Hub to a folder",
        "hf://OWNER/NAME[@REVISION]",
        _pull,
    )


def add_gallery_hub(parts) -> None:
    """Add push and pull to the commands of a gallery."""
    _add_push(
        parts, "upload a gallery to the Hugging Face Hub, with a data set card", _push_gallery
    )
    _add_pull(
        parts,
        "copy a gallery from the Hugging Face Hub to a folder",
        "hf://datasets/OWNER/NAME[@REVISION]",
        _pull_gallery,
    )


def _add_push(commands, purpose: str, run: Callable) -> argparse.ArgumentParser:
    push = commands.add_parser("push", help=purpose)
    push.add_argument("folder", metavar="DIR", type=Path)
    push.add_argument("repository", metavar="OWNER/NAME", help="made when there is none")
    push.add_argument("--public", action="store_true", help=_PRIVATE)
    push.add_argument("--json", action="store_true", help="print one JSON document")
    push.set_defaults(run=run)
    return push


def _add_pull(commands, purpose: str, address: str, run: Callable) -> None:
    pull = commands.add_parser("pull", help=purpose)
    pull.add_argument("address", metavar=address)
    pull.add_argument("folder", metavar="DIR", type=Path)
    pull.add_argument("--overwrite", action="store_true", help="replace what DIR holds")
    pull.add_argument("--json", action="store_true", help="print one JSON document")
    pull.set_defaults(run=run)


def _push(options: argparse.Namespace) -> int:
    from cxr.checkpoints import push_checkpoint

    return _say(
        options,
        "address",
        push_checkpoint(
            options.folder, options.repository, not options.public, options.text_weights
        ),
    )


def _push_gallery(options: argparse.Namespace) -> int:
    from cxr.gallery import push_gallery

    return _say(
        options, "address", push_gallery(options.folder, options.repository, not options.public)
    )


def _pull(options: argparse.Namespace) -> int:
    from cxr.checkpoints import pull_checkpoint

    return _say(
        options, "folder", pull_checkpoint(options.address, options.folder, options.overwrite)
    )


def _pull_gallery(options: argparse.Namespace) -> int:
    from cxr.gallery import pull_gallery

    return _say(options, "folder", pull_gallery(options.address, options.folder, options.overwrite))


def _say(options: argparse.Namespace, what: str, done: object) -> int:
    print(json.dumps({what: str(done)}, indent=2) if options.json else done)
    return 0

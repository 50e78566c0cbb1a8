"""`sample`: a text -> generated images as PNG files, each marked as synthetic."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cxr.cli.arguments import add_json, check_folder, fraction, print_json, query_text, whole_number
from cxr.defaults import GENERATOR

if TYPE_CHECKING:
    from cxr.generation import DrawingRequest

MOST = 64  # images in one call


def add_sample(commands) -> None:
    """Add the command to a parser's commands."""
    sample = commands.add_parser("sample", help="generate films that show what a text says")
    sample.add_argument(
        "text", metavar="TEXT", type=query_text, help="such as: cardiomegaly, 70-year-old female"
    )
    sample.add_argument(
        "--to", metavar="TEXT", type=query_text, help="go from TEXT to this one, noise held still"
    )
    sample.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the PNG files")
    sample.add_argument(
        "-n", type=whole_number(1, MOST), default=8, metavar="N", help="how many films (8)"
    )
    sample.add_argument("--seed", type=whole_number(0, 2**63 - 1), default=0, metavar="S")
    sample.add_argument("--truncation", type=fraction, default=1.0, metavar="T", help="0 to 1 (1)")
    sample.add_argument("--weights", default=GENERATOR, metavar="W")
    sample.add_argument("--text-weights", metavar="W", help="instead of the folder beside W")
    sample.add_argument("--overwrite", action="store_true", help="replace files of the same names")
    add_json(sample)
    sample.set_defaults(run=_sample)


def _sample(options: argparse.Namespace) -> int:
    from cxr.images import corner_mark

    files = _files(options)
    check_folder(options.weights, GENERATOR, "--weights")
    check_folder(options.text_weights, "", "--text-weights")
    from cxr.generation import Sampler  # slow to import: everything above needs no model

    sampler = Sampler.load(options.weights, options.text_weights)
    drawing = sampler.read(options.text)
    target = None if options.to is None else sampler.read(options.to)
    settings = (options.n, options.seed, options.truncation)
    if options.to is None:
        images = sampler.sample(options.text, *settings)
    else:
        images = sampler.interpolate(options.text, options.to, *settings)
    options.out.mkdir(parents=True, exist_ok=True)
    for image, file in zip(images, files):
        corner_mark(image, "SYNTHETIC").save(file)
    if options.json:
        print_json(
            {
                "text": options.text,
                "to": options.to,
                "seed": options.seed,
                "truncation": options.truncation,
                "synthetic": True,
                "files": [str(file) for file in files],
                **_reading(drawing),
                **(_reading(target, "to_") if options.to is not None else {}),
            }
        )
    else:
        for one in filter(None, (drawing, target)):
            rest = f" Not drawn: {', '.join(one.not_drawn)}." if one.not_drawn else ""
            print(f"Drawn: {', '.join(one.drawn)}.{rest}", file=sys.stderr)
        print("\n".join(map(str, files)))
    return 0


def _reading(drawing: DrawingRequest | None, prefix: str = "") -> dict[str, list[str] | None]:
    """What is drawn of a text and what is not; None for a generator that takes any text."""
    return {
        f"{prefix}drawn": list(drawing.drawn) if drawing else None,
        f"{prefix}not_drawn": list(drawing.not_drawn) if drawing else None,
    }


def _files(options: argparse.Namespace) -> list[Path]:
    """The files to write. Raises ValueError where they cannot be, or one of them is there."""
    if options.to is not None and options.n < 2:
        raise ValueError(f"expected -n of 2 or more with --to, got {options.n}; ask for more")
    if options.out.exists() and not options.out.is_dir():
        raise ValueError(f"expected a folder as --out, {options.out} is a file; give another")
    files = [options.out / f"synthetic_{options.seed}_{row:02d}.png" for row in range(options.n)]
    taken = [file for file in files if file.exists()]
    if taken and not options.overwrite:
        raise ValueError(
            f"expected new files in {options.out}, {taken[0].name} is there; give another --out or "
            "--seed, or add --overwrite to replace it"
        )
    return files

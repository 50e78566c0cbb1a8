"""python -m cxr sample: text -> generated films as PNG files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

WEIGHTS = "weights/generator"


def add_sample(commands) -> None:
    """Add the sub-command to a parser's commands."""
    sample = commands.add_parser("sample", help="generate films that show what a text says")
    sample.add_argument("text", metavar="TEXT", help="such as: cardiomegaly, 70-year-old female")
    sample.add_argument("--to", metavar="TEXT", help="go from TEXT to this one, noise held still")
    sample.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the PNG files")
    sample.add_argument("-n", type=int, default=8, metavar="N", help="how many films (8)")
    sample.add_argument("--seed", type=int, default=0, metavar="S")
    sample.add_argument("--truncation", type=float, default=1.0, metavar="T", help="0 to 1 (1)")
    sample.add_argument("--weights", default=WEIGHTS, metavar="W")
    sample.add_argument("--text-weights", metavar="W", help="instead of the folder beside W")
    sample.add_argument("--json", action="store_true", help="print one JSON document")
    sample.set_defaults(run=_sample)


def _sample(options: argparse.Namespace) -> int:
    from cxr.generation import Sampler
    from cxr.images import corner_mark

    if options.out.exists() and not options.out.is_dir():
        raise ValueError(f"expected a folder as --out, {options.out} is a file; give another")
    sampler = Sampler.load(options.weights, options.text_weights)
    settings = (options.n, options.seed, options.truncation)
    if options.to is None:
        films = sampler.sample(options.text, *settings)
    else:
        films = sampler.interpolate(options.text, options.to, *settings)
    options.out.mkdir(parents=True, exist_ok=True)
    files = [options.out / f"synthetic_{options.seed}_{row:02d}.png" for row in range(len(films))]
    for film, file in zip(films, files):
        corner_mark(film, "SYNTHETIC").save(file)
    if options.json:
        print(
            json.dumps(
                {
                    "text": options.text,
                    "to": options.to,
                    "seed": options.seed,
                    "truncation": options.truncation,
                    "synthetic": True,
                    "files": [str(file) for file in files],
                },
                indent=2,
            )
        )
    else:
        print("\n".join(map(str, files)))
    return 0

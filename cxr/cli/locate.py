"""`locate`: an image and a text -> where the image shows it, as numbers and pictures."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from cxr.cli.arguments import add_json, check_folder, print_json, query_text
from cxr.defaults import LOCALIZER

THRESHOLD = 0.5


def add_locate(commands) -> None:
    """Add the command to a parser's commands."""
    locate = commands.add_parser("locate", help="mark where a film shows what a text names")
    locate.add_argument("image", metavar="FILE", type=Path, help="a film: PNG, JPEG, DICOM ...")
    locate.add_argument(
        "text", metavar="TEXT", type=query_text, help="such as: opacity in the left lower zone"
    )
    locate.add_argument("--out", type=Path, metavar="PNG", help="write the film with the outline")
    locate.add_argument("--mask", type=Path, metavar="PNG", help="write the mask, white inside")
    locate.add_argument(
        "--threshold",
        type=float,
        default=THRESHOLD,
        metavar="T",
        help=f"above 0, at most 1 ({THRESHOLD})",
    )
    locate.add_argument("--weights", default=LOCALIZER, metavar="W")
    locate.add_argument("--text-weights", metavar="W", help="instead of the folder beside W")
    add_json(locate)
    locate.set_defaults(run=_locate)


def _locate(options: argparse.Namespace) -> int:
    import numpy as np
    from PIL import Image

    from cxr.images import contour_overlay, load_image

    if not 0 < options.threshold <= 1:
        raise ValueError(f"expected --threshold above 0 and at most 1, got {options.threshold}")
    for file in (options.out, options.mask):
        if file is not None and (file.suffix.lower() != ".png" or not file.parent.is_dir()):
            raise ValueError(f"expected a .png in a folder that exists, got {file}")
    image = load_image(options.image)
    check_folder(options.weights, LOCALIZER, "--weights")
    check_folder(options.text_weights, "", "--text-weights")
    from cxr.localization import Localizer  # slow to import: everything above needs no model

    found = Localizer.load(options.weights, options.text_weights).find(image, options.text)
    measured = found.measure(options.threshold)
    marked = found.heat >= options.threshold
    if options.out:
        contour_overlay(image, marked).save(options.out)
    if options.mask:
        Image.fromarray(marked.astype(np.uint8) * 255).save(options.mask)
    if options.json:
        query = asdict(found.query) if found.query else None
        files = {
            name: str(file)
            for name, file in (("overlay", options.out), ("mask", options.mask))
            if file
        }
        print_json(
            {
                "text": options.text,
                "query": query,
                "threshold": options.threshold,
                "found": measured.found,
                "words": measured.words,
                "percent_of_lungs": measured.lungs,
                "percent_of_right_lung": measured.right,
                "percent_of_left_lung": measured.left,
                **files,
            }
        )
        return 0
    name = found.query.prompt if found.query else options.text
    area = f", {measured.lungs}% of the lungs" if measured.found and measured.lungs else ""
    print(f"{name}: {measured.words}{area}")
    return 0

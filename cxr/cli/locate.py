"""`locate`: an image and a text -> where the image shows it, as numbers and pictures."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from cxr.anatomy import CARDIOMEGALY, HEART, HEART_ALONE
from cxr.cli.arguments import WITHHELD, add_json, check_folder, print_json, query_text
from cxr.defaults import LOCALIZER, REPORTING, RETRIEVAL

if TYPE_CHECKING:
    import numpy as np

THRESHOLD = 0.5
SAID = ("probability", "cardiothoracic_ratio", "lung_measures")
PERCENTS = ("percent_of_lungs", "percent_of_right_lung", "percent_of_left_lung")


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
    locate.add_argument(
        "--force",
        action="store_true",
        help="mark a picture that looks like no frontal chest X-ray all the same",
    )
    locate.add_argument("--encoder", default=RETRIEVAL, metavar="W", help="what tells the latter")
    locate.add_argument("--reporting", default=REPORTING, metavar="R", help="fitted for it")
    add_json(locate)
    locate.set_defaults(run=_locate)


def _locate(options: argparse.Namespace) -> int:
    from cxr.images import load_image

    if not 0 < options.threshold <= 1:
        raise ValueError(f"expected --threshold above 0 and at most 1, got {options.threshold}")
    for file in (options.out, options.mask):
        if file is not None and (file.suffix.lower() != ".png" or not file.parent.is_dir()):
            raise ValueError(f"expected a .png in a folder that exists, got {file}")
    image = load_image(options.image)
    check_folder(options.weights, LOCALIZER, "--weights")
    check_folder(options.text_weights, "", "--text-weights")
    check_folder(options.encoder, RETRIEVAL, "--encoder")
    check_folder(options.reporting, REPORTING, "--reporting")
    from cxr.localization import (
        Localizer,
        mirror_warning,
    )  # slow to import: everything above needs no model

    localizer = Localizer.load(options.weights, options.text_weights)
    found = localizer.find(image, options.text)
    warning = _warning(image, options.encoder, options.reporting)
    mirrored = mirror_warning(localizer, image)
    withheld = bool(warning) and not options.force
    if warning:
        print(f"cxr: {warning}{WITHHELD if withheld else ''}", file=sys.stderr)
    document = {
        "text": options.text,
        "query": asdict(found.query),
        "threshold": options.threshold,
        "in_domain": not warning,
        "warnings": [one for one in (warning, mirrored) if one],
    }
    if mirrored and not withheld:
        print(f"cxr: {mirrored}", file=sys.stderr)
    if withheld:
        if options.json:
            nothing = dict.fromkeys((*PERCENTS, *SAID))
            print_json(document | {"found": False, "words": "withheld"} | nothing)
        return 2
    measured = found.measure(options.threshold)
    document |= {"found": measured.found, "words": measured.words}
    document |= dict(zip(PERCENTS, (measured.lungs, measured.right, measured.left)))
    document |= {
        "probability": found.probability,
        "cardiothoracic_ratio": asdict(found.ratio) if found.ratio else None,
        "lung_measures": [asdict(one) for one in found.lungs],
    }
    document |= _write(image, found.heat >= options.threshold, options.out, options.mask)
    if options.json:
        print_json(document)
        return 0
    area = f", {measured.lungs}% of the lungs" if measured.found and measured.lungs else ""
    size = ""
    if found.ratio and found.query.target in (HEART_ALONE, HEART, CARDIOMEGALY):
        size = f"; cardiothoracic ratio {found.ratio.words}"
    print(f"{found.query.prompt}: {measured.words}{area}{size}")
    return 0


def _write(
    image: Image.Image, marked: np.ndarray, overlay: Path | None, mask: Path | None
) -> dict[str, str]:
    """Write what is asked for and return the files' names. marked: bool [H, W]."""
    from cxr.images import contour_overlay

    if overlay:
        contour_overlay(image, marked).save(overlay)
    if mask:
        Image.fromarray(marked.astype("uint8") * 255).save(mask)
    return {name: str(at) for name, at in (("overlay", overlay), ("mask", mask)) if at}


def _warning(image: Image.Image, encoder: str, reporting: str) -> str:
    """Why an image hardly is a frontal chest X-ray; "" where it may be one."""
    from cxr.reporting import film_features, load_reporting
    from cxr.retrieval import Retriever

    retriever = Retriever.load(encoder, None)
    _, gate = load_reporting(reporting, retriever.encoder, encoder)
    return gate.judge(film_features(retriever, [image])).warning

"""`report`: an image -> suggested findings and a report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cxr.cli.arguments import (
    WITHHELD,
    add_json,
    check_folder,
    check_gallery_folder,
    print_json,
)
from cxr.defaults import GALLERY, LOCALIZER, REPORTING, RETRIEVAL, find_shipped

if TYPE_CHECKING:
    from cxr.localization import Localizer


def add_report(commands) -> None:
    """Add the command to a parser's commands."""
    report = commands.add_parser("report", help="suggest findings and a report for a film")
    report.add_argument("image", type=Path, metavar="FILE", help="PNG, JPEG, DICOM ...")
    report.add_argument("--weights", default=RETRIEVAL, metavar="W")
    report.add_argument(
        "--gallery",
        metavar="DIR",
        help=f"studies to give as evidence ({GALLERY} where these weights made it)",
    )
    report.add_argument("--reporting", default=REPORTING, metavar="R")
    report.add_argument("--localizer", default=LOCALIZER, metavar="L", help="measures the heart")
    report.add_argument("--reports", metavar="DIR", help="a corpus made by: reports build")
    report.add_argument(
        "--force",
        action="store_true",
        help="read a picture that looks like no frontal chest film all the same",
    )
    report.add_argument(
        "--setting",
        choices=("ward", "screening"),
        default="ward",
        help="where the film comes from: findings are rarer in screening",
    )
    add_json(report)
    report.set_defaults(run=_report)


def _report(options: argparse.Namespace) -> int:
    from cxr.images import load_image

    image = load_image(options.image)
    check_folder(options.weights, RETRIEVAL, "--weights")
    check_folder(options.reporting, REPORTING, "--reporting")
    check_folder(options.reports, "", "--reports")
    check_folder(options.localizer, LOCALIZER, "--localizer")
    check_gallery_folder(options.gallery)
    from cxr.reporting import UNDECIDED, ReportSuggester, as_document, measure_image

    gallery = options.gallery or _default_gallery(options.weights)
    suggester = ReportSuggester.load(options.weights, gallery, options.reporting, options.reports)
    localizer = _localizer(options.localizer)
    measured = None if localizer is None else measure_image(localizer, image)
    suggestion = suggester.suggest(image, options.force, measured=measured, setting=options.setting)
    withheld = not (suggestion.in_domain or options.force)
    for warning in suggestion.warnings:
        print(f"cxr: {warning}{WITHHELD if withheld else ''}", file=sys.stderr)
    if options.json:
        print_json(as_document(suggestion))
    if withheld:
        return 2
    if options.json:
        return 0
    if (whole := suggestion.overall) is not None:
        word = whole.word if whole.word != UNDECIDED else "not sure whether it looks abnormal"
        print(f"{whole.probability:6.2f}  {whole.low:.2f}-{whole.high:.2f}  {word} as a whole")
    for finding in suggestion.findings:
        if finding.assessed:
            print(
                f"{finding.probability:6.2f}  {finding.low:.2f}-{finding.high:.2f}  "
                f"{finding.word:<9} {finding.name}"
            )
    if suggestion.not_assessed:
        print(f"not assessed by this model: {', '.join(suggestion.not_assessed)}")
    if suggestion.report:
        print(f"\n{suggestion.report}\n\nFor education, not for diagnosis.")
    return 0


def _default_gallery(weights: str) -> str | None:
    """The gallery of the repository, where the encoder in `weights` made it."""
    from cxr.checkpoints import fingerprint
    from cxr.gallery import is_gallery, read_header

    folder = find_shipped(GALLERY)
    made_by = read_header(folder).get("encoder") if is_gallery(folder) else None
    return GALLERY if made_by is not None and made_by == fingerprint(weights) else None


def _localizer(weights: str) -> Localizer | None:
    """The localizer that measures the heart; None where the shipped one is not there."""
    from cxr.localization import Localizer

    if weights == LOCALIZER and not find_shipped(LOCALIZER).is_dir():
        return None
    return Localizer.load(weights)

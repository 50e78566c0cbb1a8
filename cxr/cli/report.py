"""`report` and `reports build`: what a film suggests, and a corpus of the user's own reports."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from cxr.reporting import as_document

REPORTING = "weights/reporting"


def add_report(commands, weights: str, gallery: str) -> None:
    """Add both commands to the command line. weights, gallery: the defaults."""
    report = commands.add_parser("report", help="suggest findings and a report for a film")
    report.add_argument("image", type=Path, metavar="FILE", help="PNG, JPEG, DICOM ...")
    report.add_argument("--weights", default=weights, metavar="W")
    report.add_argument(
        "--gallery",
        default=None,
        metavar="DIR",
        help=f"studies to give as evidence ({gallery} where these weights made it)",
    )
    report.add_argument("--reporting", default=REPORTING, metavar="R")
    report.add_argument("--reports", metavar="DIR", help="a corpus made by: reports build")
    report.add_argument(
        "--force",
        action="store_true",
        help="read a picture that looks like no frontal chest film all the same",
    )
    report.add_argument("--json", action="store_true", help="print one JSON document")
    report.set_defaults(run=lambda options: _report(options, gallery))
    reports = commands.add_parser("reports", help="index the reports of a data set")
    parts = reports.add_subparsers(required=True, metavar="build")
    build = parts.add_parser("build", help="take the usable sentences of a data set's reports")
    build.add_argument("root", type=Path, metavar="ROOT", help="such as Open-I's folder")
    build.add_argument("--out", type=Path, required=True, metavar="DIR")
    build.add_argument("--overwrite", action="store_true", help="replace the corpus at --out")
    build.add_argument("--json", action="store_true", help="print one JSON document")
    build.set_defaults(run=_build)


def _report(options: argparse.Namespace, gallery: str) -> int:
    from cxr.checkpoints import fingerprint
    from cxr.gallery import Gallery
    from cxr.images import load_image
    from cxr.reporting import ReportSuggester

    image = load_image(options.image)
    if (
        options.gallery is None
        and Path(gallery).is_dir()
        and (Gallery.open(gallery).info()["encoder"] == fingerprint(options.weights))
    ):
        options.gallery = gallery
    suggester = ReportSuggester.load(
        options.weights, options.gallery, options.reporting, options.reports
    )
    suggestion = suggester.suggest(image, options.force)
    for warning in suggestion.warnings:
        print(f"cxr: {warning}", file=sys.stderr)
    if options.json:
        print(json.dumps(as_document(suggestion), indent=2))
        return 0
    for finding in suggestion.findings:
        print(
            f"{finding.probability:6.2f}  {finding.low:.2f}-{finding.high:.2f}  "
            f"{finding.word:<9} {finding.name}"
        )
    if suggestion.report:
        print(f"\n{suggestion.report}\n\nFor education, not for diagnosis.")
    return 0


def _build(options: argparse.Namespace) -> int:
    from cxr.reporting import build_corpus

    info = build_corpus(options.root, options.out, options.overwrite)
    if options.json:
        print(json.dumps(info, indent=2))
    else:
        print(f"{info['sentences']} sentences of {info['reports']} reports in {info['out']}")
    return 0

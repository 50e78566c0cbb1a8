"""`collection export`: a collection -> a PDF, or PNG slides, for a teaching round."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from cxr.cli.arguments import add_json, print_json
from cxr.defaults import GALLERY, find_shipped

LARGEST = 1_000_000  # bytes of a collection's file


def add_collection(commands) -> None:
    """Add the commands to a parser's commands."""
    collection = commands.add_parser("collection", help="films kept on the page, as a file")
    parts = collection.add_subparsers(required=True, metavar="export")
    export = parts.add_parser("export", help="write a collection as a PDF or as slides")
    export.add_argument("file", type=Path, metavar="FILE", help="JSON exported from the page")
    export.add_argument("--gallery", default=GALLERY, metavar="DIR", help="holds the studies")
    export.add_argument("--pdf", type=Path, metavar="OUT", help="write a PDF")
    export.add_argument("--slides", type=Path, metavar="OUT", help="write PNG slides in a ZIP")
    export.add_argument("--no-captions", action="store_true", help="leave the answers out")
    add_json(export)
    export.set_defaults(run=_export)


def _export(options: argparse.Namespace) -> int:
    from cxr.collections import export_collection, find_studies, read_collection
    from cxr.gallery import Gallery

    wanted = {"pdf": options.pdf, "slides": options.slides}
    if not any(wanted.values()):
        raise ValueError("expected --pdf OUT or --slides OUT, got neither; say what to write")
    if options.file.stat().st_size > LARGEST:
        raise ValueError(f"expected a collection of at most {LARGEST:,} bytes, got a larger file")
    collection = read_collection(options.file.read_bytes())
    gallery = Gallery.open(find_shipped(options.gallery))
    _, missing = find_studies(gallery.studies, collection.studies)
    if missing:
        print(
            f"cxr: {len(missing)} of {len(collection.studies)} studies are not in this gallery: "
            f"{', '.join(missing[:5])}{' ...' if len(missing) > 5 else ''}",
            file=sys.stderr,
        )
    written = {}
    for format, place in wanted.items():
        if place is not None:
            data = export_collection(collection, gallery, format, not options.no_captions)
            _write(place, data)
            written[format] = str(place)
    if options.json:
        print_json({**written, "missing": missing})
    else:
        print("\n".join(written.values()))
    return 0


def _write(place: Path, data: bytes) -> None:
    """Write a file, whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, place)
    finally:
        part.unlink(missing_ok=True)

"""`search`: a text or an image -> the studies of a gallery that match it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from cxr.cli.arguments import (
    add_json,
    check_folder,
    check_gallery_folder,
    names,
    print_json,
    query_text,
    whole_number,
)
from cxr.defaults import GALLERY, RETRIEVAL
from cxr.findings import SEXES, VIEWS, Study, caption

if TYPE_CHECKING:
    from cxr.retrieval import Match

FILTERS = ("view", "sex", "age_min", "age_max", "present", "absent")


def add_search(commands) -> None:
    """Add the command to a parser's commands."""
    search = commands.add_parser("search", help="find the films that match a text or a film")
    query = search.add_mutually_exclusive_group(required=True)
    query.add_argument(
        "query", metavar="QUERY", nargs="?", type=query_text, help="such as: left pleural effusion"
    )
    query.add_argument("--image", type=Path, metavar="FILE", help="a film to find similar ones to")
    query.add_argument(
        "--like", metavar="ID", help="a study of the gallery to find similar ones to"
    )
    search.add_argument("--gallery", default=GALLERY, metavar="DIR")
    search.add_argument("--weights", default=RETRIEVAL, metavar="W")
    search.add_argument("-k", type=whole_number(1), default=12, metavar="N", help="how many (12)")
    search.add_argument("--view", type=names, metavar="V", help=f"any of {','.join(VIEWS)}")
    search.add_argument("--sex", choices=SEXES)
    search.add_argument("--age-min", type=int, metavar="YEARS")
    search.add_argument("--age-max", type=int, metavar="YEARS")
    search.add_argument("--present", type=names, metavar="A,B", help="findings it must show")
    search.add_argument("--absent", type=names, metavar="C", help="findings it must not show")
    search.add_argument(
        "--evidence",
        choices=("all", "image"),
        default="all",
        help="labels, reports and images joined (all), or images alone (image)",
    )
    search.add_argument(
        "--match", type=names, metavar="A,B", help="with --like: the same view, sex or age"
    )
    search.add_argument(
        "--region", metavar="R", default="", help="with --like or --image: right lung, heart, ..."
    )
    search.add_argument(
        "--contrast", action="store_true", help="with --like or --image: what contrasts with each"
    )
    search.add_argument(
        "--explain", action="store_true", help="say how the text was read, and why each is there"
    )
    add_json(search)
    search.set_defaults(run=_search)


def _search(options: argparse.Namespace) -> int:
    from cxr.gallery import Where
    from cxr.images import load_image
    from cxr.language import describe

    if options.match and not options.like:
        raise ValueError("expected --like ID beside --match, got none; name a study")
    if options.query and (options.contrast or options.region):
        raise ValueError("expected --like or --image beside --contrast and --region, got a text")
    where = Where.of({key: getattr(options, key) for key in FILTERS})
    query = load_image(options.image) if options.image else options.query
    check_folder(options.weights, RETRIEVAL, "--weights")
    check_gallery_folder(options.gallery)
    from cxr.retrieval import Retriever  # slow to import: everything above needs no model

    retriever = Retriever.load(options.weights, options.gallery)
    assert retriever.gallery is not None, "loaded with one"
    if options.like:
        study = _study(retriever.gallery.studies, options.like)
        matched = options.match or ()
        region = options.region
        matches = retriever.similar(study, options.k, where, options.evidence, matched, region)
    elif options.region:
        matches = retriever.similar(query, options.k, where, region=options.region)
    else:
        matches = retriever.search(query, options.k, where, options.evidence)
    contrasts = [retriever.contrast(one.study) if options.contrast else [] for one in matches]
    understood = None
    if options.query and options.evidence == "all":
        understood = retriever.understand(options.query)
    if options.json:
        rows = [
            {
                "score": round(match.score, 4),
                "similarity": match.similarity,
                "evidence": [asdict(one) for one in match.evidence],
                "caption": caption(match.study),
                **match.study.to_dict(),
                **({"contrast": [_contrast(one) for one in others]} if options.contrast else {}),
            }
            for match, others in zip(matches, contrasts)
        ]
        asked = {"query": options.query, "image": str(options.image) if options.image else None}
        asked |= {"like": options.like} if options.like else {}
        read = understood and asdict(understood)
        print_json({**asked, "k": options.k, "understood": read, "matches": rows})
        return 0
    if options.explain and understood:
        print(f"Understood: {', '.join(chip.label for chip in describe(understood.query))}")
        if understood.query.unknown:
            print(f"Not understood: {', '.join(understood.query.unknown)}")
    for match, others in zip(matches, contrasts):
        study = match.study
        print(f"{match.score:6.3f}  {match.similarity:<16}  {study.id}  {caption(study)}")
        if options.explain:
            print(f"{'':26}{'; '.join(one.text for one in match.evidence)}")
        for other in others:
            print(f"{'':8}contrast{'':10}{other.study.id}  {other.evidence[0].text}")
    if not matches:
        print("cxr: no study passes the filters", file=sys.stderr)
    return 0


def _study(studies: Sequence[Study], name: str) -> Study:
    """The study with an id. Raises ValueError where there is none."""
    for study in studies:
        if study.id == name:
            return study
    raise ValueError(f"expected the id of a study of the gallery as --like, got {name!r}")


def _contrast(match: Match) -> dict:
    return {"id": match.study.id, "text": match.evidence[0].text, "caption": caption(match.study)}

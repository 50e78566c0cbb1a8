"""The command line: data on stdout, progress and errors on stderr.

Exit codes: 0 done, 1 check found problems, 2 bad input (one line on stderr), 130 interrupted,
141 the reader of a pipe went away.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from cxr.cli.data import add_data
from cxr.cli.hub import add_gallery_hub, add_hub
from cxr.cli.locate import add_locate
from cxr.cli.report import add_report
from cxr.cli.sample import add_sample
from cxr.cli.space import add_space
from cxr.findings import SEXES, VIEWS, caption

WEIGHTS, GALLERY = "weights/retrieval", "examples/gallery"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command -> exit code. argv: the words after `python -m cxr`."""
    logging.basicConfig(format="cxr: %(message)s", stream=sys.stderr)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' hints to programmers
    try:
        options = _parser().parse_args(argv)
        code = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("cxr: interrupted", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"cxr: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m cxr", description="Chest X-rays for education.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_search(commands)
    add_report(commands, WEIGHTS, GALLERY)
    add_sample(commands)
    add_locate(commands)
    add_hub(commands)
    add_data(commands)
    add_space(commands)
    gallery = commands.add_parser("gallery", help="build a gallery, or say what is in one")
    parts = gallery.add_subparsers(required=True, metavar="build|info|check|push|pull")
    _add_build(parts)
    add_gallery_hub(parts)
    info = parts.add_parser("info", help="say what a gallery holds")
    info.add_argument("folder", metavar="DIR", type=Path)
    info.add_argument("--json", action="store_true", help="print one JSON document")
    info.set_defaults(run=_info)
    for place in (parts, commands):
        check = place.add_parser("check", help="find out whether a gallery is whole")
        check.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path(GALLERY))
        check.add_argument("--weights", help="check that it was made by this encoder")
        check.add_argument("--json", action="store_true", help="print one JSON document")
        check.set_defaults(run=_check)
    return parser


def _add_search(commands) -> None:
    search = commands.add_parser("search", help="find the films that match a text or a film")
    query = search.add_mutually_exclusive_group(required=True)
    query.add_argument("query", metavar="QUERY", nargs="?", help="such as: left pleural effusion")
    query.add_argument("--image", type=Path, metavar="FILE", help="a film to find similar ones to")
    search.add_argument("--gallery", default=GALLERY, metavar="DIR")
    search.add_argument("--weights", default=WEIGHTS, metavar="W")
    search.add_argument("-k", type=int, default=12, metavar="N", help="how many (12)")
    search.add_argument("--view", type=_names, metavar="V", help=f"any of {','.join(VIEWS)}")
    search.add_argument("--sex", choices=SEXES)
    search.add_argument("--age-min", type=int, metavar="YEARS")
    search.add_argument("--age-max", type=int, metavar="YEARS")
    search.add_argument("--present", type=_names, metavar="A,B", help="findings it must show")
    search.add_argument("--absent", type=_names, metavar="C", help="findings it must not show")
    search.add_argument("--json", action="store_true", help="print one JSON document")
    search.set_defaults(run=_search)


def _add_build(parts) -> None:
    build = parts.add_parser("build", help="embed a data set and write a gallery")
    build.add_argument("root", metavar="ROOT", type=Path, help="folder of a data set or gallery")
    build.add_argument("--out", type=Path, required=True, metavar="DIR")
    build.add_argument("--weights", default=WEIGHTS, metavar="W")
    build.add_argument("--layout", help="chexpert, nih, openi, folder, gallery (recognised)")
    build.add_argument("--split", choices=("train", "val", "test", "all"), default="all")
    build.add_argument("--source", help="where the films come from, in words (ROOT's name)")
    build.add_argument("--licence", help="of the collection, in words (that of its films)")
    build.add_argument("--batch-size", type=int, default=32, metavar="N")
    build.add_argument("--overwrite", action="store_true", help="replace the gallery at --out")
    build.add_argument("--json", action="store_true", help="print one JSON document")
    build.set_defaults(run=_build)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _search(options: argparse.Namespace) -> int:
    from cxr.images import load_image
    from cxr.retrieval import Retriever

    keys = ("view", "sex", "age_min", "age_max", "present", "absent")
    where = {key: getattr(options, key) for key in keys}
    query = load_image(options.image) if options.image else options.query
    retriever = Retriever.load(options.weights, options.gallery)
    matches = retriever.search(query, options.k, where)
    if options.json:
        rows = [
            {
                "score": round(match.score, 4),
                "similarity": match.similarity,
                "caption": caption(match.study),
                **match.study.to_dict(),
            }
            for match in matches
        ]
        asked = {"query": options.query, "image": str(options.image) if options.image else None}
        _print_json({**asked, "k": options.k, "matches": rows})
        return 0
    for match in matches:
        study = match.study
        print(f"{match.score:6.3f}  {match.similarity:<16}  {study.id}  {caption(study)}")
    if not matches:
        print("cxr: no study passes the filters", file=sys.stderr)
    return 0


def _build(options: argparse.Namespace) -> int:
    from cxr.data import load_split, read_layout
    from cxr.gallery import build_gallery
    from cxr.retrieval import Retriever

    loaded = read_layout(options.root, options.layout)
    studies = loaded.studies
    if options.split != "all":
        studies = load_split(options.root, studies)[options.split]
    former = _former_header(options.root)
    licences = "; ".join(sorted({study.licence for study in studies if study.licence})[:20])
    retriever = Retriever.load(options.weights, gallery=None)
    gallery = build_gallery(
        studies,
        retriever.encode_prepared,
        options.out,
        retriever.encoder,
        source=options.source or former.get("source") or options.root.resolve().name,
        licence=options.licence or former.get("licence") or licences,
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        prepare=retriever.prepare,
    )
    info = {**gallery.info(), "missing": loaded.missing}
    _print_json(info) if options.json else _print_info(info)
    return 0


def _former_header(root: Path) -> dict:
    from cxr.gallery import is_gallery, read_header

    return read_header(root) if is_gallery(root) else {}


def _info(options: argparse.Namespace) -> int:
    from cxr.gallery import Gallery

    info = Gallery.open(options.folder).info()
    _print_json(info) if options.json else _print_info(info)
    return 0


def _check(options: argparse.Namespace) -> int:
    from cxr.gallery import check_gallery, is_gallery

    if not is_gallery(options.folder):
        raise ValueError(f"expected a gallery at {options.folder}, found none; give its folder")
    encoder = None
    if options.weights:
        from cxr.checkpoints import fingerprint

        encoder = fingerprint(options.weights)
    problems = check_gallery(options.folder, encoder)
    if options.json:
        _print_json({"folder": str(options.folder), "problems": problems})
    else:
        print("\n".join(problems) or f"{options.folder} is whole")
    return 1 if problems else 0


def _print_json(document: dict) -> None:
    print(json.dumps(document, indent=2))


def _print_info(info: dict) -> None:
    for key, value in info.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {count}" for name, count in value.items())
        print(f"{key.replace('_', ' ')}: {value}")

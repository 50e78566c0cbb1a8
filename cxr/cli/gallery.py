"""`gallery build|info|check|map|findings|push|pull`: galleries on disk and on the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path

from cxr.cli.arguments import add_json, check_folder, print_json, whole_number
from cxr.cli.hub import add_pull, add_push, print_done
from cxr.defaults import GALLERY, RETRIEVAL


def add_gallery(commands) -> None:
    """Add the commands to a parser's commands."""
    gallery = commands.add_parser("gallery", help="build a gallery, or say what is in one")
    parts = gallery.add_subparsers(required=True, metavar="build|info|check|map|findings|push|pull")
    _add_build(parts)
    info = parts.add_parser("info", help="say what a gallery holds")
    info.add_argument("folder", metavar="DIR", type=Path)
    add_json(info)
    info.set_defaults(run=_info)
    check = parts.add_parser("check", help="find out whether a gallery is whole")
    check.add_argument("folder", metavar="DIR", type=Path, nargs="?", default=Path(GALLERY))
    check.add_argument("--weights", help="check that it was made by this encoder")
    add_json(check)
    check.set_defaults(run=_check)
    drawn = parts.add_parser("map", help="make the map of a gallery again")
    drawn.add_argument("folder", metavar="DIR", type=Path)
    drawn.add_argument("--method", help="umap or pca (umap where it is installed)")
    add_json(drawn)
    drawn.set_defaults(run=_map)
    read = parts.add_parser("findings", help="read the images of a gallery for findings again")
    read.add_argument("folder", metavar="DIR", type=Path)
    read.add_argument("--weights", default=RETRIEVAL, metavar="W")
    add_json(read)
    read.set_defaults(run=_findings)
    add_push(parts, "upload a gallery to the Hugging Face Hub, with a data set card", _push)
    add_pull(
        parts,
        "copy a gallery from the Hugging Face Hub to a folder",
        "hf://datasets/OWNER/NAME[@REVISION]",
        _pull,
    )


def _add_build(parts) -> None:
    build = parts.add_parser("build", help="embed a data set and write a gallery")
    build.add_argument("root", metavar="ROOT", type=Path, help="folder of a data set or gallery")
    build.add_argument("--out", type=Path, required=True, metavar="DIR")
    build.add_argument("--weights", default=RETRIEVAL, metavar="W")
    build.add_argument("--layout", help="chexpert, nih, openi, folder, gallery (recognised)")
    build.add_argument("--split", choices=("train", "val", "test", "all"), default="all")
    build.add_argument("--source", help="where the films come from, in words (ROOT's name)")
    build.add_argument("--licence", help="of the collection, in words (that of its films)")
    build.add_argument("--batch-size", type=whole_number(1), default=32, metavar="N")
    build.add_argument("--overwrite", action="store_true", help="replace the gallery at --out")
    add_json(build)
    build.set_defaults(run=_build)


def _build(options: argparse.Namespace) -> int:
    from cxr.data import load_annotations, load_split, read_layout, read_studies
    from cxr.gallery import build_gallery, check_target, read_annotations

    check_folder(options.weights, RETRIEVAL, "--weights")
    check_target(options.out, overwrite=True)  # another gallery is refused where it is known
    loaded = read_layout(options.root, options.layout)
    studies = loaded.studies
    if options.split != "all":
        studies = load_split(options.root, studies)[options.split]
    former = _former_header(options.root)
    if loaded.layout == "gallery":
        ids = [study.id for study in read_studies(options.root)]
        carried = read_annotations(options.root, len(ids))
        annotations = {ids[row]: one for row, one in carried.items()}
    else:
        annotations = load_annotations(options.root, studies)
    licences = "; ".join(sorted({study.licence for study in studies if study.licence})[:20])
    from cxr.retrieval import Retriever  # slow to import: everything above needs no model

    retriever = Retriever.load(options.weights, gallery=None)
    gallery = build_gallery(
        studies,
        retriever.encode_for_gallery,
        options.out,
        retriever.encoder,
        source=options.source or former.get("source") or options.root.resolve().name,
        licence=options.licence or former.get("licence") or licences,
        batch_size=options.batch_size,
        overwrite=options.overwrite,
        prepare=retriever.prepare,
        annotations=annotations,
        logits=retriever.no_logits(),
    )
    _print_info({**gallery.info(), "missing": loaded.missing}, options.json)
    return 0


def _former_header(root: Path) -> dict:
    from cxr.gallery import is_gallery, read_header

    return read_header(root) if is_gallery(root) else {}


def _info(options: argparse.Namespace) -> int:
    from cxr.gallery import Gallery

    _print_info(Gallery.open(options.folder).info(), options.json)
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
        print_json({"folder": str(options.folder), "problems": problems})
    else:
        print("\n".join(problems) or f"{options.folder} is whole")
    return 1 if problems else 0


def _map(options: argparse.Namespace) -> int:
    from cxr.gallery import Gallery, map_positions, write_map

    gallery = Gallery.open(options.folder)
    write_map(gallery.folder, map_positions(gallery.embeddings, options.method))
    return print_done("folder", gallery.folder, options.json)


def _findings(options: argparse.Namespace) -> int:
    from cxr.retrieval import Retriever, read_gallery

    check_folder(options.weights, RETRIEVAL, "--weights")
    retriever = Retriever.load(options.weights, options.folder)
    read_gallery(retriever)
    return print_done("folder", options.folder, options.json)


def _push(options: argparse.Namespace) -> int:
    from cxr.gallery import push_gallery

    address = push_gallery(options.folder, options.repository, not options.public)
    return print_done("address", address, options.json)


def _pull(options: argparse.Namespace) -> int:
    from cxr.gallery import pull_gallery

    folder = pull_gallery(options.address, options.folder, options.overwrite)
    return print_done("folder", folder, options.json)


def _print_info(info: dict, as_json: bool) -> None:
    if as_json:
        print_json(info)
        return
    for key, value in info.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {count}" for name, count in value.items())
        print(f"{key.replace('_', ' ')}: {value}")

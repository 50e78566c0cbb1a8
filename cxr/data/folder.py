"""A plain folder: images in any sub-folder and, perhaps, a CSV that says what they show.

Headers are taken as people write them (COLUMNS). Findings stand in one column each (1 present, 0
absent, -1 uncertain, blank not read), or by name in one column: "Effusion|Mass", or between commas
if every part is a name of the vocabulary. Sentences in that column are the report; labels are never
read out of them. Each image without a row becomes an unlabelled study. Without a patient column
every image is a patient of its own. names.csv identifies images of NIH's (cxr.data.nih). The source
is the folder's name after the word FOLDER: no name makes real images pass for synthetic ones.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from cxr.data.csv_table import noted, open_table, parse_age, read_header, read_labels
from cxr.data.image_index import ImageIndex, stem
from cxr.data.loaded import Loaded, Notes
from cxr.data.nih import NAMES, read_names
from cxr.data.study_table import FOLDER
from cxr.findings import Study, canonical_finding, canonical_sex, canonical_view

# The meaning of a column -> its headers in lower case, "_" and "-" as spaces; the first one wins.
COLUMNS: dict[str, tuple[str, ...]] = {
    "image": (
        "image",
        "image path",
        "path",
        "file path",
        "filepath",
        "image index",
        "filename",
        "file name",
        "file",
        "image name",
        "image id",
        "img",
        "images",
    ),
    "patient": ("patient", "patient id", "patientid", "subject", "subject id"),
    "age": ("age", "patient age", "age years"),
    "sex": ("sex", "gender", "patient sex", "patient gender"),
    "view": ("view", "view position", "projection", "ap/pa", "position"),
    "findings": ("finding", "findings", "label", "labels", "finding labels", "finding label"),
    "report": ("report", "report text", "notes", "clinical notes"),
    "impression": ("impression",),
    "licence": ("licence", "license", "image licence", "image license"),
}
TABLES = ("studies.csv", "images.csv", "metadata.csv", "labels.csv", "index.csv")  # read first
TEXT, UNKNOWN = "findings that are text, taken as the report", "unknown labels"  # kinds of notes
NOT_TABLES = ("split.csv",)
ANNOTATIONS = {"mask", "target", "x", "y", "w", "h", "bbox", "bbox [x"}  # one row a box or a mask


def read_folder(root: Path) -> Loaded:
    """All images below root, with what the CSV in root says about them.

    Raises ValueError when there is neither an image nor a CSV, or a CSV names no images.
    """
    notes = Notes()
    index = ImageIndex(root)
    table = _find_table(root, notes)
    if table is None and not index.paths:
        raise ValueError(
            f"{root}: expected X-rays (PNG, JPEG, TIFF, DICOM ...) or a CSV that names them; "
            "got a folder without either; give the folder that holds them"
        )
    named = read_names(root, notes)
    rows = _read_rows(table, root, index, notes) if table else {}
    bare = [path for path in index.paths if path not in rows]
    if table and bare:
        notes.say(f"{len(bare)} images have no row in {table.name}, the first: {bare[0]}")
    studies = [*rows.values(), *(_bare_study(path, root, index) for path in bare)]
    if named:
        studies = [_identified(study, named) for study in studies]
    return notes.loaded(studies, "folder")


def _find_table(root: Path, notes: Notes) -> Path | None:
    """The CSV that names images; those that hold boxes or masks, and split.csv, are passed by."""
    found: list[Path] = []
    annotations: list[Path] = []
    others: list[Path] = []
    for path in sorted((*root.glob("*.csv"), *root.glob("*.tsv"))):
        if path.name.startswith(".") or path.name.lower() in NOT_TABLES:
            continue
        columns = read_header(path)
        if path.name == NAMES and "Finding Labels" in columns:  # see read_names
            continue
        headers = {_plain(name) for name in columns}
        if headers & ANNOTATIONS:
            annotations.append(path)
        else:
            (found if headers.intersection(COLUMNS["image"]) else others).append(path)
    if others and not found:
        raise ValueError(
            f"{others[0]}: expected a column that names the images, one of "
            f"{', '.join(COLUMNS['image'])}; got {', '.join(read_header(others[0]))}; "
            "rename the column, or take the CSV out of the folder"
        )
    found.sort(key=lambda path: (path.name not in TABLES, path.name))
    if unread := [path.name for path in (*found[1:], *annotations, *others)]:
        notes.say(f"not read as a table of studies: {', '.join(sorted(unread))}")
    return found[0] if found else None


def _read_rows(table: Path, root: Path, index: ImageIndex, notes: Notes) -> dict[str, Study]:
    """The studies of the table by the path of their image; a repeated row adds its findings."""
    columns, rows = open_table(table)
    place = _places(columns)
    labels = [(name, i) for i, c in enumerate(columns) if (name := canonical_finding(c))]
    named = [name for name, _ in labels]
    studies: dict[str, Study] = {}
    for number, row in enumerate(rows, start=2):  # as a spreadsheet counts: the header is row 1
        cells = {meaning: row[i].strip() for meaning, i in place.items()}
        path = index.find(cells["image"], notes) if cells["image"] else None
        if path is None:
            notes.lack(cells["image"] or "a row that names no image")
            continue
        values = [row[column] for _, column in labels]
        listed, unknown = _listed(cell := cells.get("findings", ""))
        prose = cell if unknown == [cell] and _is_prose(cell) else ""
        for label in unknown:
            notes.count(TEXT if label == prose else UNKNOWN, label, row=number)
        findings = listed | read_labels(values, named, notes, number)
        if path in studies:
            notes.count("images with several rows", path)
            studies[path].findings.update(findings)
        else:
            studies[path] = _study(path, root, index, cells, findings, prose, notes)
    return studies


def _places(columns: list[str]) -> dict[str, int]:
    headers = [_plain(name) for name in columns]
    return {
        meaning: headers.index(next(name for name in names if name in headers))
        for meaning, names in COLUMNS.items()
        if any(name in headers for name in names)
    }


def _bare_study(path: str, root: Path, index: ImageIndex) -> Study:
    """An image that nothing is known about but its name."""
    identity = stem(path) if index.unique(path) else path
    return Study(id=identity, source=FOLDER + root.name, patient=identity, image=root / path)


def _identified(study: Study, named: dict[str, Study]) -> Study:
    """A study with what names.csv says of it: patient, labels, and what the folder leaves open."""
    known = named.get(stem(study.image.name)) if study.image else None
    if known is None:
        return study
    return replace(
        study,
        patient=known.patient,
        view=study.view or known.view,
        sex=study.sex or known.sex,
        age=known.age if study.age is None else study.age,
        findings=study.findings or known.findings,
        label_source=study.label_source or known.label_source,
        licence=study.licence or known.licence,
    )


def _study(
    path: str,
    root: Path,
    index: ImageIndex,
    cells: dict[str, str],
    findings: dict[str, int],
    prose: str,
    notes: Notes,
) -> Study:
    bare = _bare_study(path, root, index)
    return Study(
        id=bare.id,
        source=bare.source,
        patient=cells.get("patient") or bare.id,
        image=bare.image,
        view=noted(canonical_view, cells.get("view", ""), "views not understood", notes),
        sex=noted(canonical_sex, cells.get("sex", ""), "sex not understood", notes),
        age=parse_age(cells.get("age", ""), notes),
        findings=findings,
        report=_report(cells, prose),
        licence=cells.get("licence", ""),
    )


def _listed(cell: str) -> tuple[dict[str, int], list[str]]:
    """The findings that a cell lists, each present, and the parts of it that are none.

    "Effusion|Mass", "effusion, mass" and "Pneumonia/Viral/COVID-19" are lists. Between commas one
    unknown part makes the whole cell none: "no mass, effusion" denies what it seems to list.
    """
    bars = "|" in cell
    labels = [part.strip() for part in re.split(r"\|" if bars else r"[;,]", cell) if part.strip()]
    found = {label: _named(label) for label in labels}
    unknown = [label for label, name in found.items() if name is None]
    if unknown and not bars:
        return {}, [cell]
    return dict.fromkeys(filter(None, found.values()), 1), unknown


def _named(label: str) -> str | None:
    """The finding that a label names, or the first level of "Pneumonia/Viral" that is one."""
    names = (canonical_finding(level) for level in (label, *label.split("/")))
    return next(filter(None, names), None)


def _is_prose(cell: str) -> bool:
    return "|" not in cell and (cell.endswith(".") or len(cell.split()) > 3)


def _report(cells: dict[str, str], prose: str) -> str | None:
    """The text of a row: sentences among its findings, its impression, its report or notes."""
    parts = {
        "Findings": prose,
        "Impression": cells.get("impression", ""),
        "": cells.get("report", ""),
    }
    texts = {name: text for name, text in parts.items() if text}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "\n".join(f"{name}: {text}" if name else text for name, text in texts.items()) or None


def _plain(header: str) -> str:
    return " ".join(header.lower().replace("_", " ").replace("-", " ").split())

"""Open-I (Indiana University chest X-rays, Demner-Fushman et al. 2016): reports with their images.

Two forms circulate: indiana_reports.csv with indiana_projections.csv, and NLM's own XML, one file a
report in ecgen-radiology/. The indexers' MeSH terms give the findings: those coded are present, the
others that Open-I codes are absent, and "No Indexing" leaves the image unlabelled.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cxr.data.csv_table import find_columns, noted, open_table
from cxr.data.image_index import ImageIndex, stem
from cxr.data.loaded import Loaded, Notes
from cxr.findings import (
    OPENI_FINDINGS,
    OPENI_NAMES,
    OPENI_QUALIFIED,
    Study,
    canonical_finding,
    canonical_view,
)

REPORTS, PROJECTIONS, XML = "indiana_reports.csv", "indiana_projections.csv", "ecgen-radiology"
LICENCE = "CC BY-NC-ND 4.0"


@dataclass(frozen=True)
class Report:
    """One report and the names and views of its images."""

    uid: str
    terms: tuple[str, ...]  # "Opacity/lung/base/left"
    text: str
    images: tuple[tuple[str, str], ...]  # (file name, projection), the latter "" when not known


def holds_openi(root: Path) -> bool:
    """Whether one of the two forms lies in root."""
    files = _xml_files(root)
    return (root / REPORTS).is_file() or (bool(files) and b"<eCitation" in files[0].read_bytes())


def read_openi(root: Path) -> Loaded:
    """One Study an image that is there; every image of a report carries its text and findings.

    Raises ValueError when neither form is there, or a column is missing.
    """
    notes = Notes()
    index = ImageIndex(root)
    studies: list[Study] = []
    for report in _reports(root, notes):
        study = _study(report, notes)
        for name, view in report.images or ((f"report {report.uid} names no image", ""),):
            image = index.find(name, notes)
            if image is None:
                notes.lack(name)
                continue
            studies.append(
                replace(
                    study,
                    id=stem(name),
                    image=root / image,
                    view=noted(canonical_view, view, "views not understood", notes),
                    findings=dict(study.findings),
                )
            )
    return notes.loaded(studies, "openi")


def load_reports(root: str | Path) -> list[Study]:
    """One Study a report with image=None: Open-I's text and findings where no image is needed.

    Raises ValueError as read_openi does; indiana_projections.csv may be absent.
    """
    notes = Notes()
    return [_study(report, notes) for report in _reports(Path(root), notes, images=False)]


def _study(report: Report, notes: Notes) -> Study:
    return Study(
        id=report.uid,
        source="Open-I",
        patient=report.uid,  # the collection has one report a patient
        findings=openi_findings(report.terms, notes),
        report=report.text or None,
        licence=LICENCE,
        label_source="mined" if any(term.lower() != "no indexing" for term in report.terms) else "",
    )


def openi_findings(terms: tuple[str, ...], notes: Notes) -> dict[str, int]:
    """Indexers' terms -> findings; 1 wins over -1 where two terms name the same finding."""
    coded: dict[str, int] = {}
    indexed = [term for term in terms if term.lower() != "no indexing"]
    for term in indexed:
        heading, *qualifiers = (part.strip().lower() for part in term.split("/"))
        pairs = (OPENI_QUALIFIED.get((heading, qualifier)) for qualifier in qualifiers)
        name = OPENI_NAMES.get(heading) or canonical_finding(heading)
        meant = [pair for pair in pairs if pair] or ([(name, 1)] if name else [])
        if not meant:
            notes.count("terms that are no finding here", heading)
        for finding, value in meant:
            coded[finding] = max(value, coded.get(finding, value))
    return dict.fromkeys(OPENI_FINDINGS, 0) | coded if indexed else {}


def _reports(root: Path, notes: Notes, images: bool = True) -> Iterator[Report]:
    if (root / REPORTS).is_file():
        return _csv_reports(root, _projections(root, notes) if images else {}, notes)
    files = _xml_files(root)
    if not files:
        raise ValueError(
            f"{root}: expected Open-I's {REPORTS} and {PROJECTIONS}, or {XML}/*.xml; "
            "got a folder without them; give the folder that holds them"
        )
    return _xml_reports(files, notes)


def _projections(root: Path, notes: Notes) -> dict[str, list[tuple[str, str]]]:
    path = root / PROJECTIONS
    columns, rows = open_table(path)
    uid, name, view = find_columns(path, columns, ("uid", "filename", "projection"))
    images: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        images.setdefault(row[uid].strip(), []).append((row[name].strip(), row[view].strip()))
    return images


def _csv_reports(root: Path, images: dict, notes: Notes) -> Iterator[Report]:
    path = root / REPORTS
    columns, rows = open_table(path)
    wanted = ("uid", "MeSH", "Problems", "findings", "impression")
    places = find_columns(path, columns, wanted)
    for row in rows:
        uid, mesh, problems, findings, impression = (row[place].strip() for place in places)
        named = tuple(images.pop(uid, ()))
        yield Report(uid, _terms(mesh or problems), _text(findings, impression), named)
    for uid, orphans in images.items():
        notes.count(f"images whose report is not in {REPORTS}", uid, len(orphans))


def _xml_files(root: Path) -> list[Path]:
    for pattern in (f"{XML}/*.xml", f"*/{XML}/*.xml", "*.xml"):
        if files := sorted(root.glob(pattern)):
            return files
    return []


def _xml_reports(files: list[Path], notes: Notes) -> Iterator[Report]:
    for path in files:
        try:
            tree = ElementTree.parse(path).getroot()
        except ElementTree.ParseError as error:
            notes.count("reports that cannot be read", f"{path.name}: {error}")
            continue
        sections = {
            (node.get("Label") or "").upper(): " ".join("".join(node.itertext()).split())
            for node in tree.iter("AbstractText")
        }
        majors = (node.text or "" for node in tree.iter("major"))
        images = tuple((node.get("id") or "", "") for node in tree.iter("parentImage"))
        # A caption names the whole series ("PA and lateral"): which image is which is not known.
        yield Report(
            uid=path.stem,
            terms=_terms(";".join(majors)),
            text=_text(sections.get("FINDINGS", ""), sections.get("IMPRESSION", "")),
            images=images,
        )


def _terms(listed: str) -> tuple[str, ...]:
    return tuple(filter(None, (term.strip() for term in listed.split(";"))))


def _text(findings: str, impression: str) -> str:
    parts = (("Findings", findings), ("Impression", impression))
    return "\n".join(f"{name}: {text}" for name, text in parts if text)

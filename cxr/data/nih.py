"""NIH ChestX-ray14 as published: Data_Entry_2017.csv and images/ or images_001/images/ ...

Labels were mined from the reports (Wang et al. 2017): the listed ones are present and NIH's others
absent; "No Finding" means none of the fourteen. Resized copies often change the suffix, so images
are joined by their stem; later tables say "Patient Sex", or write an age as "058Y".
"""

from __future__ import annotations

from pathlib import Path

from cxr.data.csv_table import find_columns, noted, open_table, parse_age, read_header
from cxr.data.image_index import ImageIndex, stem
from cxr.data.loaded import Loaded, Notes
from cxr.findings import NIH_FINDINGS, Study, canonical_finding, canonical_sex, canonical_view

PATTERN, NAMES = "Data_Entry*.csv", "names.csv"
COLUMNS = (
    "Image Index",
    "Finding Labels",
    "Patient ID",
    "Patient Age",
    "Patient Gender|Patient Sex",
    "View Position",
)
LICENCE = "NIH Clinical Center: no restriction on use, credit the NIH Clinical Center"


def read_nih(root: Path) -> Loaded:
    """All rows of the newest Data_Entry*.csv whose image is there. ValueError on other columns."""
    tables = sorted(root.glob(PATTERN))
    if not tables:
        raise ValueError(
            f"{root}: expected NIH ChestX-ray14's {PATTERN}; got a folder without it; "
            "give the folder that holds it and images/"
        )
    notes = Notes()
    if len(tables) > 1:
        notes.say(f"read {tables[-1].name}, not {', '.join(t.name for t in tables[:-1])}")
    columns, rows = open_table(tables[-1])
    places = find_columns(tables[-1], columns, COLUMNS)
    index = ImageIndex(root)
    studies: list[Study] = []
    for row in rows:
        name, *cells = (row[place].strip() for place in places)
        image = index.find(name, notes)
        if image is None:
            notes.lack(name)
        else:
            studies.append(_study(name, cells, root / image, notes))
    return notes.loaded(studies, "nih")


def _study(name: str, cells: list[str], image: Path, notes: Notes) -> Study:
    labels, patient, age, sex, view = cells
    return Study(
        id=stem(name),
        source="NIH ChestX-ray14",
        patient=patient,
        image=image,
        view=noted(canonical_view, view, "views not understood", notes),
        sex=noted(canonical_sex, sex, "sex not understood", notes),
        age=parse_age(age, notes),
        findings=_findings(labels, notes),
        licence=LICENCE,
        label_source="mined" if labels else "",
    )


def read_names(root: Path, notes: Notes) -> dict[str, Study]:
    """Images of NIH's that circulate under other names, by stem, as names.csv identifies them.

    names.csv has the columns of Data_Entry_2017.csv and `image`, the name in this folder. Empty
    when there is no such file, or when it is a table of another kind.
    """
    path = root / NAMES
    if not path.is_file() or not {"image", "Finding Labels"} <= set(read_header(path)):
        return {}
    columns, rows = open_table(path)
    image, *places = find_columns(path, columns, ("image", *COLUMNS))
    named = {}
    for row in rows:
        name, *cells = (row[place].strip() for place in places)
        own = stem(row[image])
        named[own] = _study(name, cells, Path(row[image].strip()), notes)
    return named


def _findings(labels: str, notes: Notes) -> dict[str, int]:
    """NIH's fifteen labels as 1 or 0 from a list such as "Effusion|Mass"; {} from a blank cell."""
    present = set()
    for label in filter(None, (label.strip() for label in labels.split("|"))):
        name = canonical_finding(label)
        if name is None:
            notes.count("unknown labels", label)
        else:
            present.add(name)
    if not present:
        return {}
    return dict.fromkeys(("no finding", *NIH_FINDINGS), 0) | dict.fromkeys(present, 1)

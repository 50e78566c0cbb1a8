"""What radiologists say of images that are labelled otherwise too, and which of them to believe.

expert_labels.csv   NIH images read by five radiologists each (Majkowska et al. 2020, Nabulsi et
                    al. 2021): the majority for NIH's 14 findings (YES or NO), how many of the
                    five said yes ("... votes"), and findings that another panel adjudicated.
chestxdet.json      what three radiologists outlined (cxr.data.outlines): of the findings that
                    they looked for, those without an outline are absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cxr.data.csv_table import find_columns, open_table
from cxr.data.image_index import stem
from cxr.data.shapes import CHESTXDET, read_chestxdet
from cxr.findings import CHESTXDET_NAMES, FINDINGS, NIH_NAMES, Study

EXPERT_TABLE = "expert_labels.csv"
SURE = 1  # this many votes against the others are a slip: at most 1 is absent, at least 4 present
_ADJUDICATED = {  # columns -> ours; "Pneumothorax (four)" says again what the five said
    "Fracture": "fracture",
    "Airspace opacity": "lung opacity",
    "Nodule or mass": "lung lesion",
}
_PANEL = {name.replace("_", " "): ours for name, ours in NIH_NAMES.items()}
# "diffuse nodule" is a nodule; a calcification is no finding of the vocabulary.
_OF_OUTLINE = {
    name: "nodule" if name == "diffuse nodule" else name
    for name in CHESTXDET_NAMES.values()
    if name in FINDINGS or name == "diffuse nodule"
}


@dataclass(frozen=True)
class ExpertReading:
    """What a panel of radiologists said of one image.

    majority: 1 or 0 for each of NIH's findings; votes: how many of `readers` said that it is there.
    adjudicated: 1 or 0 for what another panel settled, where it read the image.
    """

    readers: int
    abnormal: bool
    majority: Mapping[str, int]
    votes: Mapping[str, int]
    adjudicated: Mapping[str, int]

    @property
    def findings(self) -> dict[str, int]:
        """Labels of a Study: a finding on which the readers were divided is uncertain, -1."""
        labels = {name: self._label(votes) for name, votes in self.votes.items()}
        seen = 1 in labels.values() or 1 in self.adjudicated.values()
        return {"no finding": int(not self.abnormal and not seen), **labels, **self.adjudicated}

    def _label(self, votes: int) -> int:
        if votes <= SURE:
            return 0
        return 1 if votes >= self.readers - SURE else -1


def load_expert_labels(root: str | Path) -> dict[str, ExpertReading]:
    """Read expert_labels.csv.

    Args:
        root: the folder that holds it.

    Returns:
        {stem of the image's name: what the panel said}; empty when the file is not there.

    Raises:
        ValueError: a column is missing, or a cell is neither YES nor NO nor a number of votes.
    """
    path = Path(root) / EXPERT_TABLE
    if not path.is_file():
        return {}
    columns, rows = open_table(path)
    wanted = ["Image Index", "readers", "Abnormal", *_PANEL, *(f"{name} votes" for name in _PANEL)]
    places = dict(zip(wanted, find_columns(path, columns, wanted)))
    settled = {column: columns.index(column) for column in _ADJUDICATED if column in columns}
    readings = {}
    for row in rows:
        cells = {name: row[place].strip() for name, place in places.items()}
        try:
            readings[stem(cells["Image Index"])] = ExpertReading(
                int(cells["readers"]),
                bool(_answer(cells["Abnormal"])),
                {ours: _answer(cells[name]) for name, ours in _PANEL.items()},
                {ours: int(cells[f"{name} votes"]) for name, ours in _PANEL.items()},
                {
                    _ADJUDICATED[name]: _answer(row[place])
                    for name, place in settled.items()
                    if row[place].strip()
                },
            )
        except ValueError as error:
            raise ValueError(
                f"{path}: expected YES, NO or a number of votes, got {error} for "
                f"{cells['Image Index']}; correct that row"
            ) from error
    return readings


def _answer(cell: str) -> int:
    """1 for YES, 0 for NO. Raises ValueError for anything else."""
    answers = {"YES": 1, "NO": 0}
    if cell.strip().upper() not in answers:
        raise ValueError(repr(cell))
    return answers[cell.strip().upper()]


def with_best_labels(root: Path, studies: Sequence[Study]) -> list[Study]:
    """The studies with what radiologists said of them before what software mined.

    A panel's reading stands before outlines, save where the panel was divided; both stand before
    the labels that a study has, which stay for findings of which neither speaks.
    """
    panel = load_expert_labels(root)
    outlined = {}
    if (root / CHESTXDET).is_file():
        outlined = {name: _labels(shapes) for name, shapes in read_chestxdet(root).items()}
    return [_best(study, panel, outlined) for study in studies]


def _labels(shapes: Mapping[str, object]) -> dict[str, int]:
    """Findings of an image from the targets that were outlined on it."""
    labels = dict.fromkeys(_OF_OUTLINE.values(), 0)
    return labels | {_OF_OUTLINE[name]: 1 for name in shapes if name in _OF_OUTLINE}


def _best(
    study: Study,
    panel: Mapping[str, ExpertReading],
    outlined: Mapping[str, Mapping[str, int]],
) -> Study:
    name = stem(study.image.name if study.image else study.id)
    if name not in panel and name not in outlined:
        return study
    labels = {**study.findings, **outlined.get(name, {})}
    if name in panel:
        experts = panel[name].findings
        divided = {f for f, value in experts.items() if value == -1 and f in outlined.get(name, ())}
        labels |= {f: value for f, value in experts.items() if f not in divided}
    if any(value == 1 for f, value in labels.items() if f != "no finding"):
        labels["no finding"] = 0
    elif name not in panel and "no finding" in labels:  # what was mined turned out to be absent
        labels["no finding"] = int(-1 not in labels.values())
    source = "expert" if name in panel else "outlined"
    return replace(study, findings=labels, label_source=source)

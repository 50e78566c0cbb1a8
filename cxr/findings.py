"""The vocabulary of findings, the Study that carries them, and the caption text made from them.

Names are CheXpert's 14 observations (Irvin et al. 2019, arXiv:1901.07031) and the further ones of
NIH ChestX-ray14 (Wang et al. 2017, arXiv:1705.02315), in lower case. How each data set's own names
map to them stands in CHEXPERT_NAMES, NIH_NAMES, OPENI_NAMES and OPENI_QUALIFIED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

FINDINGS: tuple[str, ...] = (
    "no finding",
    "enlarged cardiomediastinum",
    "cardiomegaly",
    "lung opacity",
    "lung lesion",
    "edema",
    "consolidation",
    "pneumonia",
    "atelectasis",
    "pneumothorax",
    "pleural effusion",
    "pleural other",
    "fracture",
    "support devices",
    "infiltration",
    "emphysema",
    "fibrosis",
    "pleural thickening",
    "nodule",
    "mass",
    "hernia",
)
VIEWS: tuple[str, ...] = ("PA", "AP", "lateral", "frontal")
SEXES: tuple[str, ...] = ("F", "M")
# Who says what a study shows: software that read a report, radiologists who read the image, or
# radiologists who outlined what they saw on it.
LABEL_SOURCES: tuple[str, ...] = ("mined", "expert", "outlined")

# Each name as the data set's label file spells it -> ours.
CHEXPERT_NAMES: dict[str, str] = {
    "No Finding": "no finding",
    "Enlarged Cardiomediastinum": "enlarged cardiomediastinum",
    "Cardiomegaly": "cardiomegaly",
    "Lung Opacity": "lung opacity",  # "Airspace Opacity" in the first release
    "Lung Lesion": "lung lesion",
    "Edema": "edema",
    "Consolidation": "consolidation",
    "Pneumonia": "pneumonia",
    "Atelectasis": "atelectasis",
    "Pneumothorax": "pneumothorax",
    "Pleural Effusion": "pleural effusion",
    "Pleural Other": "pleural other",
    "Fracture": "fracture",
    "Support Devices": "support devices",
}
NIH_NAMES: dict[str, str] = {
    "Atelectasis": "atelectasis",
    "Cardiomegaly": "cardiomegaly",
    "Effusion": "pleural effusion",
    "Infiltration": "infiltration",  # "Infiltrate" in BBox_List_2017.csv
    "Mass": "mass",
    "Nodule": "nodule",
    "Pneumonia": "pneumonia",
    "Pneumothorax": "pneumothorax",
    "Consolidation": "consolidation",
    "Edema": "edema",
    "Emphysema": "emphysema",
    "Fibrosis": "fibrosis",
    "Pleural_Thickening": "pleural thickening",
    "Hernia": "hernia",
}
# What ChestX-Det outlines (Lian et al. 2021) -> the name of its masks, in OUTLINED. Those that are
# no finding of FINDINGS keep a name of their own, since the shipped models know the 21 alone:
# calcification has no label, and diffuse nodules count as nodules.
CHESTXDET_NAMES: dict[str, str] = {
    "Atelectasis": "atelectasis",
    "Calcification": "calcification",
    "Cardiomegaly": "cardiomegaly",
    "Consolidation": "consolidation",
    "Diffuse Nodule": "diffuse nodule",
    "Effusion": "pleural effusion",
    "Emphysema": "emphysema",
    "Fibrosis": "fibrosis",
    "Fracture": "fracture",
    "Mass": "mass",
    "Nodule": "nodule",
    "Pleural Thickening": "pleural thickening",
    "Pneumothorax": "pneumothorax",
}
OUTLINED: tuple[str, ...] = tuple(CHESTXDET_NAMES.values())
# Open-I codes a report as headings with qualifiers: "Opacity/lung/base/left" (Demner-Fushman 2016).
OPENI_NAMES: dict[str, str] = {
    heading: ours
    for ours, headings in {
        "no finding": ("normal",),
        "cardiomegaly": ("cardiomegaly",),
        "lung opacity": ("airspace disease",),
        "edema": ("pulmonary edema",),
        "consolidation": ("consolidation",),
        "pneumonia": ("pneumonia",),
        "atelectasis": ("pulmonary atelectasis",),
        "pneumothorax": ("pneumothorax", "hydropneumothorax", "hemopneumothorax"),
        "pleural effusion": ("pleural effusion",),
        "fracture": ("fractures, bone",),
        "support devices": (
            "catheters, indwelling",
            "tube, inserted",
            "medical device",
            "implanted medical device",
        ),
        "infiltration": ("infiltrate",),
        "emphysema": ("emphysema", "pulmonary emphysema", "bullous emphysema"),
        "fibrosis": ("pulmonary fibrosis",),
        "hernia": ("hernia, hiatal", "hernia, diaphragmatic"),
    }.items()
    for heading in headings
}
# (heading, qualifier) -> (finding, 1 or -1): headings that mean the finding only when so qualified.
OPENI_QUALIFIED: dict[tuple[str, str], tuple[str, int]] = {
    ("opacity", "lung"): ("lung opacity", 1),
    ("nodule", "lung"): ("nodule", 1),
    ("mass", "lung"): ("mass", 1),
    ("thickening", "pleura"): ("pleural thickening", 1),
    ("cardiac shadow", "enlarged"): ("cardiomegaly", 1),
    ("mediastinum", "enlarged"): ("enlarged cardiomediastinum", 1),
    ("mediastinum", "prominent"): ("enlarged cardiomediastinum", -1),
    ("costophrenic angle", "blunted"): ("pleural effusion", -1),
}
_SPELLINGS = {
    "airspace opacity": "lung opacity",
    "oedema": "edema",
    "infiltrate": "infiltration",
    "normal": "no finding",
}

_SEX_OF = {"f": "F", "female": "F", "m": "M", "male": "M"}
_KNOWN, _VALUES = frozenset(FINDINGS), frozenset((1, 0, -1))

CHEXPERT_FINDINGS: tuple[str, ...] = tuple(CHEXPERT_NAMES.values())
NIH_FINDINGS: tuple[str, ...] = tuple(NIH_NAMES.values())
OPENI_FINDINGS: tuple[str, ...] = tuple(
    f
    for f in FINDINGS
    if f in {*OPENI_NAMES.values(), *(finding for finding, _ in OPENI_QUALIFIED.values())}
)


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").lower().split())


_CANONICAL: dict[str, str] = (
    {name: name for name in FINDINGS}
    | {_plain(name): ours for table in (CHEXPERT_NAMES, NIH_NAMES) for name, ours in table.items()}
    | _SPELLINGS
)


def canonical_finding(name: str) -> str | None:
    """A name from any of the label files -> the name in FINDINGS; None when it is none of them.

    Case, underscores and runs of spaces do not matter: "Pleural_Thickening", "pleural thickening".
    """
    return _CANONICAL.get(_plain(name))


def canonical_view(name: str) -> str | None:
    """One of VIEWS for "ap", "AP Supine", "Frontal", "LL" ...; None when it does not say which."""
    words = name.lower().replace("-", " ").replace("_", " ").replace("/", " ").split()
    known = {"pa": "PA", "posteroanterior": "PA", "ap": "AP", "anteroposterior": "AP"}
    projections = {known[word] for word in words if word in known}
    lateral = {"lateral", "ll", "rl", "lat", "l"}.intersection(words)
    if len(projections) == 1 and not lateral:
        return projections.pop()
    if lateral and not projections and "frontal" not in words:
        return "lateral"
    return "frontal" if "frontal" in words and not (projections or lateral) else None


def canonical_sex(name: str) -> str | None:
    """F or M for "Female", "f", "M" ...; None when it is neither."""
    return _SEX_OF.get(name.strip().lower())


@dataclass(frozen=True, slots=True)
class Study:
    """One image and what is known about it.

    findings holds 1 present, 0 absent, -1 uncertain; a finding that the label file leaves blank has
    no key, and an image without labels has findings == {}. age is in whole years. image is None
    only for a report read without its image. Raises ValueError for a view, sex, finding or label
    source out of the vocabulary; other spellings of a view or sex ("female", "AP Supine") are
    turned into ours.
    """

    id: str  # unique within its source
    source: str
    patient: str
    image: Path | None = None
    view: str | None = None  # one of VIEWS; "frontal" when AP or PA is not known
    sex: str | None = None  # one of SEXES
    age: int | None = None
    findings: dict[str, int] = field(default_factory=dict, hash=False)
    report: str | None = None
    licence: str = ""
    label_source: str = ""  # one of LABEL_SOURCES; "" when it is not known

    def __post_init__(self) -> None:
        if self.view is not None and self.view not in VIEWS:
            self._spell("view", canonical_view(self.view), VIEWS)
        if self.sex is not None and self.sex not in SEXES:
            self._spell("sex", canonical_sex(self.sex), SEXES)
        if self.label_source and self.label_source not in LABEL_SOURCES:
            raise ValueError(
                f"study {self.id}: expected label_source among {', '.join(LABEL_SOURCES)}; got "
                f'{self.label_source!r}; give "" when it is not known'
            )
        if not _KNOWN.issuperset(self.findings):
            raise ValueError(
                f"study {self.id}: expected findings among {', '.join(FINDINGS)}; got "
                f"{', '.join(self.findings)}; cxr.findings.canonical_finding gives the name"
            )
        if not _VALUES.issuperset(self.findings.values()):
            raise ValueError(
                f"study {self.id}: expected 1 present, 0 absent or -1 uncertain; got "
                f"{self.findings}; leave out a finding that nobody has read"
            )

    def _spell(self, name: str, known: str | None, allowed: tuple[str, ...]) -> None:
        if known is None:
            raise ValueError(
                f"study {self.id}: expected {name} among {', '.join(allowed)} or None; "
                f"got {getattr(self, name)!r}; give None when it is not known"
            )
        object.__setattr__(self, name, known)

    @property
    def labelled(self) -> bool:
        """Whether anybody, or any labelling software, has read this image."""
        return bool(self.findings)

    @property
    def positive(self) -> tuple[str, ...]:
        """Findings that are present, in FINDINGS order, "no finding" left out."""
        return self._with(1)

    @property
    def uncertain(self) -> tuple[str, ...]:
        """Findings that are uncertain, in FINDINGS order, "no finding" left out."""
        return self._with(-1)

    def _with(self, value: int) -> tuple[str, ...]:
        return tuple(name for name in FINDINGS[1:] if self.findings.get(name) == value)

    def to_dict(self) -> dict:
        """Plain values that JSON can hold; from_dict turns them back."""
        return asdict(self) | {"image": None if self.image is None else str(self.image)}

    @classmethod
    def from_dict(cls, values: Mapping) -> Study:
        """The Study that to_dict wrote; TypeError names a key that a Study does not have."""
        image = values.get("image")
        return cls(**{**values, "image": None if image is None else Path(image)})


_NORMAL = "demonstrates no acute cardiopulmonary abnormality."


def _who(study: Study) -> str:
    age = "" if study.age is None else f"{study.age}-year-old"
    sex = {"F": "female", "M": "male", None: ""}[study.sex]
    view = {
        "PA": "frontal PA view",
        "AP": "frontal AP view",
        "lateral": "lateral view",
        "frontal": "frontal view",
        None: "",
    }[study.view]
    return ", ".join(part for part in (f"{age} {sex}".strip(), view) if part)


def demographics(study: Study) -> str:
    """Age, sex and view alone: "64-year-old female, frontal AP view."; "" when none is known."""
    who = _who(study)
    return f"{who}." if who else ""


def caption(study: Study) -> str:
    """The canonical caption: age, sex, view, then the findings in FINDINGS order.

    Args:
        study: what is known of it; missing parts are left out.

    Returns:
        "64-year-old female, frontal AP view. Findings: cardiomegaly, possible edema." A study with
        neither a present nor an uncertain finding "demonstrates no acute cardiopulmonary
        abnormality", also when nobody has read it: for such studies use demographics.
    """
    marks = {1: "", -1: "possible "}
    values = study.findings
    listed = [marks[values[name]] + name for name in FINDINGS[1:] if values.get(name)]
    if listed:
        return f"{demographics(study)} Findings: {', '.join(listed)}.".lstrip()
    who = _who(study)
    return f"{who}, {_NORMAL}" if who else _NORMAL.capitalize()

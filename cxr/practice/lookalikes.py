"""What each finding looks like in two lines, and what it is commonly confused with.

The one table behind "why" after an answer, the pairs that are spaced, and the contrast strip. A
look-alike that is no finding of FINDINGS, such as a skin fold, is a mimic: no study is labelled
with it, and normal films stand in for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cxr.findings import FINDINGS


@dataclass(frozen=True)
class Signs:
    """What to see: look says where to look and for what, apart how to tell it from look-alikes.

    rivals: names of FINDINGS that it is confused with, the most common first. mimics: what else
    looks like it.
    """

    look: str
    apart: str
    rivals: tuple[str, ...]
    mimics: tuple[str, ...]


SIGNS: dict[str, Signs] = {
    "no finding": Signs(
        "Sharp angles and diaphragms, lungs dark to the ribs, heart under half of the chest.",
        "Look again behind the heart, at the apices, below the diaphragm and along the bones.",
        (),
        (),
    ),
    "enlarged cardiomediastinum": Signs(
        "The shadow of heart and great vessels is wide; follow both borders from the neck.",
        "A portable or rotated film widens it too: compare the clavicles with the spine.",
        ("cardiomegaly", "mass"),
        ("AP magnification", "rotation"),
    ),
    "cardiomegaly": Signs(
        "On a PA film the heart is wider than half of the chest, measured at its widest.",
        "An AP film, a shallow breath or fat beside the heart make a normal heart look large.",
        ("enlarged cardiomediastinum", "pleural effusion"),
        ("AP magnification", "obesity", "shallow breath"),
    ),
    "lung opacity": Signs(
        "A part of the lung is whiter than the same place on the other side.",
        "Ask whether vessels show through it, whether it has edges and whether volume is lost.",
        ("atelectasis", "consolidation", "pleural effusion"),
        ("overlying breast or muscle",),
    ),
    "lung lesion": Signs(
        "A spot with edges of its own that follows no vessel, in the lung and not on the skin.",
        "A nipple, a rib's end or a vessel seen end on has a partner or a continuation.",
        ("nodule", "mass", "consolidation"),
        ("nipple", "vessel end"),
    ),
    "edema": Signs(
        "Blurred vessels and haze from the hila outward, on both sides, lines at the lung's edge.",
        "Infection is seldom so even on both sides; look at the heart and for effusions.",
        ("infiltration", "pneumonia", "pleural effusion"),
        ("shallow breath",),
    ),
    "consolidation": Signs(
        "A white area that hides the vessels, often with dark branching airways inside.",
        "A mass has a rounded border of its own; collapse pulls fissures and hilum toward it.",
        ("mass", "atelectasis", "pneumonia"),
        ("overlying breast or muscle",),
    ),
    "pneumonia": Signs(
        "A patch of white lung with soft edges, or one that wipes out a border of the heart.",
        "The film shows the patch, not its cause: collapse and edema may look the same.",
        ("atelectasis", "consolidation", "edema"),
        ("overlying breast or muscle",),
    ),
    "atelectasis": Signs(
        "Bands or a wedge of white lung with signs of lost volume: a fissure, the hilum or the "
        "diaphragm has moved.",
        "Fluid pushes away and curves up the side wall; collapse pulls toward itself.",
        ("pleural effusion", "consolidation", "pneumonia"),
        ("shallow breath",),
    ),
    "pneumothorax": Signs(
        "A thin white line of pleura, and beyond it no lung markings at all.",
        "A skin fold is an edge, not a line, with vessels beyond it; a bulla curves inward.",
        ("emphysema",),
        ("skin fold", "bulla", "edge of the shoulder blade"),
    ),
    "pleural effusion": Signs(
        "The angle between ribs and diaphragm is blunt, or a white level curves up the side.",
        "Collapse raises the diaphragm and pulls; pleural thickening does not move or curve up.",
        ("atelectasis", "pleural thickening", "consolidation"),
        ("overlying breast or fat",),
    ),
    "pleural other": Signs(
        "Something along the chest wall or diaphragm: a plaque, calcium or a shape hung from it.",
        "Shadows of the wall meet the pleura at a blunt angle, those of the lung at a sharp one.",
        ("pleural thickening", "pleural effusion", "mass"),
        ("rib companion shadow",),
    ),
    "fracture": Signs(
        "A step or gap in a bone's outer edge; follow each rib and both clavicles to the end.",
        "A crossing vessel, rib or the growth of cartilage has no step in the edge.",
        ("nodule",),
        ("crossing ribs", "calcified cartilage"),
    ),
    "support devices": Signs(
        "Lines of even width with a bright stripe: follow each one to its tip.",
        "Leads and clothing lie outside of the body and run beyond its edge.",
        (),
        ("monitoring leads", "clothing"),
    ),
    "infiltration": Signs(
        "Patchy or streaky haze without clear borders through which vessels may still show.",
        "Edema is even on both sides and starts at the hila; scars are sharp and stay the same.",
        ("edema", "pneumonia", "fibrosis"),
        ("crowded vessels of a shallow breath",),
    ),
    "emphysema": Signs(
        "Flat diaphragms, large dark lungs and few thin vessels, a narrow heart.",
        "A deep breath alone leaves the vessels and the curve of the diaphragm as they are.",
        ("pneumothorax",),
        ("deep inspiration",),
    ),
    "fibrosis": Signs(
        "A net of sharp lines, most at the bases or apices, often with a smaller lung.",
        "Edema is softer and comes and goes; infection seldom shrinks the lung.",
        ("infiltration", "edema", "atelectasis"),
        ("crowded vessels of a shallow breath",),
    ),
    "pleural thickening": Signs(
        "A white band between lung and ribs that follows the wall, often at apex or side.",
        "Free fluid settles in the lowest place and curves; a companion shadow is thin and even.",
        ("pleural effusion", "pleural other"),
        ("rib companion shadow", "fat along the ribs"),
    ),
    "nodule": Signs(
        "A round spot up to 3 cm in the lung: look between ribs, at apices, behind the heart.",
        "Nipples come in pairs at one height; a vessel end on is as small as the airway beside it.",
        ("mass", "fracture", "consolidation"),
        ("nipple", "vessel end", "rib end"),
    ),
    "mass": Signs(
        "A white shape above 3 cm with a border of its own.",
        "Consolidation has airways inside and no border; a hernia at the diaphragm holds gas.",
        ("nodule", "consolidation", "hernia"),
        ("round atelectasis", "vessel bend"),
    ),
    "hernia": Signs(
        "A rounded shape behind the heart or at the diaphragm, often with gas or a level inside.",
        "A mass holds no gas; look for the stomach's bubble where it should be.",
        ("mass", "cardiomegaly"),
        ("raised diaphragm",),
    ),
}


def rivals(finding: str) -> tuple[str, ...]:
    """What a finding is paired with: findings first; its first mimic where it has no other.

    Raises:
        ValueError: a name that is not in FINDINGS.
    """
    if finding not in SIGNS:
        raise ValueError(
            f"expected a finding among {', '.join(FINDINGS)}; got {finding!r}; correct the name"
        )
    signs = SIGNS[finding]
    return signs.rivals or signs.mimics[:1]


def pair_key(finding: str, rival: str) -> str:
    """The name of a pair's card: "pneumothorax|emphysema" is about seeing a pneumothorax."""
    return f"{finding}|{rival}"


def split_pair(key: str) -> tuple[str, str]:
    """Finding and rival of a card's name."""
    finding, _, rival = key.partition("|")
    return finding, rival

"""Names of what masks mark: lungs, heart, airways, opacities and devices, with sides and zones.

Sides are the patient's. Zones are thirds of each lung from top to bottom, as radiologists divide a
frontal image, since lobes are hard to tell on it.
"""

from __future__ import annotations

LUNGS = "lungs"
RIGHT_LUNG, LEFT_LUNG = "right lung", "left lung"
HEART, AIRWAYS = "heart and mediastinum", "airways"
OPACITY, GROUND_GLASS, CONSOLIDATION = "opacity", "ground-glass opacity", "consolidation"
DEVICES = "tubes and lines"
TARGETS = (
    LUNGS,
    RIGHT_LUNG,
    LEFT_LUNG,
    HEART,
    AIRWAYS,
    OPACITY,
    GROUND_GLASS,
    CONSOLIDATION,
    DEVICES,
)
HEART_ALONE = "heart"  # without the great vessels above it
RIGHT_CLAVICLE, LEFT_CLAVICLE, CLAVICLES = "right clavicle", "left clavicle", "clavicles"
CARDIOMEGALY = "cardiomegaly"
OUTLINES = (  # what radiologists outlined for ChestX-Det, consolidation apart
    "pleural effusion",
    "atelectasis",
    "pneumothorax",
    CARDIOMEGALY,
    "nodule",
    "diffuse nodule",
    "mass",
    "fracture",
    "pleural thickening",
    "fibrosis",
    "emphysema",
    "calcification",
)
READ = (OPACITY, GROUND_GLASS, CONSOLIDATION, *OUTLINES)  # the findings of a patch decoder
DECODED = (  # its maps
    RIGHT_LUNG,
    LEFT_LUNG,
    HEART_ALONE,
    HEART,
    AIRWAYS,
    RIGHT_CLAVICLE,
    LEFT_CLAVICLE,
    *READ,
)
OPACITIES = (OPACITY, GROUND_GLASS, CONSOLIDATION)
SIDES, ZONES = ("right", "left"), ("upper", "middle", "lower")
PARTS = {  # targets that are the union of what annotators draw apart
    LUNGS: (RIGHT_LUNG, LEFT_LUNG),
    CLAVICLES: (RIGHT_CLAVICLE, LEFT_CLAVICLE),
    OPACITY: (GROUND_GLASS, CONSOLIDATION),
    DEVICES: (
        "endotracheal tube",
        "central venous line",
        "nasogastric tube",
        "tubing",
        "monitoring leads",
    ),
}


def union_known(target: str, known: frozenset[str]) -> bool:
    """Whether a target's mask follows from those of its PARTS.

    All parts must have been looked for; of devices any, since no two annotators name the kinds
    alike.

    Args:
        target: one of TARGETS.
        known: the names that were looked for in an image.
    """
    parts = PARTS.get(target, ())
    if target == DEVICES:
        return bool(known.intersection(parts))
    return bool(parts) and known.issuperset(parts)

"""Tables of radiologists' readings and outlines, written for the tests."""

from __future__ import annotations

from cxr.findings import NIH_NAMES

PANEL = [name.replace("_", " ") for name in NIH_NAMES]
NIH = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"


def expert_table(**images: dict[str, tuple[str, int]]) -> str:
    """expert_labels.csv; what is not given is NO with no votes."""
    header = ["Image Index", "readers", "Abnormal"]
    header += [column for name in PANEL for column in (name, f"{name} votes")]
    lines = [[*header, "Fracture", "Airspace opacity", "Nodule or mass"]]
    for image, given in images.items():
        abnormal = "YES" if given else "NO"
        cells = [cell for name in PANEL for cell in given.get(name, ("NO", 0))]
        more = [given.get(name, ("", 0))[0] for name in lines[0][-3:]]
        lines.append([f"{image}.png", 5, abnormal, *cells, *more])
    return "\n".join(",".join(map(str, line)) for line in lines)


def outline(image: str, *names: str) -> dict:
    square = [[0, 0], [256, 0], [256, 256], [0, 256]]
    boxes = [[0, 0, 256, 256]] * len(names)
    return {"image": image, "syms": list(names), "boxes": boxes, "polygons": [square] * len(names)}

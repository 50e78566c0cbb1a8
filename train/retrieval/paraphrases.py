"""What a trainee might type for a study: lay words, synonyms, order, missing parts, negations.

Training sees these beside the canonical caption; evaluation uses the canonical caption alone.
"""

from __future__ import annotations

import random

from cxr.findings import FINDINGS, Study, caption

SYNONYMS: dict[str, tuple[str, ...]] = {
    "no finding": (
        "normal chest x-ray",
        "normal film",
        "clear lungs",
        "healthy lungs",
        "nothing abnormal",
        "no abnormality",
        "unremarkable chest",
        "no acute disease",
        "normal heart and lungs",
        "no acute cardiopulmonary process",
        "everything looks fine",
        "lungs are clear",
    ),
    "enlarged cardiomediastinum": (
        "widened mediastinum",
        "wide mediastinum",
        "mediastinal widening",
        "broad mediastinum",
        "enlarged mediastinal silhouette",
        "prominent mediastinum",
        "mediastinal enlargement",
    ),
    "cardiomegaly": (
        "enlarged heart",
        "big heart",
        "large heart",
        "heart is enlarged",
        "cardiac enlargement",
        "increased cardiothoracic ratio",
        "enlarged cardiac silhouette",
        "heart too big",
        "dilated heart",
        "heart size is increased",
        "swollen heart",
    ),
    "lung opacity": (
        "airspace opacity",
        "opacity in the lung",
        "airspace disease",
        "hazy lung",
        "white area",
        "shadow on the lung",
        "opacification",
        "haziness",
        "patchy opacity",
        "cloudy lung",
    ),
    "lung lesion": (
        "lesion in the lung",
        "focal lung lesion",
        "suspicious lesion",
        "pulmonary lesion",
        "spot or growth on the lung",
    ),
    "edema": (
        "pulmonary edema",
        "pulmonary oedema",
        "oedema",
        "fluid in the lungs",
        "wet lungs",
        "water in the lungs",
        "vascular congestion",
        "pulmonary congestion",
        "heart failure",
        "congestive heart failure",
        "interstitial edema",
        "fluid overload",
        "congested lungs",
        "kerley lines",
    ),
    "consolidation": (
        "airspace consolidation",
        "consolidated lung",
        "lobar consolidation",
        "solid lung",
        "dense airspace filling",
        "air bronchograms",
        "lung filled in",
        "dense white lung",
    ),
    "pneumonia": (
        "lung infection",
        "chest infection",
        "infected lung",
        "infectious process",
        "bronchopneumonia",
        "lobar pneumonia",
        "infection of the lungs",
        "pneumonic changes",
    ),
    "atelectasis": (
        "collapse of lung tissue",
        "partial collapse",
        "lobar collapse",
        "volume loss",
        "atelectatic change",
        "plate-like atelectasis",
        "partly collapsed lung",
        "airless lung",
        "discoid atelectasis",
        "poorly expanded lung base",
    ),
    "pneumothorax": (
        "collapsed lung",
        "air in the pleural space",
        "air around the lung",
        "punctured lung",
        "air leak",
        "ptx",
        "free air between lung and chest wall",
        "popped lung",
        "visible pleural line with no lung markings",
    ),
    "pleural effusion": (
        "effusion",
        "fluid around the lung",
        "pleural fluid",
        "fluid at the base",
        "blunted costophrenic angle",
        "water around the lung",
        "hydrothorax",
        "fluid in the chest cavity",
        "layering fluid",
        "fluid at the lung base",
        "fluid in the pleural space",
    ),
    "pleural other": (
        "other pleural abnormality",
        "pleural disease",
        "pleural plaque",
        "pleural calcification",
    ),
    "fracture": (
        "broken rib",
        "rib fracture",
        "broken bone",
        "fractured rib",
        "clavicle fracture",
        "broken collarbone",
        "cracked rib",
        "healed rib fractures",
    ),
    "support devices": (
        "pacemaker",
        "pacemaker leads",
        "central line",
        "endotracheal tube",
        "chest tube",
        "lines and tubes",
        "feeding tube",
        "nasogastric tube",
        "breathing tube",
        "catheter",
        "implanted device",
        "defibrillator",
        "hardware",
        "picc line",
        "sternal wires",
        "port",
    ),
    "infiltration": (
        "infiltrate",
        "lung infiltrate",
        "infiltrates",
        "patchy infiltrate",
        "pulmonary infiltration",
        "interstitial infiltrate",
        "diffuse infiltrates",
    ),
    "emphysema": (
        "copd",
        "hyperinflated lungs",
        "overinflated lungs",
        "hyperinflation",
        "flat diaphragms",
        "smoker's lungs",
        "emphysematous change",
        "bullae",
        "air trapping",
        "barrel chest",
        "chronic obstructive pulmonary disease",
        "hyperexpanded lungs",
    ),
    "fibrosis": (
        "pulmonary fibrosis",
        "scarring",
        "lung scarring",
        "scarred lungs",
        "fibrotic change",
        "interstitial lung disease",
        "reticular opacities",
        "stiff lungs",
        "honeycombing",
        "scar tissue in the lungs",
    ),
    "pleural thickening": (
        "thickened pleura",
        "thickening of the pleura",
        "apical cap",
        "thick lung lining",
        "pleural scarring",
        "thickened lining of the lung",
        "apical pleural thickening",
    ),
    "nodule": (
        "lung nodule",
        "pulmonary nodule",
        "small round spot",
        "spot on the lung",
        "coin lesion",
        "solitary nodule",
        "small nodule",
        "little round shadow",
        "nodular opacity",
    ),
    "mass": (
        "lung mass",
        "tumor",
        "tumour",
        "lung cancer",
        "large lump in the lung",
        "growth",
        "pulmonary mass",
        "big round shadow",
        "malignancy",
        "neoplasm",
        "lump",
    ),
    "hernia": (
        "hiatal hernia",
        "diaphragmatic hernia",
        "stomach in the chest",
        "hiatus hernia",
        "herniated stomach",
        "retrocardiac air fluid level",
        "bowel in the chest",
    ),
}

_ADULT = {
    "F": ("woman", "female", "lady", "female patient"),
    "M": ("man", "male", "gentleman", "male patient"),
}
_VIEW = {
    "PA": ("PA view", "frontal PA view", "PA film", "standing PA chest x-ray", "PA"),
    "AP": (
        "AP view",
        "frontal AP view",
        "portable AP film",
        "bedside AP chest x-ray",
        "AP",
        "supine portable film",
    ),
    "lateral": ("lateral view", "lateral film", "side view"),
    "frontal": ("frontal view", "frontal film"),
}

_ABSENT = ("no {}", "no {}", "without {}", "no sign of {}", "no evidence of {}")


def _age(age: int, rng: random.Random) -> str:
    decade = age // 10 * 10
    forms = [f"{age}-year-old", f"{age} year old", f"{age}yo", f"{age} y/o", f"aged {age}"]
    if decade >= 20:
        forms += [f"{decade}-something", f"in the {decade}s"]
    if age < 35:
        forms.append("young")
    elif age >= 68:
        forms += ["elderly", "old"]
    elif 40 <= age < 65:
        forms.append("middle-aged")
    return rng.choice(forms)


def who(study: Study, rng: random.Random, keep: float = 0.75) -> str:
    """The person and the view in other words; each part is left out with chance 1 - keep."""
    parts = []
    sex = rng.choice(_ADULT[study.sex]) if study.sex and rng.random() < keep else ""
    if study.age is not None and rng.random() < keep:
        parts.append(f"{_age(study.age, rng)} {sex}".strip())
    elif sex:
        parts.append(sex)
    if study.view and rng.random() < keep:
        parts.append(rng.choice(_VIEW[study.view]))
    if rng.random() < 0.2:
        parts.reverse()
    return ", ".join(parts)


def name(finding: str, rng: random.Random, lay: float = 0.6) -> str:
    """A finding by its own name, or with chance `lay` by another."""
    return rng.choice(SYNONYMS[finding]) if rng.random() < lay else finding


def _possible(text: str, rng: random.Random) -> str:
    return rng.choice(
        ("possible {}", "maybe {}", "likely {}", "question of {}", "cannot exclude {}")
    ).format(text)


def _join(items: list[str], rng: random.Random) -> str:
    if len(items) > 1 and rng.random() < 0.5:
        return ", ".join(items[:-1]) + rng.choice((" and ", " with ", " plus ")) + items[-1]
    return ", ".join(items)


def what(study: Study, rng: random.Random) -> str:
    """The findings in other words, in another order, sometimes not all, sometimes with absences."""
    listed = [name(finding, rng) for finding in study.positive]
    listed += [_possible(name(finding, rng), rng) for finding in study.uncertain]
    rng.shuffle(listed)
    if len(listed) > 1 and rng.random() < 0.25:
        listed = listed[: rng.randint(1, len(listed) - 1)]
    if not listed:
        listed = [name("no finding", rng, 1.0)]
    absent = [finding for finding in FINDINGS[1:] if study.findings.get(finding) == 0]
    if absent and rng.random() < 0.3:
        for finding in rng.sample(absent, min(len(absent), rng.choice((1, 1, 2)))):
            listed.append(rng.choice(_ABSENT).format(name(finding, rng, 0.4)))
    return _join(listed, rng)


def paraphrase(study: Study, rng: random.Random) -> str:
    """One way of asking for a study; without labels, by person and view alone."""
    person = who(study, rng)
    if not study.labelled:
        return person or "chest x-ray"
    text = what(study, rng)
    form = rng.random()
    if not person or form < 0.35:
        return text
    if form < 0.6:
        return f"{person}. Findings: {text}."
    if form < 0.8:
        return f"{person} with {text}"
    return f"{text} in a {person}" if form < 0.9 else f"{text}, {person}"


def imagined_study(rng: random.Random) -> Study:
    """A study without an image, for pairs of texts: every finding gets its turn."""
    count = rng.choice((0, 1, 1, 1, 1, 2, 2, 3))
    present = rng.sample(FINDINGS[1:], count)
    findings = {finding: rng.choice((1, 1, 1, 1, -1)) for finding in present}
    for finding in FINDINGS[1:]:
        findings.setdefault(finding, 0)
    if not present:
        findings["no finding"] = 1
    known = rng.random() < 0.6
    return Study(
        id="imagined",
        source="text",
        patient="none",
        view=rng.choice(("PA", "AP", "lateral", "frontal")) if known else None,
        sex=rng.choice("FM") if known else None,
        age=rng.randint(18, 95) if known else None,
        findings=findings,
    )


def text_pair(rng: random.Random) -> tuple[str, str]:
    """(canonical caption, paraphrase) of an imagined study."""
    study = imagined_study(rng)
    return caption(study), paraphrase(study, rng)

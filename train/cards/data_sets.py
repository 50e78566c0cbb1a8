"""Data sets by the name of their folder, in the words of a model card, with their licences."""

from __future__ import annotations

from collections.abc import Iterable

DATA_SETS = {
    "nih": (
        "NIH ChestX-ray14 (Wang et al. 2017), training split by patient; labels mined from "
        "reports by software. Licence: no restriction on use, credit to the NIH Clinical Center."
    ),
    "adult_unlabelled": (
        "Films of NIH origin published for the SIIM-ACR 2019 challenge, with age, sex and view but "
        "no findings. Licence: NIH's as above; the challenge has rules of its own."
    ),
    "covid": (
        "covid-chestxray-dataset (Cohen et al. 2020), with clinical notes. Licence: one for each "
        "image, many non-commercial."
    ),
    "hannover": (
        "COVID-19 Image Repository, Hannover Medical School, with sex and projection. Licence: CC "
        "BY 3.0."
    ),
    "adult_normal": (
        "Normal films of the COVID-19 Radiography Database (RSNA 2018 normals of NIH origin), read "
        "as normal, without age, sex or view. Licence: NIH's for the films; RSNA's reading is for "
        "non-commercial use."
    ),
    "tuberculosis": (
        "TBX11K (Liu et al. 2020), films with boxes of tuberculosis. Licence: non-commercial."
    ),
    "kermany": (
        "Children's films of Kermany et al. 2018, normal or with pneumonia. Licence: CC BY 4.0."
    ),
    "lungs": (
        "Children's films of Kermany et al. 2018 with masks of the lungs from V7's COVID-19 X-ray "
        "data set. Licence: CC BY 4.0, films and masks."
    ),
    "anatomy": (
        "covid-chestxray-dataset (Cohen et al. 2020), films with masks drawn by radiologists. "
        "Licence: CC BY 4.0 for the masks; one for each film, many non-commercial."
    ),
    "nih_expert": (
        "NIH ChestX-ray14 films that five radiologists read (Majkowska et al. 2020, Nabulsi et al. "
        "2021), with ChestX-Det's outlines where there are any. Licence: NIH's as above; research "
        "and education."
    ),
    "nih_128": (
        "NIH ChestX-ray14 films of 128 px with ChestX-Det's outlines (Lian et al. 2021, "
        "Apache-2.0). Licence: NIH's as above."
    ),
    "heart_lungs": (
        "Cardiothoracic ratio estimation data set (eveningdong): lungs, heart and the ratio "
        "measured by hand. Licence: MIT."
    ),
    "rsna": (
        "Films of the RSNA 2018 challenge (of NIH origin) with boxes around lung opacities. "
        "Licence: non-commercial."
    ),
    "jsrt": (
        "JSRT (Shiraishi et al. 2000) with SCR's masks of lungs, heart and clavicles (van Ginneken "
        "et al. 2006). Licence: research, cite."
    ),
    "openi": (
        "Reports of Open-I, Indiana University (Demner-Fushman et al. 2016), text alone. Licence: "
        "CC BY-NC-ND."
    ),
}


def describe_data_sets(names: Iterable[str]) -> str:
    """A line of Markdown for each data set that a model was trained on."""
    return "\n".join(f"- {DATA_SETS.get(name, f'`{name}`')}" for name in names)

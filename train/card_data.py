"""Data sets by the name of their folder, in the words of a model card."""

DATA_SETS = {
    "nih": (
        "NIH ChestX-ray14 (Wang et al. 2017), training split by patient; labels mined from "
        "reports by software. Credit: NIH Clinical Center."
    ),
    "adult_unlabelled": (
        "Films of NIH origin published for the SIIM-ACR 2019 challenge, with age, sex and "
        "view but no findings."
    ),
    "covid": (
        "covid-chestxray-dataset (Cohen et al. 2020), with clinical notes; licences per "
        "image, many non-commercial."
    ),
    "hannover": (
        "COVID-19 Image Repository, Hannover Medical School (CC BY 3.0), with sex and "
        "projection."
    ),
    "adult_normal": (
        "Normal films of the COVID-19 Radiography Database (RSNA 2018 normals of "
        "NIH origin), read as normal, without age, sex or view."
    ),
    "tuberculosis": (
        "TBX11K (Liu et al. 2020), films with boxes of tuberculosis; non-commercial."
    ),
    "kermany": "Children's films of Kermany et al. 2018 (CC BY 4.0), normal or with pneumonia.",
    "lungs": (
        "Children's films of Kermany et al. 2018 with masks of the lungs from V7's COVID-19 "
        "X-ray data set (CC BY 4.0)."
    ),
    "anatomy": (
        "covid-chestxray-dataset (Cohen et al. 2020), films with masks drawn by radiologists;"
        " licences per image, many non-commercial."
    ),
    "openi": (
        "Reports of Open-I, Indiana University (Demner-Fushman et al. 2016), text alone, CC "
        "BY-NC-ND."
    ),
}

"""What a patch decoder, and the finding classifier beside it, say of films with labels.

Labels are the best that there are of each film: radiologists' majority, outlines, else what was
mined from reports. From these films come the choice of who speaks for a finding, from where on it
counts as found, and the ratio from which a heart counts as enlarged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cxr.anatomy import CARDIOMEGALY, READ
from cxr.data import load_split, load_studies
from cxr.images import load_image
from cxr.localization import DecoderReader, FindingPresence, Level
from train.common.studies import frontal, labels_of

FEWEST = 5  # films that show a finding, for it to be judged
SPECIFICITY = 0.95  # of a finding by the classifier: more often right than a report asks for
LEAST_GAIN = 0.02  # of the area under the ROC curve, for the classifier to speak
HEART_SPECIFICITY = 0.90  # of an enlarged heart by its ratio


@dataclass(frozen=True, eq=False)
class Labelled:
    """N films with labels.

    Attributes:
        labels: float32 [N, F] of READ: 1 present, 0 absent, NaN unknown.
        own: float32 [N, F], the decoder's probabilities.
        classified: float32 [N, F], the classifier's, NaN where it does not know the finding.
        ratio: float32 [N], the cardiothoracic ratio, NaN where it is not measured.
    """

    labels: np.ndarray
    own: np.ndarray
    classified: np.ndarray
    ratio: np.ndarray


def read_labelled(
    reader: DecoderReader,
    presence: FindingPresence | None,
    root: Path,
    sources: Sequence[str],
    split: str = "val",
) -> Labelled:
    """Read the films of a split of each data set below `root`."""
    studies = [
        study
        for source in sources
        for study in frontal(load_split(root / source, load_studies(root / source))[split])
        if study.image is not None
    ]
    own, classified, ratios = [], [], []
    for study in studies:
        assert study.image is not None, "studies without a film were left out"
        image = load_image(study.image)
        said = reader(reader.preprocess.square(image))
        heads = presence(image).chances if presence else {}
        own.append([said.probabilities[name] for name in READ])
        classified.append([heads.get(name, np.nan) for name in READ])
        ratios.append(said.ratio.value if said.ratio else np.nan)
    return Labelled(
        labels_of(studies, READ).numpy(),
        np.array(own, np.float32).reshape(-1, len(READ)),
        np.array(classified, np.float32).reshape(-1, len(READ)),
        np.array(ratios, np.float32),
    )


def choose_speaker(films: Labelled, target: str, level: Level) -> tuple[Level, dict]:
    """Who speaks for a finding: the classifier where its area under the curve is clearly larger.

    Returns:
        The level, and what it rests on; {} where too few films show the finding.
    """
    place = READ.index(target)
    labels, classified = films.labels[:, place], films.classified[:, place]
    known = ~np.isnan(labels) & ~np.isnan(classified)
    shown, absent = known & (labels == 1), known & (labels == 0)
    if target == CARDIOMEGALY or min(shown.sum(), absent.sum()) < FEWEST:
        return level, {}
    about = {"films": int(shown.sum()), "absent": int(absent.sum())}
    for name, said in (("own", films.own[:, place]), ("classifier", classified)):
        about[f"auroc_of_{name}"] = round(auroc(said[shown], said[absent]), 4)
    if about["auroc_of_classifier"] < about["auroc_of_own"] + LEAST_GAIN:
        return level, about
    limit = float(np.quantile(classified[absent], SPECIFICITY, method="higher")) + 1e-6
    about |= {
        "sensitivity": round(float((classified[shown] >= limit).mean()), 4),
        "specificity": round(float((classified[absent] < limit).mean()), 4),
    }
    return replace(level, classified_from=round(limit, 5)), about


def choose_enlarged(ratios: np.ndarray, shown: np.ndarray) -> tuple[float, dict]:
    """The ratio from which a heart counts as enlarged, at HEART_SPECIFICITY.

    Args:
        ratios: float [N], without NaN.
        shown: bool [N], whether the film shows cardiomegaly.

    Returns:
        The ratio, at least one half, and what it rests on.
    """
    absent = ratios[~shown]
    limit = float(np.quantile(absent, HEART_SPECIFICITY, method="higher")) + 1e-4
    limit = max(0.5, round(limit, 3))
    about = {
        "films": int(shown.sum()),
        "absent": len(absent),
        "auroc": round(auroc(ratios[shown], absent), 4),
        "enlarged_from": limit,
        "sensitivity": round(float((ratios[shown] >= limit).mean()), 4),
        "specificity": round(float((absent < limit).mean()), 4),
        "sensitivity_at_one_half": round(float((ratios[shown] >= 0.5).mean()), 4),
        "specificity_at_one_half": round(float((absent < 0.5).mean()), 4),
    }
    return limit, about


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """The share of pairs in which the film with the finding has the larger value; ties half."""
    above = (positive[:, None] > negative[None]).mean()
    return float(above + (positive[:, None] == negative[None]).mean() / 2)

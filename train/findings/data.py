"""What the finding network learns from: images, what three kinds of readers say, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxr.findings import NIH_FINDINGS
from cxr.images import Preprocess
from train.common.image_cache import pack_studies
from train.reporting.labels import QUIET_SHARE, Readings, goals, read_labels, studies_of

OUTLINED_TIMES = 1.5  # as often as other images these are drawn
LARGEST_WEIGHT = 4.0  # of one answer, where the mean over a column is 1


@dataclass(frozen=True, eq=False)
class FindingData:
    """N images and what is said of F findings on them by three kinds of readers.

    Attributes:
        images: uint8 [N, S, S].
        goals, weights: float32 [N, 3F], as train.reporting.labels.goals gives them; weights have a
            mean of 1 over the images that are trained on.
        chances: float64 [N], how often an image is drawn; 0 for those that are not trained on.
        readings: of all images.
        source: str [N], such as "nih val".
        held: bool [N], images that the panel read.
    """

    images: np.ndarray
    goals: np.ndarray
    weights: np.ndarray
    chances: np.ndarray
    readings: Readings
    source: np.ndarray
    held: np.ndarray


def load_data(
    data: Path,
    experts: Path,
    more: Sequence[Path],
    preprocess: Preprocess,
    cache: Path,
) -> FindingData:
    """Decode and label the train and val splits.

    Args:
        data: a data set with mined labels.
        experts: one that a panel of radiologists read, which is never trained on: heads on the
            network's features are fitted to the panel's votes.
        more: further data sets to train on.
        preprocess: of the network.
        cache: of decoded images.

    Raises:
        ValueError: a data set that cannot be read.
    """
    wanted = [(root, "train") for root in (data, *more)]
    wanted.append((experts, "train"))
    wanted += [(root, "val") for root in (data, experts)]
    readings, images, source = [], [], []
    for root, split in wanted:
        studies, squares, _ = pack_studies(studies_of(root, split, quiet=1.0), preprocess, cache)
        readings.append(read_labels(root, studies, NIH_FINDINGS))
        images.append(squares)
        source += [f"{root.resolve().name} {split}"] * len(studies)
    said, places = Readings.joined(readings), np.array(source)
    panel = places == f"{experts.resolve().name} train"
    trained = np.char.endswith(places, " train") & ~panel
    asked, weights = goals(said, trained)
    mean = weights[trained].mean(0).clip(1e-6)
    chances = np.ones(len(said))
    drawn = ~np.isnan(said.outlined).all(1)
    chances[drawn] = OUTLINED_TIMES
    quiet = ~(said.mined == 1).any(1) & ~drawn & ~np.isin(places, [f"{data.resolve().name} train"])
    chances[quiet] = QUIET_SHARE
    chances[~trained] = 0
    return FindingData(
        np.concatenate(images),
        asked,
        np.minimum(weights / mean, LARGEST_WEIGHT).astype(np.float32),
        chances / chances.sum(),
        said,
        places,
        panel | (places == f"{experts.resolve().name} val"),
    )

"""Images of which only boxes around opacities are known, as weak supervision of the localizer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from cxr.anatomy import OPACITY
from cxr.data import Box, load_boxes, load_split, load_studies, stem
from cxr.findings import Study
from cxr.images import Preprocess
from cxr.localization import parse
from train.common.image_cache import pack_studies
from train.common.studies import frontal
from train.localizer.mask_data import Answers


class BoxData(Answers):
    """Images with boxes around opacities.

    The ellipse that fills a box is taken for its opacity, what lies outside of them all for none.
    Nothing else is known of these images.
    """

    def __init__(
        self,
        studies: Sequence[Study],
        boxes: Sequence[Sequence[Box]],
        view: Preprocess,
        cache: Path,
    ) -> None:
        """Read N studies and the boxes of each; `view` squares them, `cache` keeps them."""
        kept, self.images, readable = pack_studies(studies, view, cache)
        places = [row for row, there in zip(boxes, readable) if there]
        squares = [_ellipses(study, row, view) for study, row in zip(kept, places)]
        self._squares = np.stack(squares) if squares else self.images

    def _target(self, row: int, target: str) -> np.ndarray | None:
        return self._squares[row] if target == OPACITY else None


def boxed_studies(roots: Sequence[Path]) -> tuple[list[Study], list[list[Box]]]:
    """Frontal studies of the train splits with boxes around opacities.

    Args:
        roots: Data sets. The split is that of the boxes where they name one, else load_split's.

    Returns:
        The studies, and the boxes of each.

    Raises:
        ValueError: For a data set without boxes.
    """
    studies, chosen = [], []
    for root in roots:
        boxes, found = load_boxes(root), load_studies(root)
        if not any(box.split for places in boxes.values() for box in places):
            found = load_split(root, found)["train"]
        for study in frontal(found):
            own = [
                box
                for box in boxes.get(stem(study.image.name), ())
                if (query := parse(box.label)) and query.target == OPACITY
            ]
            if own and all(box.split in ("", "train") for box in own):
                studies.append(study)
                chosen.append(own)
    return studies, chosen


def _ellipses(study: Study, boxes: Sequence[Box], view: Preprocess) -> np.ndarray:
    """uint8 [S, S], 255 inside."""
    with Image.open(study.image) as image:
        mask = Image.new("L", image.size)
    draw, (width, height) = ImageDraw.Draw(mask), mask.size
    for box in boxes:
        left, top, wide, tall = box.place
        draw.ellipse(
            [left * width, top * height, (left + wide) * width - 1, (top + tall) * height - 1],
            fill=255,
        )
    return view.square(mask)

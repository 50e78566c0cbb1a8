"""Whether a frontal image seems to be mirrored, by where the heart lies."""

from __future__ import annotations

from PIL import Image

from cxr.anatomy import HEART
from cxr.localization.localizer import Localization, Localizer
from cxr.localization.measure import heart_offset

# Heart offset up to which an image counts as mirrored: 1 of 221 adults' validation images of four
# data sets, and 192 of them when they were mirrored (python -m train.localizer.mirrored).
MIRRORED = 0.0
MIRROR_WARNING = (
    "This image seems to be mirrored: the heart lies more to the right of the patient. Check the "
    "side marker and turn it left to right, unless the heart truly lies there."
)


def mirror_warning(localizer: Localizer, image: Image.Image) -> str:
    """Return a warning where the heart of a frontal image lies on the wrong side; "" elsewhere.

    Args:
        localizer: as Localizer.load gives it.
        image: as cxr.load_image takes it.

    Raises:
        ValueError: an unreadable image.
    """
    return mirror_warning_of(localizer.find(image, HEART))


def mirror_warning_of(heart: Localization) -> str:
    """As `mirror_warning`, from where HEART was located."""
    offset = heart_offset(*heart.maps)
    return MIRROR_WARNING if offset is not None and offset <= MIRRORED else ""

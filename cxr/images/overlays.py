"""Colors of heat maps, outlines of masks, and a mark burned into the corner of an image.

Pure functions: a Pillow image that is handed in is never changed.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import binary_erosion

Color = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Every 16th of matplotlib's "inferno" (van der Walt and Smith, CC0): lightness grows evenly, also
# for color-blind readers and in print.
INFERNO = (
    *((0, 0, 4), (11, 7, 36), (33, 12, 74), (61, 9, 101), (87, 16, 110), (113, 25, 110)),
    *((138, 34, 106), (163, 44, 97), (188, 55, 84), (210, 70, 68), (228, 90, 49)),
    *((241, 115, 29), (249, 142, 9), (252, 172, 17), (249, 203, 53), (242, 234, 105)),
    (252, 255, 164),
)
CLEAR, FULL = 0.25, 0.75  # heat up to CLEAR leaves the image untouched; from FULL on it is opaque
CYAN: Color = (0, 220, 255)


def heat_colors(heat: np.ndarray) -> np.ndarray:
    """Heat in [0, 1] of any shape [...] -> uint8 [..., 3] on the inferno scale."""
    stops = np.linspace(0, 1, len(INFERNO))
    channels = [np.interp(heat, stops, channel) for channel in zip(*INFERNO)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def heat_opacity(heat: np.ndarray) -> np.ndarray:
    """Heat in [0, 1] -> opacity in [0, 1]: 0 up to CLEAR, 1 from FULL on, smooth between."""
    rise = ((heat - CLEAR) / (FULL - CLEAR)).clip(0, 1)
    return rise * rise * (3 - 2 * rise)


def contour_overlay(
    image: Image.Image, mask: np.ndarray, color: Color = CYAN, thickness: int = 2
) -> Image.Image:
    """Draw the inner edge of a mask; what lies inside and outside stays visible.

    image: mode "L" or "RGB". mask: bool [H, W] at the image's size; an empty one draws nothing.
    thickness: in pixels. Returns mode "RGB".
    Raises ValueError for another mode or shape, a mask that is not bool, or thickness below 1.
    """
    _require(image, "L", "RGB")
    mask = np.asarray(mask)
    if mask.shape != (image.height, image.width):
        raise ValueError(
            f"expected a mask [{image.height}, {image.width}] like the image; "
            f"got {list(mask.shape)}. Resize it with Preprocess.unsquare."
        )
    if mask.dtype != bool or thickness < 1:
        raise ValueError(
            f"expected a bool mask and a thickness of at least 1; got {mask.dtype} and "
            f"{thickness}. Threshold the mask first, for instance mask > 0.5."
        )
    inner = binary_erosion(mask, iterations=thickness)
    pixels = np.array(image.convert("RGB"))
    pixels[mask & ~inner] = color
    return Image.fromarray(pixels)


def corner_mark(image: Image.Image, text: str) -> Image.Image:
    """Burn a small mark into the lower left corner; size and mode stay.

    image: mode "L" or "RGB"; text: one line, such as "SYNTHETIC", at most half the width of the
    image where letters of 6 px allow. Raises ValueError for another mode or an empty text.
    """
    _require(image, "L", "RGB")
    if not text.strip():
        raise ValueError("expected a mark to burn into the image; got none. Pass a text.")
    font = _fitting_font(text.replace(" ", ""), image.width // 2, max(8, image.width // 16))
    marked = image.copy()
    draw = ImageDraw.Draw(marked)
    left, top, right, bottom = draw.textbbox((2, image.height - 2), text, font, anchor="lb")
    draw.rectangle((0, top - 2, right + 2, image.height), fill=0)
    draw.text((2, image.height - 2), text, "white", font, anchor="lb")
    return marked


def _fitting_font(text: str, width: int, largest: int) -> Font:
    """Pillow's own font at the largest size at which the longest word fits; at least 6 px."""
    size = largest
    while size > 6:
        font = ImageFont.load_default(size)
        if max(font.getlength(word) for word in text.split()) <= width:
            break
        size -= 1
    return ImageFont.load_default(size)


def _require(image: Image.Image, *modes: str) -> None:
    if image.mode not in modes:
        raise ValueError(
            f'expected an image of mode {" or ".join(modes)}; got "{image.mode}". '
            "Pass it through cxr.load_image first."
        )

"""Pictures from numbers: window and level, heat maps, contours, zoom and captions over a film.

Pure functions: each takes a Pillow image (never changed) and returns a new one.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom exclusive

# Every 16th of matplotlib's "inferno" (van der Walt and Smith, CC0): lightness grows evenly, also
# for colour-blind readers and in print.
INFERNO = (
    *((0, 0, 4), (11, 7, 36), (33, 12, 74), (61, 9, 101), (87, 16, 110), (113, 25, 110)),
    *((138, 34, 106), (163, 44, 97), (188, 55, 84), (210, 70, 68), (228, 90, 49)),
    *((241, 115, 29), (249, 142, 9), (252, 172, 17), (249, 203, 53), (242, 234, 105)),
    (252, 255, 164),
)
CLEAR, FULL = 0.25, 0.75  # heat up to CLEAR leaves the film untouched; from FULL on it is opaque
CYAN: Colour = (0, 220, 255)


def window_level(image: Image.Image, centre: float = 127.5, width: float = 255) -> Image.Image:
    """Spread the grey levels centre - width / 2 .. centre + width / 2 over 0..255, linearly.

    image: mode "L". The defaults change nothing. Returns mode "L" of the same size.
    Raises ValueError unless both are finite and the width above 0.
    """
    _require(image, "L")
    if not (math.isfinite(centre) and math.isfinite(width) and width > 0):
        raise ValueError(
            f"expected a finite centre and a width above 0; got {centre} and {width}. "
            "Reset the window to centre 127.5, width 255."
        )
    levels = (np.arange(256) - (centre - width / 2)) * (255 / width)
    return image.point(np.floor(levels.clip(0, 255) + 0.5).astype(int).tolist())


def heat_colors(heat: np.ndarray) -> np.ndarray:
    """Heat in [0, 1] of any shape [...] -> uint8 [..., 3] on the inferno scale."""
    stops = np.linspace(0, 1, len(INFERNO))
    channels = [np.interp(heat, stops, channel) for channel in zip(*INFERNO)]
    return np.round(np.stack(channels, axis=-1)).astype(np.uint8)


def heat_opacity(heat: np.ndarray) -> np.ndarray:
    """Heat in [0, 1] -> opacity in [0, 1]: 0 up to CLEAR, 1 from FULL on, smooth between."""
    rise = ((heat - CLEAR) / (FULL - CLEAR)).clip(0, 1)
    return rise * rise * (3 - 2 * rise)


def heat_overlay(image: Image.Image, heat: np.ndarray, opacity: float = 0.6) -> Image.Image:
    """Lay a heat map over a film; where the heat is low the film stays as it was.

    image: mode "L" or "RGB". heat: [H, W] in [0, 1] at the image's size.
    opacity: in [0, 1], of the hottest places. Returns mode "RGB".
    Raises ValueError for another mode, shape or range, and for NaN.
    """
    _require(image, "L", "RGB")
    heat = np.asarray(heat, np.float32)
    _require_shape(image, heat)
    if not ((heat >= 0) & (heat <= 1)).all():
        raise ValueError(
            f"expected heat within [0, 1]; got {heat.min():g} to {heat.max():g}. "
            "Scale the map and remove NaN before drawing it."
        )
    if not 0 <= opacity <= 1:
        raise ValueError(f"expected an opacity within [0, 1]; got {opacity}. Use 0.6.")
    film = np.asarray(image.convert("RGB"), np.float32)
    alpha = (opacity * heat_opacity(heat))[..., None]
    mixed = film + alpha * (heat_colors(heat) - film)
    return Image.fromarray(np.round(mixed).astype(np.uint8))


def contour_overlay(
    image: Image.Image, mask: np.ndarray, colour: Colour = CYAN, thickness: int = 2
) -> Image.Image:
    """Draw the inner edge of a mask; what lies inside and outside stays visible.

    image: mode "L" or "RGB". mask: bool [H, W] at the image's size; an empty one draws nothing.
    thickness: in pixels. Returns mode "RGB".
    Raises ValueError for another mode or shape, a mask that is not bool, or thickness below 1.
    """
    _require(image, "L", "RGB")
    mask = np.asarray(mask)
    _require_shape(image, mask)
    if mask.dtype != bool or thickness < 1:
        raise ValueError(
            f"expected a bool mask and a thickness of at least 1; got {mask.dtype} and "
            f"{thickness}. Threshold the mask first, for instance mask > 0.5."
        )
    inner = mask
    for _ in range(thickness):
        inner = _eroded(inner)
    film = np.array(image.convert("RGB"))
    film[mask & ~inner] = colour
    return Image.fromarray(film)


def zoom_box(size: tuple[int, int], factor: float, centre: tuple[float, float]) -> Box:
    """The part of an image to show at a magnification.

    size: (width, height) in pixels. factor: 1 shows everything, 2 half of each side.
    centre: (x, y) as fractions in [0, 1]; moved as needed to keep the box inside the image.
    Raises ValueError for a factor below 1 or a centre outside the image.
    """
    if not (math.isfinite(factor) and factor >= 1 and all(0 <= c <= 1 for c in centre)):
        raise ValueError(
            f"expected a factor of at least 1 and a centre within [0, 1]; got {factor} and "
            f"{centre}. Reset the zoom to 1."
        )
    spans = [max(1, round(side / factor)) for side in size]
    starts = [
        min(max(round(at * side - span / 2), 0), side - span)
        for at, side, span in zip(centre, size, spans)
    ]
    return starts[0], starts[1], starts[0] + spans[0], starts[1] + spans[1]


def crop(image: Image.Image, box: Box) -> Image.Image:
    """The part of an image inside a box, pixel by pixel.

    Raises ValueError for a box that is empty or reaches outside the image.
    """
    left, top, right, bottom = box
    if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
        raise ValueError(
            f"expected a box (left, top, right, bottom) inside {image.width} x {image.height}; "
            f"got {box}. Use zoom_box."
        )
    return image.crop(box)


def zoom(image: Image.Image, box: Box) -> Image.Image:
    """The part inside a box, magnified to fill the image's own size as far as its aspect allows.

    Never squashed: both sides grow by the same factor. Raises ValueError as `crop` does.
    """
    part = crop(image, box)
    factor = min(image.width / part.width, image.height / part.height)
    size = (max(1, round(part.width * factor)), max(1, round(part.height * factor)))
    return part if size == part.size else part.resize(size, Image.Resampling.BICUBIC)


def label_strip(image: Image.Image, text: str) -> Image.Image:
    """Add a black strip with white text beneath a film, for instance to mark it as synthetic.

    image: mode "L" or "RGB", which is kept; its pixels stay as they are. The strip is as wide as
    the image and as high as the text needs, broken into lines between words.
    Raises ValueError for another mode or an empty text.
    """
    _require(image, "L", "RGB")
    if not text.strip():
        raise ValueError("expected a caption to write under the film; got none. Pass a text.")
    margin = max(4, image.width // 40)
    font = _fitting_font(text, image.width - 2 * margin, max(10, image.width // 24))
    lines = _lines(text, font, image.width - 2 * margin)
    spacing = sum(font.getmetrics())
    strip = margin + spacing * len(lines) + margin // 2
    page = Image.new(image.mode, (image.width, image.height + strip))
    page.paste(image, (0, 0))
    draw = ImageDraw.Draw(page)
    white = 255 if image.mode == "L" else (255, 255, 255)
    for number, line in enumerate(lines):
        at = (image.width / 2, image.height + margin + number * spacing)
        draw.text(at, line, fill=white, font=font, anchor="ma")
    return page


def corner_mark(image: Image.Image, text: str) -> Image.Image:
    """Burn a small mark into the lower left corner, over the film, whose size and mode stay.

    image: mode "L" or "RGB"; text: one line, such as "SYNTHETIC", at most half the width of the
    image where letters of 6 px allow. Raises ValueError for another mode or an empty text.
    """
    _require(image, "L", "RGB")
    if not text.strip():
        raise ValueError("expected a mark to burn into the film; got none. Pass a text.")
    font = _fitting_font(text.replace(" ", ""), image.width // 2, max(8, image.width // 16))
    marked = image.copy()
    draw = ImageDraw.Draw(marked)
    left, top, right, bottom = draw.textbbox((2, image.height - 2), text, font, anchor="lb")
    draw.rectangle((0, top - 2, right + 2, image.height), fill=0)
    draw.text((2, image.height - 2), text, "white", font, anchor="lb")
    return marked


def _fitting_font(text: str, width: int, largest: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font at the largest size at which the longest word fits; at least 6 px."""
    size = largest
    while size > 6:
        font = ImageFont.load_default(size)
        if max(font.getlength(word) for word in text.split()) <= width:
            break
        size -= 1
    return ImageFont.load_default(size)


def _lines(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _eroded(mask: np.ndarray) -> np.ndarray:
    """Bool [H, W] without the pixels that touch, at one of four sides, what is outside."""
    padded = np.pad(mask, 1)
    upright = padded[:-2, 1:-1] & padded[2:, 1:-1]
    return mask & upright & padded[1:-1, :-2] & padded[1:-1, 2:]


def _require(image: Image.Image, *modes: str) -> None:
    if image.mode not in modes:
        raise ValueError(
            f'expected an image of mode {" or ".join(modes)}; got "{image.mode}". '
            "Pass it through cxr.load_image first."
        )


def _require_shape(image: Image.Image, values: np.ndarray) -> None:
    if values.shape != (image.height, image.width):
        raise ValueError(
            f"expected a map [{image.height}, {image.width}] like the image; "
            f"got {list(values.shape)}. Resize it with Preprocess.unsquare."
        )

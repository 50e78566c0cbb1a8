"""A photograph of an X-ray, straightened: the quadrilateral on its background is cut out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

_SIDE = 256  # pixels of the copy in which the quadrilateral is looked for
_HULL_CORNERS = 16  # of the hull, at most; four of them are chosen
_SHARE = (0.15, 0.97)  # of the picture that the quadrilateral may cover
_FILLED = 0.85  # of the quadrilateral that has to be foreground
_SPARED = 0.92  # of the foreground that the quadrilateral has to hold
_RIM = 3  # pixels of the picture's edge that count as background
_CALM = 2.0  # grey levels a pixel that a background may change by


def straighten(image: Image.Image) -> Image.Image | None:
    """Cut out the X-ray that a photograph shows on a calmer background, seen from the front.

    Args:
        image: mode "L".

    Returns:
        The X-ray alone, mode "L", or None where the picture shows no quadrilateral with a
        background around it, so that it may be an X-ray that fills the picture.
    """
    corners = _corners(image)
    if corners is None:
        return None
    top, right, bottom, left = (
        float(np.linalg.norm(corners[(i + 1) % 4] - corners[i])) for i in range(4)
    )
    size = (round(max(top, bottom)), round(max(left, right)))
    if min(size) < 32:
        return None
    return image.transform(
        size,
        Image.Transform.PERSPECTIVE,
        _perspective(np.array([(0, 0), (size[0], 0), size, (0, size[1])], float), corners),
        Image.Resampling.BICUBIC,
    )


def _corners(image: Image.Image) -> np.ndarray | None:
    """Return the corners, float64 [4, 2] as x, y in pixels, clockwise from the top left."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE))
    pixels = np.asarray(small, np.float64)
    region = _foreground(pixels)
    if region is None:
        return None
    chosen = _largest_quadrilateral(region)
    if chosen is None:
        return None
    inside = _covered(chosen, region.shape)
    covers = inside.mean()
    if not _SHARE[0] <= covers <= _SHARE[1]:
        return None
    if region[inside].mean() < _FILLED or inside[region].mean() < _SPARED:
        return None
    order = np.argsort(np.arctan2(*(chosen - chosen.mean(0)).T[::-1]))
    chosen = chosen[order]  # clockwise on the page, where y grows downwards
    chosen = np.roll(chosen, -int(chosen.sum(1).argmin()), axis=0)
    return (chosen + 0.5) * (np.array(image.size) / np.array(small.size))


def _foreground(pixels: np.ndarray) -> np.ndarray | None:
    """Return the largest region that the background does not reach: bool [H, W]; None without one.

    The background is what is connected with the edge of the picture without crossing a contrast
    above that of its own grain.
    """
    smooth = ndimage.gaussian_filter(pixels, 1.5)
    slope = ndimage.gaussian_gradient_magnitude(smooth, 1)
    edge = np.ones(pixels.shape, bool)
    edge[_RIM:-_RIM, _RIM:-_RIM] = False
    calm = slope <= max(_CALM, 3 * float(np.median(slope[edge])))
    labels, _ = ndimage.label(calm)
    reached = np.isin(labels, np.unique(labels[edge & calm])) & calm
    labels, found = ndimage.label(ndimage.binary_opening(~reached, iterations=2))
    if not found:
        return None
    largest = 1 + int(np.bincount(labels.ravel())[1:].argmax())
    filled = ndimage.binary_fill_holes(labels == largest)
    inner = ndimage.binary_erosion(filled, iterations=3)  # the slope is as wide on either side
    return inner if inner.any() else None


def _largest_quadrilateral(region: np.ndarray) -> np.ndarray | None:
    """Return the four corners of the hull that span most: float64 [4, 2] as x, y."""
    points = np.argwhere(region)[:, ::-1].astype(float)
    try:
        corners = points[ConvexHull(points).vertices]
    except QhullError:
        return None
    while len(corners) > _HULL_CORNERS:  # without the corner that cuts off least
        before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
        a, b = corners - before, after - before
        corners = np.delete(corners, np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).argmin(), axis=0)
    if len(corners) < 4:
        return None
    four = np.array(list(combinations(range(len(corners)), 4)))
    x, y = corners[four, 0], corners[four, 1]
    area = np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(1))
    return corners[four[area.argmax()]]


def _covered(corners: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return which pixels lie inside a convex quadrilateral: bool of a shape (H, W)."""
    middle = corners.mean(0)
    ordered = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    inside = np.ones(shape, bool)
    for (x0, y0), (x1, y1) in zip(ordered, np.roll(ordered, -1, axis=0)):
        inside &= (x1 - x0) * (rows - y0) - (y1 - y0) * (columns - x0) >= -1e-6
    return inside


def _perspective(target: np.ndarray, source: np.ndarray) -> tuple[float, ...]:
    """Return Pillow's eight numbers of the perspective that takes target points to source points.

    Args:
        target: float64 [4, 2], corners of the result.
        source: float64 [4, 2], the same corners in the picture.
    """
    rows = []
    for (x, y), (u, v) in zip(target, source):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    return tuple(np.linalg.solve(np.array(rows), source.ravel()))

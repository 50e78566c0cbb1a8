"""Pictures that the gate of the report suggester learns from.

They are X-rays, turned and inverted ones, parts of them, and pictures of other things. Other things
are drawn (shapes, textures) or ship inside Python packages; some drawings and some pictures are
kept out of fitting, so that the gate is judged on kinds that it has never met.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from cxr.findings import Study
from cxr.images import Preprocess, load_image
from train.reporting.drawings import HELD_OUT_DRAWINGS, draw, drawings

SMALL = Preprocess(128, 0.0, 1.0, 1)  # of a blurred image: the larger collections come so
TURNS = {"turned 90": 90, "turned 180": 180, "turned 270": 270}  # degrees, anticlockwise


@dataclass(frozen=True)
class Picture:
    """A picture that can be opened: `name` says all that its pixels depend on."""

    name: str
    open: Callable[[], Image.Image]


def film_pictures(studies: Sequence[Study], kind: str, seed: int = 0) -> list[Picture]:
    """The images of the studies, as they are or made into another kind.

    Args:
        studies: those whose images are taken.
        kind: "frontal" leaves them; "jittered", "blurred", "mirrored", one of TURNS, "inverted" or
            "part" changes them.
        seed: of what is random; each image adds its row.
    """
    return [
        Picture(
            f"{_state(study.image)}|{kind}|{seed + row}",
            partial(_open, study.image, kind, seed + row),
        )
        for row, study in enumerate(studies)
    ]


def blank_picture() -> Picture:
    """A film of one grey, which says nothing of anybody."""
    return Picture("blank|128", lambda: Image.new("L", (256, 256), 128))


def _state(path: Path) -> str:
    status = path.stat()
    return f"{path.name}|{status.st_size}|{status.st_mtime_ns}"


def _open(path: Path, kind: str, seed: int) -> Image.Image:
    film = load_image(path)
    random = np.random.default_rng(seed)
    if kind in TURNS:
        return film.rotate(TURNS[kind], expand=True)
    if kind == "inverted":
        return ImageOps.invert(film)
    if kind == "mirrored":
        return ImageOps.mirror(film)
    if kind == "blurred":
        return Image.fromarray(SMALL.square(film))
    if kind == "jittered":
        return jitter(film, random)
    return part(film, random) if kind == "part" else film


def jitter(film: Image.Image, random: np.random.Generator) -> Image.Image:
    """An image as another operator might have sent it.

    It is tilted by up to 8 degrees, cropped by up to a tenth a side, darker or brighter, and has
    more or less contrast.
    """
    film = film.rotate(random.uniform(-8, 8), Image.Resampling.BILINEAR)
    width, height = film.size
    left, top, right, bottom = random.uniform(0, 0.1, 4)
    film = film.crop(
        (int(left * width), int(top * height), int((1 - right) * width), int((1 - bottom) * height))
    )
    film = ImageEnhance.Brightness(film).enhance(random.uniform(0.75, 1.25))
    return ImageEnhance.Contrast(film).enhance(random.uniform(0.7, 1.3))


def part(film: Image.Image, random: np.random.Generator) -> Image.Image:
    """A piece of a film: what lies below the lungs, or a window of a fifth of the area."""
    width, height = film.size
    if random.random() < 0.5:
        return film.crop((0, int(random.uniform(0.66, 0.72) * height), width, height))
    left, top = random.uniform(0, 0.55, 2)
    return film.crop(
        (
            int(left * width),
            int(top * height),
            int((left + 0.45) * width),
            int((top + 0.45) * height),
        )
    )


def other_pictures(held_out: bool, count: int, seed: int = 0) -> list[Picture]:
    """`count` pictures of other things: half drawn, half windows of photographs and the like.

    held_out: those that no gate is fitted on, made of other families and other pictures.
    """
    families = HELD_OUT_DRAWINGS if held_out else drawings()
    drawn = [
        Picture(f"drawn|{name}|{seed + row}", partial(draw, name, seed + row))
        for row, name in zip(range(count // 2), _cycle(families))
    ]
    paths = packaged_pictures(held_out)
    windows = [
        Picture(f"{path.name}|{seed + row}", partial(_window, path, row, seed + row))
        for row, path in zip(range(count - len(drawn)), _cycle(paths))
    ]
    return drawn + windows


def _cycle(values: Sequence):
    while True:
        yield from values


@cache
def packaged_pictures(held_out: bool) -> tuple[Path, ...]:
    """Pictures inside scikit-image, scikit-learn, matplotlib and pydicom.

    CT and MR slices are held out, as is every second of the others.

    Raises:
        ValueError: scikit-image is not installed.
    """
    try:
        import skimage
    except ImportError as error:
        raise ValueError(
            "expected scikit-image, whose pictures the gate is fitted on; "
            "install it: pip install -e .[train]"
        ) from error
    import matplotlib
    import pydicom
    import sklearn

    folders = [
        Path(skimage.__file__).parent / "data",
        Path(matplotlib.get_data_path()) / "sample_data",
        Path(sklearn.__file__).parent / "datasets" / "images",
    ]
    found = sorted(
        (
            path
            for folder in folders
            for path in folder.iterdir()
            if path.suffix in (".png", ".jpg")
        ),
        key=lambda path: path.name,
    )
    slices = [
        Path(pydicom.__file__).parent / "data" / "test_files" / name
        for name in ("CT_small.dcm", "MR_small.dcm")
    ]
    readable = [path for path in found if _reads(path)]
    return (*readable[1::2], *filter(_reads, slices)) if held_out else tuple(readable[::2])


def _reads(path: Path) -> bool:
    try:
        load_image(path)
    except ValueError:
        return False
    return True


def _window(path: Path, row: int, seed: int) -> Image.Image:
    """The whole picture the first time round, then random windows of it, mirrored or not."""
    picture = load_image(path)
    if row < len(packaged_pictures(False)):
        return picture
    random = np.random.default_rng(seed)
    width, height = picture.size
    share = random.uniform(0.4, 0.9)
    left, top = random.uniform(0, 1 - share, 2)
    window = picture.crop(
        (
            int(left * width),
            int(top * height),
            int((left + share) * width),
            int((top + share) * height),
        )
    )
    if min(window.size) < 32:
        window = picture
    return ImageOps.mirror(window) if random.random() < 0.5 else window

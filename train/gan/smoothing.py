"""How much the images of a generator are smoothed, by the spectra of real ones.

    python -m train.gan.smoothing --weights weights/generator --data ROOT ROOT

Most training images come reduced without antialiasing, and a generator draws their false texture
and one of its own: fine hatching. Smoothing takes it off again, as much of it as brings the power
of generated images between FINE cycles an image nearest to that of real training images that were
at least twice as wide and so reduced with antialiasing. No network takes part.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from cxr.checkpoints import read_config
from cxr.data import load_split, load_studies
from cxr.files import write_json
from cxr.findings import Study
from cxr.generation import Sampler
from cxr.images import load_image
from train.common.image_cache import pack_studies
from train.common.options import command_line, option, parse_options
from train.common.studies import frontal
from train.evaluate.films import SQUARE
from train.evaluate.generator_measures import SEVERITY, conditions_of, request_of

MODULE = "train.gan.smoothing"
FINE = (16, 60)  # cycles an image whose power is compared
BAND = 4  # cycles
SIGMAS = np.round(np.arange(0, 1.01, 0.05), 2)  # standard deviations in pixels, tried in turn
WIDE = 2  # times the generator's side: images from here on are reduced with antialiasing


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of this script."""

    weights: Path = option(
        "generator's checkpoint, whose config.json is written", "weights/generator"
    )
    data: list[Path] = option("data sets with train splits of large images")
    cache: Path = option("decoded images", Path(".cache/packed"))
    most: int = option("images, of each kind", 400)
    seed: int = option("of every random draw", 0)


def powers(images: np.ndarray) -> np.ndarray:
    """Mean power of N images in bands of BAND cycles an image: float64 [B].

    Args:
        images: real [N, S, S], with any levels.
    """
    side = images.shape[1]
    window = np.hanning(side)[:, None] * np.hanning(side)
    centred = images - images.mean((1, 2), keepdims=True)
    power = (np.abs(np.fft.fft2(centred * window)) ** 2).mean(0)
    cycles = np.fft.fftfreq(side) * side
    radius = np.hypot(cycles[:, None], cycles)
    edges = np.arange(0, side // 2 + 1, BAND)
    inside = (radius >= edges[:-1, None, None]) & (radius < edges[1:, None, None])
    return np.array([power[band].mean() for band in inside])


def choose_smoothing(drawn: np.ndarray, real: np.ndarray) -> tuple[float, dict]:
    """Choose the standard deviation of a Gaussian that brings the spectra nearest.

    Args:
        drawn: uint8 [N, S, S], generated images.
        real: uint8 [M, S, S].

    Returns:
        The standard deviation in pixels, and the mean absolute difference of power in decibels
        between FINE, without it and with it.
    """
    bands = slice(FINE[0] // BAND, FINE[1] // BAND)
    wanted = 10 * np.log10(powers(real.astype(np.float32))[bands])

    def apart(sigma: float) -> np.ndarray:
        smoothed = gaussian_filter(drawn.astype(np.float32), (0, sigma, sigma), mode="reflect")
        return 10 * np.log10(powers(smoothed)[bands]) - wanted

    away = {float(sigma): apart(sigma) for sigma in SIGMAS}
    best = min(away, key=lambda sigma: float(np.square(away[sigma]).mean()))
    return best, {
        "decibels_without": round(float(np.abs(away[0.0]).mean()), 2),
        "decibels_with": round(float(np.abs(away[best]).mean()), 2),
    }


def wide_studies(roots: Sequence[Path], most: int, seed: int) -> list[Study]:
    """At most `most` frontal training studies with images WIDE times as wide as the generator's.

    Raises ValueError where there is none, or a data set cannot be read.
    """
    found = [
        one for root in roots for one in frontal(load_split(root, load_studies(root))["train"])
    ]
    chosen: list[Study] = []
    for row in np.random.default_rng(seed).permutation(len(found)):
        path = found[row].image
        if path is not None and min(load_image(path).size) >= WIDE * SQUARE.size:
            chosen.append(found[row])
        if len(chosen) == most:
            break
    if not chosen:
        raise ValueError(
            f"expected training images of {WIDE * SQUARE.size} px or more, got none; give a data "
            "set with larger images"
        )
    return chosen


def main(argv: Sequence[str] | None = None) -> int:
    """Choose the smoothing, write it into config.json, and return the exit code."""
    options = parse_options(Options, argv, __doc__, MODULE)
    studies = wide_studies(options.data, options.most, options.seed)
    studies, real, _ = pack_studies(studies, SQUARE, options.cache)
    sampler = Sampler.load(options.weights)
    sampler.smoothing = 0.0
    requests = [request_of(study, SEVERITY) for study in studies]
    images = sampler.draw(conditions_of(requests, options.seed), options.seed)
    sigma, record = choose_smoothing(np.stack([np.asarray(image) for image in images]), real)
    about = {"command": command_line(f"python -m {MODULE}", options), "images": len(studies)}
    config = read_config(options.weights)
    training = {**config["training"], "smoothing": {**about, **record}}
    write_json(
        options.weights / "config.json", {**config, "smoothing": sigma, "training": training}
    )
    print(json.dumps({"smoothing": sigma, **record}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

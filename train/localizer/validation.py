"""Scores of a localizer while it is trained, on squares: Dice and false marks by target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from cxr.anatomy import (
    CONSOLIDATION,
    GROUND_GLASS,
    HEART,
    LEFT_LUNG,
    LUNGS,
    OPACITIES,
    RIGHT_LUNG,
    TARGETS,
)
from cxr.localization import Target
from cxr.metrics import dice
from cxr.models import TextGuidedUNet
from train.common.grids import save_grid
from train.localizer.mask_data import INSIDE, MaskData
from train.localizer.prompts import TextBank

CHOSEN_BY = (LUNGS, RIGHT_LUNG, LEFT_LUNG, HEART, GROUND_GLASS, CONSOLIDATION)
THRESHOLD = 0.5
LEVELS = (0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # that a map may be cut at


@torch.inference_mode()
def predict(
    model: TextGuidedUNet,
    images: np.ndarray,
    bank: TextBank | None,
    device: torch.device,
    size: int | None = None,
) -> np.ndarray:
    """Predict a map for each of TARGETS, asked for in the canonical words. Sets eval mode.

    Args:
        model: On `device`.
        images: uint8 [N, S, S].
        bank: Embedded prompts; None for a U-Net that reads no text.
        device: Where to compute.
        size: The side that images are shrunk to on the way, for a model that has met no larger
            ones.

    Returns:
        float32 [N, T, S, S] in [0, 1].
    """
    model.eval()
    text = torch.empty(1, len(TARGETS), 0, device=device)
    if bank is not None:
        text = bank(Target(target).prompt for target in TARGETS)[None].to(device)
    maps = []
    for image in images:  # one by one: the maps of all targets take much memory
        pixels = model.preprocess.normalize(torch.from_numpy(np.array(image))[None].to(device))
        if size:
            pixels = F.interpolate(pixels, size=size, mode="bilinear", antialias=True)
        logits = model(pixels.contiguous(memory_format=torch.channels_last), text).float()
        if size:
            logits = F.interpolate(logits, size=image.shape, mode="bilinear")
        maps.append(logits.sigmoid()[0].cpu().numpy())
    return np.stack(maps)


def score_maps(maps: np.ndarray, data: MaskData) -> dict[str, float]:
    """Score maps against masks.

    Args:
        maps: Float [N, T, S, S] in [0, 1], a map for each of TARGETS.
        data: The N images.

    Returns:
        "dice TARGET": mean Dice over the images that show a target.
        false_marks: The mean share of an image marked where a target is absent.
        score: What chooses a checkpoint, the mean Dice over CHOSEN_BY less false_marks. There an
            opacity counts with the level of LEVELS that is best for all images, since offsets are
            set later.
    """
    found: dict[str, list[float]] = {}
    levels: dict[str, list[list[float]]] = {}
    wrong: list[float] = []
    for row, image_maps in enumerate(maps):
        for target, heat in zip(TARGETS, image_maps):
            truth = data.mask(row, Target(target))
            if truth is None:
                continue
            marked = heat >= THRESHOLD
            if data.present(row, Target(target)):
                found.setdefault(target, []).append(dice(marked, truth >= INSIDE))
                if target in OPACITIES:
                    levels.setdefault(target, []).append(
                        [dice(heat >= level, truth >= INSIDE) for level in LEVELS]
                    )
            else:
                wrong.append(float(marked.mean()))
    scores = {f"dice {target}": float(np.mean(values)) for target, values in found.items()}
    best = {target: float(np.mean(rows, 0).max()) for target, rows in levels.items()}
    chosen = [best.get(target, scores[f"dice {target}"]) for target in CHOSEN_BY if target in found]
    scores["false_marks"] = float(np.mean(wrong)) if wrong else 0.0
    scores["score"] = float(np.mean(chosen)) - scores["false_marks"] if chosen else 0.0
    return scores


def save_samples(maps: np.ndarray, data: MaskData, path: Path, count: int = 6) -> None:
    """Draw one row an image: the image, then truth and prediction of some targets."""
    rows = []
    for row in range(min(count, len(maps))):
        pictures = [data.images[row] / 255]
        for target in (LEFT_LUNG, HEART, GROUND_GLASS, CONSOLIDATION):
            truth = data.mask(row, Target(target))
            pictures += [
                np.zeros(data.images[row].shape) if truth is None else truth / 255,
                maps[row, TARGETS.index(target)],
            ]
        rows.append(pictures)
    save_grid(rows, path)

"""Loss functions: pure, differentiable, averaged over the batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F

EXCLUDED = -1e4  # a logit that takes part in no softmax, finite so that no gradient is NaN


def contrastive_loss(
    image: torch.Tensor,
    text: torch.Tensor,
    temperature: torch.Tensor | float,
    ignore: torch.Tensor | None = None,
) -> torch.Tensor:
    """Symmetric contrastive loss of N matching pairs (InfoNCE; CLIP, Radford et al. 2021).

    image, text: float [N, D], unit rows; row i of one belongs to row i of the other.
    ignore: bool [N, N], True where image i and text j must not count as negatives of each
    other although they are no pair; the diagonal is not looked at.
    Returns a scalar: 0 at best, log N for embeddings that tell nothing apart.
    Raises ValueError when the shapes do not match.
    """
    if image.shape != text.shape or image.ndim != 2:
        raise ValueError(
            f"expected two [N, D] of one shape; got {list(image.shape)} and {list(text.shape)}."
        )
    logits = image @ text.T / temperature
    if ignore is not None:
        off_diagonal = ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        logits = logits.masked_fill(ignore & off_diagonal, EXCLUDED)
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def masked_bce(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy over the labels that are known.

    logits float [B, F]; labels float [B, F], 1 present, 0 absent, NaN unknown.
    Returns a scalar, 0 when no label is known.
    """
    known = ~labels.isnan()
    loss = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(), reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


def masked_smooth_l1(values: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Huber loss over the targets that are known. values, target: float [B]; NaN is unknown."""
    known = ~target.isnan()
    loss = F.smooth_l1_loss(values, target.nan_to_num(), reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


SMOOTH = 1e-3  # of the picture's area: what keeps Dice defined, and its gradient alive, for nothing
LARGEST_WEIGHT = 4.0  # of a pixel inside a small mask


def dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Soft Dice loss of each mask (V-Net, Milletari et al. 2016), an empty one included.

    logits float [N, H, W]; target float [N, H, W] in [0, 1]. Returns float [N] in [0, 1): 0 where
    the mask is met; for an empty target it falls as less is marked.
    """
    marked, smooth = logits.sigmoid(), SMOOTH * logits[0].numel()
    shared = (marked * target).sum((1, 2))
    total = marked.sum((1, 2)) + target.sum((1, 2))
    return 1 - (2 * shared + smooth) / (total + smooth)


def dice_bce(
    logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Dice + binary cross-entropy, the latter weighted for small masks.

    logits float [N, H, W]; target float [N, H, W] in [0, 1]; weight float [N] of each mask, 0 for
    one that is not known. A pixel inside a mask that covers a share s of the picture counts
    sqrt((1 - s) / s) times, at least once and at most LARGEST_WEIGHT times. Returns a scalar, 0
    when no mask is known. Raises ValueError when the shapes do not match.
    """
    if logits.shape != target.shape or logits.ndim != 3:
        raise ValueError(
            f"expected two [N, H, W] of one shape; got {list(logits.shape)}, {list(target.shape)}."
        )
    share = target.mean((1, 2), keepdim=True).clamp(min=1e-6)
    inside = ((1 - share) / share).sqrt().clamp(1.0, LARGEST_WEIGHT)
    pixels = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    each = dice_loss(logits, target) + (pixels * (1 + (inside - 1) * target)).mean((1, 2))
    if weight is None:
        return each.mean()
    return (each * weight).sum() / weight.sum().clamp(min=1e-6)

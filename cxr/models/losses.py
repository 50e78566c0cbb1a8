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
    """Compute the symmetric contrastive loss of N matching pairs (CLIP, Radford et al. 2021).

    Args:
        image: float [N, D], unit rows.
        text: float [N, D], unit rows; row i belongs to row i of `image`.
        temperature: scalar above 0 that similarities are divided by.
        ignore: bool [N, N], True where image i and text j must not count as negatives of each
            other although they are no pair; the diagonal is not looked at.

    Returns:
        A scalar: 0 at best, log N for embeddings that tell nothing apart.

    Raises:
        ValueError: the shapes do not match.
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
    """Compute binary cross-entropy over the labels that are known.

    Args:
        logits: float [B, F].
        labels: float [B, F], 1 present, 0 absent, NaN unknown.

    Returns:
        A scalar, 0 when no label is known.
    """
    known = ~labels.isnan()
    loss = F.binary_cross_entropy_with_logits(logits, labels.nan_to_num(), reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


def masked_smooth_l1(values: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Compute the Huber loss over the targets that are known.

    Args:
        values: float [B].
        target: float [B]; NaN is unknown.

    Returns:
        A scalar, 0 when no target is known.
    """
    known = ~target.isnan()
    loss = F.smooth_l1_loss(values, target.nan_to_num(), reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


SMOOTH = 1e-3  # of the image's area: what keeps Dice defined, and its gradient alive, for nothing
LARGEST_WEIGHT = 4.0  # of a pixel inside a small mask


def dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Compute the soft Dice loss of each mask (V-Net, Milletari et al. 2016), empty ones included.

    Args:
        logits: float [N, H, W].
        target: float [N, H, W] in [0, 1].

    Returns:
        float [N] in [0, 1): 0 where the mask is met; for an empty target it falls as less is
        marked.
    """
    marked, smooth = logits.sigmoid(), SMOOTH * logits[0].numel()
    shared = (marked * target).sum((1, 2))
    total = marked.sum((1, 2)) + target.sum((1, 2))
    return 1 - (2 * shared + smooth) / (total + smooth)


def dice_bce(
    logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute Dice + binary cross-entropy, the latter weighted for small masks.

    A pixel inside a mask that covers a share s of the image counts sqrt((1 - s) / s) times, at
    least once and at most LARGEST_WEIGHT times.

    Args:
        logits: float [N, H, W].
        target: float [N, H, W] in [0, 1].
        weight: float [N] of each mask, 0 for one that is not known; None: 1.

    Returns:
        A scalar, 0 when no mask is known.

    Raises:
        ValueError: the shapes do not match.
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


def bce_discriminator_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Compute the cross-entropy of "real" and "generated" (Goodfellow et al. 2014).

    Args:
        real: logits of real images, float of any shape.
        fake: logits of generated images, float of any shape.

    Returns:
        A scalar: 0 at best, log 2 where real and generated images get the same logits of 0.
    """
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


def bce_generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """The non-saturating form: -log of the chance to pass for real. A scalar, 0 at best."""
    return F.softplus(-fake).mean()


def hinge_discriminator_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Compute the hinge loss (Lim and Ye 2017).

    Args:
        real: logits of real images, float of any shape.
        fake: logits of generated images, float of any shape.

    Returns:
        A scalar: 0 once every real logit is above 1 and every generated one below -1, 1 where all
        are 0.
    """
    return (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2


def hinge_generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """Minus the mean logit of what was generated; unbounded. Returns a scalar."""
    return -fake.mean()


def severity_loss(severity: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Compute how far findings are from the severities that were asked for.

    Findings that are asked for count as much as all others together. A finding that is not asked
    for must stay absent; how surely it is absent does not matter.

    Args:
        severity: float [B, F], 0 as without the finding, 1 as with it.
        wanted: float [B, F], the same; from 0.5 on a finding is asked for.

    Returns:
        A scalar: 0 when each is as asked for, so that nothing is gained by exaggerating.
    """
    asked = wanted >= 0.5
    miss = F.smooth_l1_loss(severity, wanted, reduction="none", beta=0.5)
    above = F.relu(severity - wanted.clamp_min(0.1))
    return (_mean_where(miss, asked) + _mean_where(above, ~asked)) / 2


def mode_seeking_loss(distance: torch.Tensor, wanted: float) -> torch.Tensor:
    """Compute how far images of one text stay nearer to each other than they should.

    It follows the mode seeking loss of Mao et al. (2019).

    Args:
        distance: float [P], at least 0, of P pairs.
        wanted: above 0, in the unit of `distance`.

    Returns:
        A scalar from 1, all pairs alike, to 0, all of them as far apart as wanted or farther.
    """
    return F.relu(1 - distance / wanted).mean()


def _mean_where(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)

"""Losses of generative adversarial networks on logits: pure, averaged over all of them."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def bce_discriminator_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of "real" and "generated" (Goodfellow et al. 2014). real, fake: float logits
    of any shape. Returns a scalar: 0 at best, log 2 where nothing is told apart.
    """
    return (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2


def bce_generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """The non-saturating form: -log of the chance to pass for real. A scalar, 0 at best."""
    return F.softplus(-fake).mean()


def hinge_discriminator_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Hinge loss (Lim and Ye 2017): 0 once every real logit is above 1 and every generated one
    below -1, 1 where all are 0. real, fake: float of any shape. Returns a scalar.
    """
    return (F.relu(1 - real).mean() + F.relu(1 + fake).mean()) / 2


def hinge_generator_loss(fake: torch.Tensor) -> torch.Tensor:
    """Minus the mean logit of what was generated; unbounded. Returns a scalar."""
    return -fake.mean()


def shortfall_loss(
    scores: torch.Tensor, labels: torch.Tensor, present: torch.Tensor, absent: torch.Tensor
) -> torch.Tensor:
    """How far scores stay behind what films with and without a finding have on average.

    scores float [B, F]; labels float [B, F], 1 present, 0 absent, NaN unknown; present, absent
    float [F], present > absent: the scores to reach with a finding, and to stay under without it.
    Returns a scalar in units of present - absent: 0 when all are reached, so that nothing is
    gained by exaggerating. Findings that are present count as much as all absent ones together.
    """
    unit = (present - absent).clamp(min=1e-6)
    behind = F.relu(present - scores) / unit
    above = F.relu(scores - absent) / unit
    return (_mean_where(behind, labels == 1) + _mean_where(above, labels == 0)) / 2


def likeness_loss(distance: torch.Tensor, wanted: float) -> torch.Tensor:
    """How far films of one text stay nearer to each other than they should (after the mode seeking
    loss of Mao et al. 2019). distance: float [P] of pairs, at least 0; wanted: above 0. Returns a
    scalar from 1, all pairs alike, to 0, all of them as far apart as wanted or farther.
    """
    return F.relu(1 - distance / wanted).mean()


def _mean_where(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)

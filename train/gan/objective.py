"""The losses of generator and discriminator, for both profiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from cxr.generation import ConditionFormat
from cxr.models import (
    REFERENCE,
    REFERENCE_DISCRIMINATOR,
    DiscriminatorConfig,
    GeneratorConfig,
    bce_discriminator_loss,
    bce_generator_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    mode_seeking_loss,
    severity_loss,
)
from train.evaluate.generator_measures import THUMBNAIL
from train.gan.augment import cut_out, move, vary_tone
from train.gan.data import Step
from train.gan.guide import COUNT, Guide, HeartRatioReading, Scale


@dataclass(frozen=True)
class Profile:
    """Networks, optimizers and terms of a run.

    Attributes:
        rates: Learning rates of generator and discriminator.
        average: Decay of the weights' moving average, 0 for none.
        finding_weight: Of findings being shown as severely as was asked for, by the guide.
        ratio_weight: Of the heart ratio being the one that was asked for, by the guide.
        diversity_weight: Of images of one text differing as real images with one finding do.
    """

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    rates: tuple[float, float] = (8e-4, 6e-4)
    betas: tuple[float, float] = (0.0, 0.99)
    average: float = 0.995
    finding_weight: float = 4.0
    ratio_weight: float = 2.0
    diversity_weight: float = 4.0

    @property
    def projected(self) -> bool:
        """Whether the discriminator sees feature maps, and images are augmented."""
        return self.discriminator.kind == "features"


PROFILES = {
    "reference": Profile(
        REFERENCE, REFERENCE_DISCRIMINATOR, (2e-4, 1e-4), (0.5, 0.999), 0.0, 0.0, 0.0, 0.0
    ),
    "graded": Profile(),
}


class Views(NamedTuple):
    """What the discriminator is given of B images."""

    pixels: torch.Tensor  # [B, 1, 128, 128]
    maps: list[torch.Tensor]  # of the guide
    features: torch.Tensor | None  # [B, D], of the guide
    logits: torch.Tensor | None  # [B, F], of the guide


@dataclass(frozen=True, eq=False)
class AdversarialObjective:
    """The frozen parts that both losses need.

    Attributes:
        form: Of the conditions; None for the reference, which is told by captions.
        distances: What `typical_distances` says of real images.
    """

    profile: Profile
    guide: Guide
    scale: Scale
    ratio: HeartRatioReading
    form: ConditionFormat | None
    distances: tuple[float, float]

    def views(self, images: torch.Tensor, rng: torch.Generator, pairs: bool = False) -> Views:
        """Augment and encode images where the profile is projected.

        Args:
            images: Float [B, 1, 128, 128] in [-1, 1].
            rng: What is drawn from.
            pairs: Whether the images i and i + B / 2 are augmented alike.

        Returns:
            What the discriminator is given.
        """
        if not self.profile.projected:
            return Views(images, [], None, None)
        state, pixels, small = rng.get_state(), [], []
        for part in images.chunk(2) if pairs else [images]:
            rng.set_state(state)
            toned = vary_tone(part, rng)
            pixels.append(cut_out(move(toned, rng, images.shape[-1], zoom=0.0), rng))
            small.append(move(toned, rng, self.guide.size))
        return Views(torch.cat(pixels), *self.guide(torch.cat(small)))

    def discriminator_loss(
        self, discriminator: nn.Module, real: Views, fake: Views, step: Step
    ) -> torch.Tensor:
        """The discriminator's loss, a scalar; no gradient reaches the generator."""
        if not self.profile.projected:
            # Batch norm over both at once would tell them apart by the batch, and the generator,
            # whose images come alone, would learn nothing.
            truly = discriminator(real.pixels, step.shown)
            return bce_discriminator_loss(truly, discriminator(fake.pixels.detach(), step.wanted))
        count = len(step.rows)
        maps = [torch.cat([one, other.detach()]) for one, other in zip(real.maps, fake.maps)]
        logits = discriminator(
            torch.cat([real.pixels, fake.pixels.detach()]),
            torch.cat([step.shown, step.wanted]),
            torch.cat([torch.ones_like(step.asked), step.asked]),
            maps,
        )
        return hinge_discriminator_loss(logits[:count], logits[count:])

    def generator_losses(
        self, discriminator: Callable, images: torch.Tensor, fake: Views, step: Step
    ) -> dict[str, torch.Tensor]:
        """The generator's terms, not weighted.

        Args:
            discriminator: The network, not wrapped.
            images: What was generated, float [B, 1, 128, 128].
            fake: Its views.
            step: What was drawn.

        Returns:
            Scalars: "adversarial", and for a projected profile "finding", "ratio" and
            "diversity".
        """
        logits = discriminator(fake.pixels, step.wanted, step.asked, fake.maps)
        if not self.profile.projected:
            return {"adversarial": bce_generator_loss(logits)}
        assert self.form is not None and fake.features is not None
        mean, deviation = self.form.heart_ratio
        ratio = (self.ratio(fake.features) - mean) / deviation
        return {
            "adversarial": hinge_generator_loss(logits),
            "finding": severity_loss(self.scale(fake.logits), step.wanted[:, :COUNT]),
            "ratio": F.smooth_l1_loss(ratio, step.wanted[:, COUNT]),
            "diversity": self._diversity_loss(images, fake.features),
        }

    def _diversity_loss(self, images: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """By features and thumbnails of the images i and i + B / 2."""
        half = len(images) // 2
        cosine = 1 - F.cosine_similarity(features[:half], features[half : 2 * half])
        small = F.adaptive_avg_pool2d((images + 1) / 2, THUMBNAIL).flatten(1)
        steps = (small[:half] - small[half : 2 * half]).square().sum(1)
        pixels = (steps + 1e-6).sqrt()  # a root has no gradient at zero
        return (
            mode_seeking_loss(cosine, self.distances[0])
            + mode_seeking_loss(pixels, self.distances[1])
        ) / 2

    def total(self, terms: dict[str, torch.Tensor]) -> torch.Tensor:
        """The generator's loss: the weighted sum of its terms."""
        profile = self.profile
        weights = {
            "adversarial": 1.0,
            "finding": profile.finding_weight,
            "ratio": profile.ratio_weight,
            "diversity": profile.diversity_weight,
        }
        return sum(weights[name] * value for name, value in terms.items())

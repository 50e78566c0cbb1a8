"""What generator and discriminator play for in one step, for both profiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel

from cxr.models import (
    REFERENCE,
    REFERENCE_DISCRIMINATOR,
    DiscriminatorConfig,
    GeneratorConfig,
    bce_discriminator_loss,
    bce_generator_loss,
    contrastive_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    likeness_loss,
    shortfall_loss,
)
from train.evaluate.generator_measures import THUMBNAIL
from train.gan.augment import cut_out, move, vary_tone
from train.gan.data import Step
from train.gan.frozen_encoder import Findings, FrozenEncoder
from train.retrieval.objective import equal_keys


@dataclass(frozen=True)
class Profile:
    """Networks, optimizers and terms of a run. rates: of generator and discriminator. match: how
    much "film and caption belong together" counts in the frozen encoder's eyes; show: the same for
    single findings; differ: how much it counts that films of one text differ as films with one
    finding do. average: decay of the weights' moving average, 0 for none.
    """

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    rates: tuple[float, float] = (8e-4, 6e-4)
    betas: tuple[float, float] = (0.0, 0.99)
    average: float = 0.995
    match: float = 0.5
    show: float = 1.0
    differ: float = 2.0

    @property
    def projected(self) -> bool:
        """Whether the discriminator sees feature maps, and films are augmented."""
        return self.discriminator.kind == "features"


PROFILES = {
    "reference": Profile(
        REFERENCE, REFERENCE_DISCRIMINATOR, (2e-4, 1e-4), (0.5, 0.999), 0.0, 0.0, 0.0, 0.0
    ),
    "embedded": Profile(),
}


class Views(NamedTuple):
    """What the discriminator is shown of B films."""

    pixels: torch.Tensor  # [B, 1, 128, 128]
    maps: list[torch.Tensor]  # of the frozen encoder
    embedding: torch.Tensor | None  # [B, D]


@dataclass(frozen=True, eq=False)
class AdversarialObjective:
    """The frozen parts that both losses need. temperature: of the frozen encoder. apart: what
    `typical_distances` says of real films.
    """

    profile: Profile
    eye: FrozenEncoder
    findings: Findings
    temperature: float
    apart: tuple[float, float]

    def views(self, films: torch.Tensor, rng: torch.Generator, pairs: bool = False) -> Views:
        """Films float [B, 1, 128, 128] in [-1, 1]; augmented where the profile is projected. With
        pairs the films i and i + B / 2 are augmented alike.
        """
        if not self.profile.projected:
            return Views(films, [], None)
        state, pixels, small = rng.get_state(), [], []
        for part in films.chunk(2) if pairs else [films]:
            rng.set_state(state)
            toned = vary_tone(part, rng)
            pixels.append(cut_out(move(toned, rng, films.shape[-1], zoom=0.0), rng))
            small.append(move(toned, rng, self.eye.size))
        seen = self.eye(torch.cat(small))
        return Views(torch.cat(pixels), seen.maps, seen.embedding)

    def discriminator_loss(
        self, discriminator: nn.Module, real: Views, fake: Views, step: Step
    ) -> torch.Tensor:
        """No gradient reaches the generator."""
        if not self.profile.projected:
            # Batch norm over both at once would tell them apart by the batch, and the generator,
            # which is judged by itself, would learn nothing.
            truly = discriminator(real.pixels, step.text)
            return bce_discriminator_loss(truly, discriminator(fake.pixels.detach(), step.wanted))
        count = len(step.rows)
        maps = [torch.cat([one, other.detach()]) for one, other in zip(real.maps, fake.maps)]
        logits = discriminator(
            torch.cat([real.pixels, fake.pixels.detach()]),
            torch.cat([step.text, step.wanted]),
            torch.cat([torch.ones_like(step.asked), step.asked]),
            maps,
        )
        return hinge_discriminator_loss(logits[:count], logits[count:])

    def generator_losses(
        self, discriminator: Callable, films: torch.Tensor, fake: Views, step: Step
    ) -> dict[str, torch.Tensor]:
        """Unweighted terms: "fool" the discriminator, "match" and "show" the caption, "differ"
        from the other film of the same text. films: what was generated, fake: its views.
        """
        logits = discriminator(fake.pixels, step.wanted, step.asked, fake.maps)
        if not self.profile.projected:
            return {"fool": bce_generator_loss(logits)}
        alike = equal_keys(step.words).to(logits.device)
        scores = self.findings(fake.embedding)
        return {
            "fool": hinge_generator_loss(logits),
            "match": contrastive_loss(fake.embedding, step.wanted, self.temperature, alike),
            "show": shortfall_loss(
                scores, step.labels, self.findings.present, self.findings.absent
            ),
            "differ": self._likeness(films, fake.embedding),
        }

    def _likeness(self, films: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """Of the films i and i + B / 2, by their embeddings and by their thumbnails."""
        half = len(films) // 2
        cosine = 1 - (embedding[:half] * embedding[half : 2 * half]).sum(1)
        small = F.adaptive_avg_pool2d((films + 1) / 2, THUMBNAIL).flatten(1)
        steps = (small[:half] - small[half : 2 * half]).square().sum(1)
        pixels = (steps + 1e-6).sqrt()  # a root has no gradient at zero
        return (likeness_loss(cosine, self.apart[0]) + likeness_loss(pixels, self.apart[1])) / 2

    def total(self, terms: dict[str, torch.Tensor]) -> torch.Tensor:
        """The generator's loss: the weighted sum of its terms."""
        profile = self.profile
        weights = {
            "fool": 1.0,
            "match": profile.match,
            "show": profile.show,
            "differ": profile.differ,
        }
        return sum(weights[name] * value for name, value in terms.items())


def moving_average(model: nn.Module, decay: float) -> AveragedModel:
    """Weights and buffers averaged; young averages forget faster, 0 copies."""

    def update(averaged: list, current: list, count: torch.Tensor) -> None:
        seen = int(count)
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + seen) / (10 + seen)))
        else:
            torch._foreach_copy_(averaged, current)

    return AveragedModel(model, multi_avg_fn=update, use_buffers=True)

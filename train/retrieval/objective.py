"""The training objective of the retrieval model, from a batch of images and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn

from cxr.findings import Study
from cxr.language import affirmative, negative
from cxr.models import DualEncoder, contrastive_loss, masked_bce, masked_smooth_l1
from train.common.studies import ABNORMAL_FINDINGS, Attributes
from train.retrieval.texts import StepTexts


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts; 0 leaves it out."""

    caption: float = 1.0  # image against caption or paraphrase
    person: float = 0.5  # image against age, sex and view in words
    prompt: float = 1.0  # "X" against "no X" for each finding with a label
    text: float = 0.25  # caption against paraphrase of imagined studies
    attributes: float = 0.3  # findings, age, sex and view from the features, by linear heads


class Outputs(NamedTuple):
    """What a training step computes; all float32."""

    image: torch.Tensor  # [B, D], unit rows
    texts: list[torch.Tensor]  # a block each, [T, D], unit rows
    attributes: torch.Tensor  # [B, F + 3]: findings, age, female, AP
    temperature: torch.Tensor  # scalar
    prompt_scale: torch.Tensor  # scalar
    prompt_bias: torch.Tensor  # [F]


class TrainingModel(nn.Module):
    """The dual encoder with linear heads on its image features that only training uses.

    One `forward` returns all that the objective needs, so that a distributed wrapper sees every
    parameter; the checkpoint leaves the heads out.
    """

    def __init__(self, encoder: DualEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        width = encoder.image_encoder.width
        self.attributes = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, len(ABNORMAL_FINDINGS) + 3)
        )
        self.prompt_bias = nn.Parameter(torch.full((len(ABNORMAL_FINDINGS),), -2.0))
        self.prompt_scale = nn.Parameter(torch.tensor(2.3))

    def forward(
        self, pixels: torch.Tensor, blocks: Sequence[tuple[torch.Tensor, torch.Tensor]]
    ) -> Outputs:
        """Compute all that the objective needs.

        Args:
            pixels: Float [B, C, S, S].
            blocks: Pairs (ids, mask) int64 [T, L] of texts of like length, each block padded for
                itself.
        """
        features = self.encoder.image_encoder(pixels)
        image = F.normalize(self.encoder.image_projection(features).float(), dim=1)
        return Outputs(
            image,
            [self.encoder.encode_tokens(*block) for block in blocks],
            self.attributes(features.float()),
            self.encoder.temperature * 1,
            self.prompt_scale.exp(),
            self.prompt_bias * 1,
        )


def attribute_loss(logits: torch.Tensor, known: Attributes) -> torch.Tensor:
    """Loss of findings, age, sex and view, predicted from the image features.

    Args:
        logits: Float [B, F + 3], as TrainingModel returns them.
        known: The truth for B studies.

    Returns:
        Scalar.
    """
    findings, age, female, ap = logits.float().split([len(ABNORMAL_FINDINGS), 1, 1, 1], dim=1)
    return (
        masked_bce(findings, known.findings)
        + masked_smooth_l1(age[:, 0], known.age)
        + masked_bce(female[:, 0], known.female)
        + masked_bce(ap[:, 0], known.ap)
    )


def prompt_loss(out: Outputs, prompts: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Loss of zero-shot findings.

    Args:
        out: What the model computed for B images.
        prompts: Float [4F, D], in the order of `prompt_texts`.
        labels: Float [B, F]; NaN where unknown.

    Returns:
        Scalar.
    """
    yes, also, no, none = prompts.chunk(4)
    logits = out.image @ (yes + also - no - none).T / 2
    return masked_bce(logits * out.prompt_scale + out.prompt_bias, labels)


def prompt_texts(targets: Sequence[str] = ABNORMAL_FINDINGS) -> list[str]:
    """Two affirmative and two negative prompts of every finding, [4F], blocked by kind."""
    kinds = [
        *zip(*(affirmative(name) for name in targets)),
        *zip(*(negative(name) for name in targets)),
    ]
    return [text for kind in kinds for text in kind]


def findings_key(study: Study) -> str | None:
    """Studies with one key are no negatives of each other; None for one without labels."""
    if not study.labelled:
        return None
    return "|".join((*study.positive, "?", *study.uncertain))


def equal_keys(keys: Sequence[str | None]) -> torch.Tensor:
    """Bool [N, N]: True where both keys are the same and known."""
    numbers = {key: row for row, key in enumerate(dict.fromkeys(keys)) if key is not None}
    codes = torch.tensor([numbers.get(key, -1 - row) for row, key in enumerate(keys)])
    return codes[:, None] == codes[None]


def gather_with_gradient(tensor: torch.Tensor) -> torch.Tensor:
    """Join the rows of all processes.

    Gradients flow back to the process that a row came from, which `Accelerator.gather` does not
    do.

    Args:
        tensor: [B, ...], with the same B on each of P processes.

    Returns:
        [P * B, ...] on every process, in the order of the ranks.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return tensor
    from torch.distributed.nn.functional import all_gather

    return torch.cat(all_gather(tensor.contiguous()))


def gather_lists(items: list) -> list:
    """The lists of all processes, one after the other in the order of the ranks."""
    if not (dist.is_available() and dist.is_initialized()):
        return items
    parts: list[list] = [[] for _ in range(dist.get_world_size())]
    dist.all_gather_object(parts, items)
    return [item for part in parts for item in part]


class LockedTexts:
    """The embeddings of a text half that is not trained; every text is encoded once."""

    def __init__(self, encoder: DualEncoder) -> None:
        self.encoder = encoder
        self.known: dict[str, torch.Tensor] = {}

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """N texts -> float32 [N, D], unit rows, on the encoder's device."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.known]
        if fresh:
            self.known.update(zip(fresh, self.encoder.encode_text(fresh)))
        return torch.stack([self.known[text] for text in texts])


def loss_terms(
    model: nn.Module,
    tokenize,
    pixels: torch.Tensor,
    studies: Sequence[Study],
    known: Attributes,
    texts: StepTexts,
    locked: LockedTexts | None = None,
) -> dict[str, torch.Tensor]:
    """Every term of the objective for a batch of B studies.

    The contrastive terms see the images and texts of all processes.

    Args:
        model: A TrainingModel, wrapped or not.
        tokenize: Texts -> (ids, mask).
        pixels: Float [B, C, S, S].
        studies: The B studies.
        known: Their attributes.
        texts: What is said of them.
        locked: Takes the place of the model's text half where that is not trained.

    Returns:
        Scalars by the names of LossWeights, not weighted.
    """
    persons = [text or "chest x-ray" for text in texts.person]
    blocks = [texts.study, persons, prompt_texts()]
    if texts.imagined:
        blocks += [texts.imagined, texts.reworded]
    device = pixels.device
    if locked:
        out = model(pixels, [])
        out = out._replace(texts=[locked(block) for block in blocks])
    else:
        tokens = [tuple(part.to(device) for part in tokenize(block)) for block in blocks]
        out = model(pixels, tokens)
    study, person, prompt, *imagined = out.texts
    keys = gather_lists(
        [(findings_key(s), *pair) for s, *pair in zip(studies, texts.study, persons)]
    )
    same_findings, same_text, same_person = (
        equal_keys(column).to(pixels.device) for column in zip(*keys)
    )
    images = gather_with_gradient(out.image)
    result = {
        "caption": contrastive_loss(
            images, gather_with_gradient(study), out.temperature, same_findings | same_text
        ),
        "person": contrastive_loss(
            images, gather_with_gradient(person), out.temperature, same_person
        ),
        "prompt": prompt_loss(out, prompt, known.findings),
        "attributes": attribute_loss(out.attributes, known),
    }
    if texts.imagined:
        alike = equal_keys(texts.imagined).to(pixels.device)
        result["text"] = contrastive_loss(*imagined, out.temperature, alike)
    return result

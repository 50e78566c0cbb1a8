"""Text -> synthetic chest X-ray images. They show no patient, and are for teaching alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from cxr.checkpoints import (
    build_model,
    load_checkpoint,
    load_conditioning_text_encoder,
    resolve,
)
from cxr.defaults import GENERATOR
from cxr.devices import best_device
from cxr.files import read_json
from cxr.generation.condition import Condition, ConditionFormat
from cxr.generation.holes import CANDIDATES, PROBE, first_whole
from cxr.generation.memorization import TrainingImageIndex, has_training_index, load_training_index
from cxr.generation.request import DrawingRequest, read_request
from cxr.models import FrozenTextEncoder, Generator, GeneratorConfig

MAX_TEXT = 2_000  # characters
MAX_SAMPLES = 64
TOLD = 0.8  # AUROC beside normal images from which a finding counts as shown
# Always this many images at once: kernels for other batches may round differently.
_BATCH = 8
_KEPT = 4096  # noises chosen before


class Sampler:
    """A generator with what conditions it; safe to call from several threads.

    Attributes:
        generator: in eval mode, on `device`.
        text_encoder: of a generator that was trained with text embeddings; None for the others.
        condition: the format of the numbers that the others were trained with.
        originals: fingerprints of the images that it was trained on, to detect a copy; None when
            the checkpoint has none.
        doubtful: by finding, the AUROC with which the judge of `train.evaluate generator` tells
            images with it from normal ones, where that is below TOLD.
        smoothing: standard deviation in pixels of the Gaussian that takes the generator's false
            fine texture off (train.gan.smoothing); 0: none.
    """

    def __init__(
        self,
        generator: Generator,
        conditioned_on: FrozenTextEncoder | ConditionFormat,
        originals: TrainingImageIndex | None = None,
        device: torch.device | None = None,
        doubtful: Mapping[str, float] | None = None,
        smoothing: float = 0.0,
    ) -> None:
        if isinstance(conditioned_on, ConditionFormat):
            named, given = "condition", conditioned_on.length
        else:
            named, given = "text encoder", conditioned_on.dimension
        if given != generator.config.text:
            raise ValueError(
                f"expected a {named} of {generator.config.text} dimensions, got {given}; use the "
                "one that the generator was trained with"
            )
        self.device = device or best_device()
        self.generator = generator.eval().requires_grad_(False).to(self.device)
        self.originals, self.doubtful = originals, dict(doubtful or {})
        self.smoothing = smoothing
        self._chosen = lru_cache(_KEPT)(self._choose)
        self.condition = conditioned_on if isinstance(conditioned_on, ConditionFormat) else None
        self.text_encoder = None if isinstance(conditioned_on, ConditionFormat) else conditioned_on

    @classmethod
    def load(
        cls, weights: str | Path = GENERATOR, text_weights: str | Path | None = None
    ) -> Sampler:
        """Load a generator, and the text encoder of one that was trained with text embeddings.

        Args:
            weights: a folder, or "hf://owner/name[@revision]".
            text_weights: the same for the text encoder, where there is one; None: the one beside
                it.

        Returns:
            The sampler, in eval mode, safe to call from several threads.

        Raises:
            ValueError: either is missing or damaged, or they do not belong together.
        """
        folder = resolve(weights)
        config, state = load_checkpoint(folder)
        if not isinstance(config.get("architecture"), dict):
            raise ValueError(
                f"expected a generator's architecture in {folder / 'config.json'}, found none; "
                "copy the checkpoint again"
            )
        architecture = GeneratorConfig.from_dict(config["architecture"])
        generator = build_model(lambda: Generator(architecture), state, folder)
        conditioned_on: FrozenTextEncoder | ConditionFormat
        if isinstance(config.get("condition"), dict):
            conditioned_on = ConditionFormat.from_dict(config["condition"])
        else:
            conditioned_on = load_conditioning_text_encoder(weights, config, text_weights)
        originals = load_training_index(folder) if has_training_index(folder) else None
        smoothing = config.get("smoothing", 0.0)
        if isinstance(smoothing, bool) or not isinstance(smoothing, (int, float)) or smoothing < 0:
            raise ValueError(
                f"expected a smoothing of 0 px or more in {folder / 'config.json'}, got "
                f"{smoothing!r}; choose it again: python -m train.gan.smoothing"
            )
        return cls(generator, conditioned_on, originals, None, _doubtful(folder), float(smoothing))

    def draw(
        self, conditions: Sequence[Condition], seed: int = 0, truncation: float = 1.0
    ) -> list[Image.Image]:
        """Generate an image for each condition.

        Image i depends on conditions[i], the seed, i and the truncation alone. What a condition
        leaves open stays at the mean of the training images.

        Args:
            conditions: any number of them.
            seed: 0 or more; the same one gives the same pixels.
            truncation: 0 to 1, as for `sample`.

        Returns:
            Images of mode "L", 128 x 128, in the order of the conditions.

        Raises:
            ValueError: the generator was trained with text embeddings, a finding that it does not
                draw, or a number outside its range.
        """
        numbers = self._format()
        if not conditions:
            return []
        rows = torch.from_numpy(np.stack([numbers.vector(one) for one in conditions]))
        return self._images(self._noise(range(len(conditions)), seed, truncation), rows)

    def _format(self) -> ConditionFormat:
        if self.condition is None:
            raise ValueError(
                "expected a generator that draws conditions, got one trained with text embeddings; "
                "call sample with a text"
            )
        return self.condition

    def sample(
        self, text: str, n: int = 8, seed: int = 0, truncation: float = 1.0
    ) -> list[Image.Image]:
        """Generate images of what a text says.

        Image i depends on the text, the seed, i and the truncation alone, whatever n is. Person,
        view and heart size vary from image to image where the text leaves them open
        (DrawingRequest.condition).

        Args:
            text: at most 2,000 characters.
            n: how many, 1 to 64.
            seed: 0 or more; the same one gives the same pixels.
            truncation: 0 to 1, how far images stray from the typical one for this text; 0 makes
                all of them alike.

        Returns:
            n images of mode "L", 128 x 128.

        Raises:
            ValueError: an empty or overlong text, one that names nothing that can be drawn, or a
                number outside its range.
        """
        _check_range("n", n, 1, MAX_SAMPLES)
        return self._images(
            self._noise(range(n), seed, truncation), self._rows(text, range(n), seed, truncation)
        )

    def interpolate(
        self,
        text_a: str,
        text_b: str,
        steps: int = 8,
        seed: int = 0,
        truncation: float = 1.0,
        film: int = 0,
    ) -> list[Image.Image]:
        """From one text to another in `steps` images, the noise held still.

        The first is sample(text_a)[film] and the last sample(text_b)[film] for the same seed and
        truncation; between them the condition moves along a straight line, a text embedding along
        a great circle.

        Args:
            text_a: the first text, as for `sample`.
            text_b: the last text.
            steps: 2 to 64.
            seed: as for `sample`.
            truncation: as for `sample`.
            film: 0 to 63, which sample's noise.

        Returns:
            `steps` images of mode "L", 128 x 128.

        Raises:
            ValueError: as `sample`.
        """
        _check_range("steps", steps, 2, MAX_SAMPLES)
        _check_range("film", film, 0, MAX_SAMPLES - 1)
        noise = self._noise([film], seed, truncation).expand(steps, -1)
        first, last = (self._rows(text, [film], seed, truncation)[0] for text in (text_a, text_b))
        between = great_circle if self.condition is None else straight_line
        return self._images(noise, between(first, last, steps))

    def read(self, text: str) -> DrawingRequest | None:
        """What a text asks for, as far as it can be drawn.

        Returns:
            None where the generator was trained with text embeddings, and takes any text.

        Raises:
            ValueError: as `sample`.
        """
        if self.condition is None:
            return None
        request = read_request(text, self.condition)
        named = {name: self.doubtful[name] for name in request.severities if name in self.doubtful}
        return replace(request, doubtful=named)

    def _rows(
        self, text: str, indices: Sequence[int], seed: int, truncation: float
    ) -> torch.Tensor:
        """float32 [len(indices), D]: what conditions the image of each index."""
        request = self.read(text)
        if request is None or self.condition is None:
            return self._encode(text).expand(len(indices), -1)
        conditions = (request.condition(index, seed, truncation) for index in indices)
        return torch.from_numpy(np.stack([self.condition.vector(one) for one in conditions]))

    def _encode(self, text: str) -> torch.Tensor:
        """[1, D]. Always one text at a time, so that none changes another's rounding."""
        assert self.text_encoder is not None
        if not isinstance(text, str):
            raise ValueError(f"expected a text, got {type(text).__name__}; give one string")
        if not text.strip():
            raise ValueError("expected a text, got an empty one; type a finding")
        if len(text) > MAX_TEXT:
            raise ValueError(
                f"expected a text of at most {MAX_TEXT} characters, got {len(text)}; shorten it"
            )
        return self.text_encoder.encode_text([text])

    def _noise(self, indices: Sequence[int], seed: int, truncation: float) -> torch.Tensor:
        """float32 [len(indices), noise]: image i's depends on seed and i alone."""
        _check_range("seed", seed, 0, 2**63 - 1)
        if (
            isinstance(truncation, bool)
            or not isinstance(truncation, (int, float))
            or not (0 <= truncation <= 1)
        ):
            raise ValueError(f"expected a truncation from 0 to 1, got {truncation!r}; use 1.0")
        return torch.stack([self._chosen(seed, index) for index in indices]) * truncation

    def _choose(self, seed: int, index: int) -> torch.Tensor:
        """float32 [noise]: of CANDIDATES the first that draws no hole for PROBE.

        It depends on seed and index alone, so that a slider moves one film and no other. The first
        candidate is taken as it is where nothing can be asked for PROBE.
        """
        length = self.generator.config.noise
        drawn = np.stack(
            [
                np.random.default_rng([seed, index, *([place] if place else [])])
                .standard_normal(length)
                .astype(np.float32)
                for place in range(CANDIDATES)
            ]
        )
        numbers = self.condition
        if numbers is None or not set(PROBE.severities) <= set(numbers.findings):
            return torch.from_numpy(drawn[0])
        rows = torch.from_numpy(numbers.vector(PROBE)).expand(CANDIDATES, -1)
        images = self._images(torch.from_numpy(drawn), rows)
        return torch.from_numpy(drawn[first_whole(np.stack([np.asarray(one) for one in images]))])

    @torch.inference_mode()
    def _images(self, noise: torch.Tensor, text: torch.Tensor) -> list[Image.Image]:
        count, images = len(noise), []
        short = -count % _BATCH
        noise, text = F.pad(noise, (0, 0, 0, short)), F.pad(text, (0, 0, 0, short))
        for first in range(0, count, _BATCH):
            rows = slice(first, first + _BATCH)
            made = self.generator(noise[rows].to(self.device), text[rows].to(self.device))
            made = smoothed(made, self.smoothing)
            levels = ((made[:, 0] + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
            images += [Image.fromarray(image) for image in levels.cpu().numpy()]
        return images[:count]


def smoothed(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Images float [N, 1, S, S] convolved with a Gaussian of `sigma` px, edges mirrored."""
    if sigma == 0:
        return images
    reach = math.ceil(4 * sigma)
    away = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    weights = torch.exp(-away.square() / (2 * sigma**2))
    weights = weights / weights.sum()
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    rows = F.conv2d(padded, weights[None, None, None])
    return F.conv2d(rows, weights[None, None, :, None])


def straight_line(first: torch.Tensor, last: torch.Tensor, steps: int) -> torch.Tensor:
    """Vectors [D] -> float32 [steps, D] at equal distances; the ends are exact."""
    rows = first + torch.linspace(0, 1, steps)[:, None] * (last - first)
    rows[0], rows[-1] = first, last
    return rows


def _doubtful(folder: Path) -> dict[str, float]:
    """Findings that a judge hardly tells, by metrics.json; none without measurements."""
    if not (folder / "metrics.json").is_file():
        return {}
    found = read_json(folder / "metrics.json", "what train.evaluate generator wrote")
    told = {
        name: entry.get("beside_normal", 1.0) for name, entry in found.get("findings", {}).items()
    }
    return {name: auroc for name, auroc in told.items() if auroc < TOLD}


def great_circle(first: torch.Tensor, last: torch.Tensor, steps: int) -> torch.Tensor:
    """Unit vectors [D] -> float32 [steps, D], unit rows at equal angles; the ends are exact."""
    angle = torch.arccos((first @ last).clamp(-1, 1))
    share = torch.linspace(0, 1, steps)[:, None]
    if angle < 1e-4:  # nothing between them that float32 could tell apart
        rows = first + share * (last - first)
    else:
        rows = ((1 - share) * angle).sin() * first + (share * angle).sin() * last
    rows = F.normalize(rows, dim=1)
    rows[0], rows[-1] = first, last
    return rows


def _check_range(name: str, value: int, low: int, high: int) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, np.integer))
        or not (low <= value <= high)
    ):
        raise ValueError(f"expected {name} as a whole number from {low} to {high}, got {value!r}")

"""A patch decoder at work: every target of an image at once, and how likely each is there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from cxr.anatomy import (
    CARDIOMEGALY,
    CLAVICLES,
    HEART,
    HEART_ALONE,
    LEFT_CLAVICLE,
    LEFT_LUNG,
    LUNGS,
    OPACITIES,
    RIGHT_CLAVICLE,
    RIGHT_LUNG,
)
from cxr.devices import has_bf16
from cxr.localization.lung_measures import Measured, measure_lungs, with_intervals
from cxr.localization.measure import Ratio, cardiothoracic_ratio, without_specks
from cxr.localization.presence import Classified
from cxr.models import PatchDecoder, PatchEncoder

_MARKED = 0.5  # what a map reaches where its target counts as marked


@dataclass(frozen=True)
class Level:
    """Where a target's map and its probability begin to count, from validation.

    Attributes:
        level: of the map, in (0, 1); it is moved to one half.
        scale: of the logit of the target's presence.
        shift: added to it; the sum's sigmoid is the probability.
        found_from: probability from which the target counts as found; 0 for what every image shows.
        classified_from: the same for the probability of the finding classifier, which then speaks
            in place of the target's own; 0: it does not.
        refused: why the target is not outlined, a sentence; "" where it is.
    """

    level: float = 0.5
    scale: float = 1.0
    shift: float = 0.0
    found_from: float = 0.0
    refused: str = ""
    classified_from: float = 0.0


@dataclass(frozen=True)
class Levels:
    """What validation said of a decoder: a Level a target, and what the heart's size says.

    Attributes:
        targets: by name; one that is missing has a Level's defaults.
        ratio_error: half the width of the interval of the cardiothoracic ratio.
        enlarged_from: the ratio from which the heart counts as enlarged.
        lung_errors: by name of LUNG_MEASURES, half the width of the interval; what has none is
            not measured.
    """

    targets: Mapping[str, Level] = field(default_factory=dict)
    ratio_error: float = 0.05
    enlarged_from: float = 0.5
    lung_errors: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, entries: Mapping[str, Any]) -> Levels:
        """What config.json holds under "levels".

        Raises:
            ValueError: an entry that is not known.
        """
        try:
            targets = {name: Level(**values) for name, values in entries["targets"].items()}
            errors = {
                str(name): float(half) for name, half in entries.get("lung_errors", {}).items()
            }
            return cls(targets, entries["ratio_error"], entries["enlarged_from"], errors)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"expected levels of targets, got {sorted(entries)}; copy the checkpoint again"
            ) from error

    def of(self, target: str) -> Level:
        """That of a target; of the clavicles that of the right one."""
        named = {CLAVICLES: RIGHT_CLAVICLE, LUNGS: RIGHT_LUNG}.get(target, target)
        return self.targets.get(named, Level())


@dataclass(frozen=True, eq=False)
class Reading:
    """Everything that a decoder says of an image.

    Attributes:
        maps: by target, float32 [S, S] in [0, 1] over the square that it sees; one half where a
            target begins to count.
        probabilities: by target, in [0, 1], of findings, by whoever speaks for it.
        own: the same, by the decoder itself.
        found_from: by target, the probability from which it counts as found.
        ratio: the cardiothoracic ratio; None where heart or lungs are missing.
        lungs: what is measured of the lungs.
        abnormal: the probability that the image is abnormal as a whole, and from where on it is;
            None where it is not known.
        unlikely: findings that a report calls unlikely, from features and decoder together: the
            probability, and below which that is so.
    """

    maps: Mapping[str, np.ndarray]
    probabilities: Mapping[str, float]
    own: Mapping[str, float]
    found_from: Mapping[str, float]
    ratio: Ratio | None
    lungs: tuple[Measured, ...] = ()
    abnormal: tuple[float, float] | None = None
    unlikely: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class DecoderReader:
    """A PatchDecoder with the encoder that it builds on; safe to call from several threads."""

    def __init__(
        self, model: PatchDecoder, encoder: PatchEncoder, device: torch.device, levels: Levels
    ) -> None:
        self.levels, self._device = levels, device
        self._model = model.eval().requires_grad_(False).to(device)
        self._encoder = encoder.to(device)
        self.preprocess = model.preprocess
        self.targets = (LUNGS, *model.config.outputs, CLAVICLES)

    def __call__(self, square: np.ndarray, classified: Classified | None = None) -> Reading:
        """Read an image.

        Args:
            square: uint8 [S, S], squared as the model's preprocess says.
            classified: the finding classifier's probabilities of the same image, where there is
                one.

        Raises:
            ValueError: the checkpoint gives no finite numbers.
        """
        view = self._model.preprocess
        images = torch.from_numpy(square)[None].to(self._device)
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=has_bf16(self._device)),
        ):
            features = self._encoder(images[:, None].float() / 255)
            logits, presence = self._model(view.normalize(images), features)
            logits, presence = logits.float(), presence[0].float()
        if not (torch.isfinite(logits).all() and torch.isfinite(presence).all()):
            raise ValueError("expected finite maps, got NaN; check the checkpoint")
        whole = F.interpolate(logits, size=view.size, mode="bilinear", align_corners=False)[0]
        outputs = self._model.config.outputs
        shifts = [_logit(self.levels.of(target).level) for target in outputs]
        shifted = (whole - torch.tensor(shifts, device=self._device)[:, None, None]).sigmoid()
        maps = dict(zip(outputs, shifted.cpu().numpy()))
        for organ in (RIGHT_LUNG, LEFT_LUNG, HEART_ALONE, HEART):
            maps[organ] = without_specks(maps[organ])
        for both, sides in (
            (LUNGS, (RIGHT_LUNG, LEFT_LUNG)),
            (CLAVICLES, (RIGHT_CLAVICLE, LEFT_CLAVICLE)),
        ):
            maps[both] = np.maximum(*(maps[side] for side in sides))
        # What makes a heart enlarged is its size, so that its outline is the heart's own.
        maps[CARDIOMEGALY] = maps[HEART_ALONE]
        chances = dict(zip(self._model.config.findings, presence.tolist()))
        own = {target: self._own(target, logit) for target, logit in chances.items()}
        spoken = {target: self._spoken(target, own[target], classified) for target in chances}
        return Reading(
            maps,
            {target: probability for target, (probability, _) in spoken.items()},
            own,
            {target: found_from for target, (_, found_from) in spoken.items()},
            self._ratio(maps),
            with_intervals(
                measure_lungs(maps[RIGHT_LUNG], maps[LEFT_LUNG]), self.levels.lung_errors
            ),
            None if classified is None else classified.whole,
            {} if classified is None else self._unlikely(classified, own),
        )

    def _own(self, target: str, logit: float) -> float:
        level = self.levels.of(target)
        return _sigmoid(level.scale * logit + level.shift)

    def _unlikely(
        self, classified: Classified, own: Mapping[str, float]
    ) -> dict[str, tuple[float, float]]:
        """As Reading.unlikely; of cardiomegaly a report joins the ratio and no probability."""
        return classified.unlikely({name: own[name] for name in own if name != CARDIOMEGALY})

    def _spoken(
        self, target: str, own: float, classified: Classified | None
    ) -> tuple[float, float]:
        """The probability of a finding, and from where on it counts as found."""
        level = self.levels.of(target)
        if classified and target in classified.chances and level.classified_from:
            return classified.chances[target], level.classified_from
        return own, level.found_from

    def _ratio(self, maps: Mapping[str, np.ndarray]) -> Ratio | None:
        value = cardiothoracic_ratio(maps[HEART_ALONE], maps[RIGHT_LUNG], maps[LEFT_LUNG])
        if value is None:
            return None
        return Ratio(value, value - self.levels.ratio_error, value + self.levels.ratio_error)

    def found_from(self, target: str, reading: Reading) -> float:
        """From where on a target counts as found: a probability, of cardiomegaly the ratio."""
        if target == CARDIOMEGALY:
            return self.levels.enlarged_from
        return reading.found_from.get(target, 0.0)

    def present(self, target: str, reading: Reading) -> bool:
        """Whether a target counts as found in an image, wherever its map is marked."""
        found_from = self.found_from(target, reading)
        if target == CARDIOMEGALY:
            ratio = reading.ratio
            return ratio is not None and ratio.plausible and ratio.value >= found_from
        known = reading.probabilities.get(target, 1.0)
        return known >= found_from and self.doubted(target, reading) is None

    def doubted(self, target: str, reading: Reading) -> tuple[float, float] | None:
        """What speaks against an opacity: that the image does not look abnormal as a whole.

        Opacities were taught by films of few hospitals, and the look of another's healthy films is
        taken for them.

        Returns:
            Reading.abnormal; None for all else, and where the image does look so.
        """
        if target not in OPACITIES or reading.abnormal is None:
            return None
        return reading.abnormal if reading.abnormal[0] < reading.abnormal[1] else None

    def damped(self, heat: np.ndarray, target: str, reading: Reading) -> np.ndarray:
        """The map of a target that is not found, below one half everywhere.

        Args:
            heat: real [S, S] in [0, 1].
            target: what it is of.
            reading: of the image.

        Returns:
            float32 [S, S]; `heat` itself where the target is found.
        """
        if self.present(target, reading):
            return heat
        found_from = max(self.found_from(target, reading), 1e-6)
        known = reading.probabilities.get(target, 0.0)
        if target == CARDIOMEGALY:
            known = reading.ratio.value if reading.ratio else 0.0
        share = min(0.98, known / found_from)
        return (heat * (_MARKED * share)).astype(np.float32)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))


def _logit(level: float) -> float:
    return math.log(level / (1 - level))

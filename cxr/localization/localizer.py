"""Image and text -> where the image shows what the text names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cxr.anatomy import (
    CARDIOMEGALY,
    HEART,
    HEART_ALONE,
    LEFT_LUNG,
    LUNGS,
    OPACITIES,
    READ,
    RIGHT_LUNG,
    SIDES,
    TARGETS,
)
from cxr.checkpoints import (
    build_model,
    load_checkpoint,
    load_conditioning_classifier,
    load_conditioning_patch_encoder,
    load_conditioning_text_encoder,
    resolve,
)
from cxr.defaults import LOCALIZER
from cxr.devices import best_device, has_bf16
from cxr.images import load_image
from cxr.language import MAX_TEXT as MAX_TEXT
from cxr.language import parse
from cxr.localization.decoding import DecoderReader, Levels, Reading
from cxr.localization.localization import THRESHOLD as THRESHOLD
from cxr.localization.localization import Localization
from cxr.localization.lung_zones import apart, half_of, on_its_side, place_of
from cxr.localization.presence import FindingPresence
from cxr.localization.targets import Target, locate_target
from cxr.models import (
    PATCH_DECODER,
    FrozenTextEncoder,
    LocalizerConfig,
    PatchDecoder,
    PatchDecoderConfig,
    PatchEncoder,
    TextGuidedUNet,
)

SURE = 4.0  # the largest logit that U-Net or probe brings into their mean, 98% sure
STANDS_FOR = {HEART_ALONE: HEART, CARDIOMEGALY: HEART}  # what a U-Net outlines instead
IN_LUNGS = ("atelectasis", "nodule", "diffuse nodule", "mass", "fibrosis", "emphysema")
NEAREST = 0.8  # cosine from which an unknown text means the target that it is nearest to


class Localizer:
    """A patch decoder, or a text-guided U-Net; safe to call from several threads.

    Attributes:
        reader: a patch decoder with its encoder; None for a U-Net, which the attributes but
            `targets` and `preprocess` are of.
        targets: what it can outline.
        preprocess: from an image to the square that it sees.
        model: in eval mode, on `device`.
        text_encoder: None for a plain U-Net, which knows TARGETS alone.
        offsets: what is added to the logits of a target, so that its map's 0.5 is where it served
            best on the validation split.
        patch_encoder: the frozen image encoder that the model builds on, where it does.
        shares: of a target's logits, how much of them comes from the probe of that encoder's
            features; the rest is the U-Net's.
        presence: what the reports say of findings, where a patch decoder asks it.
    """

    def __init__(
        self,
        model: TextGuidedUNet | PatchDecoder,
        text_encoder: FrozenTextEncoder | None,
        device: torch.device | None = None,
        offsets: Mapping[str, float] | None = None,
        patch_encoder: PatchEncoder | None = None,
        shares: Mapping[str, float] | None = None,
        levels: Levels | None = None,
        presence: FindingPresence | None = None,
    ) -> None:
        self.shares = dict(shares or {})
        self.offsets = dict(offsets or {})
        self.device = device or best_device()
        self.preprocess = model.preprocess
        self.presence = presence
        self.reader: DecoderReader | None = None
        self.targets: tuple[str, ...] = TARGETS
        if isinstance(model, PatchDecoder):
            assert patch_encoder is not None, "a patch decoder is loaded with its encoder"
            self.reader = DecoderReader(model, patch_encoder, self.device, levels or Levels())
            self.targets = self.reader.targets
        self.model = model.eval().requires_grad_(False).to(self.device)
        self.text_encoder = text_encoder
        self.patch_encoder = patch_encoder.to(self.device) if patch_encoder else None
        self._bf16 = has_bf16(self.device)
        self._embedding = lru_cache(4096)(self._encode)

    @classmethod
    def load(
        cls,
        weights: str | Path = LOCALIZER,
        text_weights: str | Path | None = None,
    ) -> Localizer:
        """Load a localizer and the text encoder that it was trained with.

        Args:
            weights: a folder, or "hf://owner/name[@revision]".
            text_weights: the text encoder's folder or hf:// address; None: as
                cxr.checkpoints.conditioning finds it.

        Returns:
            The localizer, in eval mode, safe to call from several threads.

        Raises:
            ValueError: missing or damaged files, or other encoders than those of the training.
        """
        folder = resolve(weights)
        config, state = load_checkpoint(folder)
        if config.get("architecture", {}).get("kind") == PATCH_DECODER:
            decoder = PatchDecoderConfig.from_dict(config["architecture"])
            heads = load_conditioning_classifier(weights, config, text_weights)
            return cls(
                build_model(lambda: PatchDecoder(decoder), state, folder),
                None,
                patch_encoder=load_conditioning_patch_encoder(
                    weights, config, decoder.layers, decoder.seen, text_weights
                ),
                levels=Levels.from_dict(config["levels"]) if "levels" in config else None,
                presence=FindingPresence(*heads) if heads else None,
            )
        architecture = LocalizerConfig.from_dict(config.get("architecture", {}))
        model = build_model(lambda: TextGuidedUNet(architecture), state, folder)
        text_encoder, patch_encoder = None, None
        if config.get("text_encoder") is not None:
            text_encoder = load_conditioning_text_encoder(weights, config, text_weights)
        if architecture.grid_channels:
            patch_encoder = load_conditioning_patch_encoder(
                weights, config, architecture.grid_layers, architecture.grid_side, text_weights
            )
            if patch_encoder.channels != architecture.grid_channels:
                raise ValueError(
                    f"expected {architecture.grid_channels} features a cell in {folder}, its image "
                    f"encoder has {patch_encoder.channels}; copy the checkpoint again"
                )
        return cls(
            model,
            text_encoder,
            offsets=config.get("offsets"),
            patch_encoder=patch_encoder,
            shares=config.get("shares"),
        )

    def locate(self, image: Image.Image, text: str) -> np.ndarray:
        """Mark where an image shows what a text names.

        Args:
            image: as cxr.load_image takes it.
            text: free words of at most 2,000 characters, with a side or a zone ("opacity in the
                left lower zone"). Sides are the patient's.

        Returns:
            float32 [H, W] in [0, 1] at the image's own size.

        Raises:
            ValueError: an unreadable image, an empty or overlong text, or one that names nothing
                that can be located.
        """
        return self.find(image, text).heat

    def find(self, image: Image.Image, text: str) -> Localization:
        """As `locate`, with what the text was taken to mean, and the lungs to measure it by."""
        return self.find_all(image, [text])[0]

    def find_all(self, image: Image.Image, texts: Sequence[str]) -> list[Localization]:
        """`find` for several texts about one image, which the model sees once."""
        queries = [self.query(text) for text in texts]
        loaded, preprocess = load_image(image), self.preprocess
        if self.reader is not None:
            return self._decoded(loaded, queries)
        named, lungs = list(dict.fromkeys(queries)), [Target(RIGHT_LUNG), Target(LEFT_LUNG)]
        *heats, right, left = self._raw(preprocess.square(loaded), [*named, *lungs])
        right, left = apart(right, left)
        maps = {
            query: np.stack([_placed(query, heat, right, left), right, left]).astype(np.float32)
            for query, heat in zip(named, heats)
        }
        return [Localization(query, loaded.size, maps[query], preprocess) for query in queries]

    def _decoded(self, image: Image.Image, queries: Sequence[Target]) -> list[Localization]:
        """Answer queries about an image of mode "L" with the patch decoder."""
        assert self.reader is not None
        reading = self._reading(image, queries)
        right, left = apart(reading.maps[RIGHT_LUNG], reading.maps[LEFT_LUNG])
        found = []
        for query in queries:
            heat = _placed(query, reading.maps[query.target], right, left)
            heat = self.reader.damped(heat, query.target, reading)
            found_from = self.reader.found_from(query.target, reading)
            probability = reading.probabilities.get(query.target) if found_from else None
            found.append(
                Localization(
                    query,
                    image.size,
                    np.stack([heat, right, left]).astype(np.float32),
                    self.preprocess,
                    None if query.target == CARDIOMEGALY else probability,
                    found_from,
                    reading.ratio,
                    self.reader.present(query.target, reading),
                    reading.lungs,
                    reading.own.get(query.target) if found_from else None,
                    self.reader.doubted(query.target, reading),
                    reading.unlikely.get(query.target),
                )
            )
        return found

    def _reading(self, image: Image.Image, queries: Sequence[Target]) -> Reading:
        """What the patch decoder says of an image, and the classifier where a query needs it."""
        assert self.reader is not None
        asked = any(query.target in READ and query.target != CARDIOMEGALY for query in queries)
        classified = self.presence(image) if self.presence and asked else None
        return self.reader(self.preprocess.square(image), classified)

    def maps_alone(self, image: Image.Image) -> dict[str, np.ndarray]:
        """The map of each target by itself, whether or not the target counts as found.

        Args:
            image: as cxr.load_image takes it.

        Returns:
            float32 [H, W] in [0, 1] at the image's own size, by target; of a patch decoder.
        """
        assert self.reader is not None, "a U-Net knows no other maps"
        loaded = load_image(image)
        maps = self.reader(self.preprocess.square(loaded)).maps
        return {name: self.preprocess.unsquare(map_, loaded.size) for name, map_ in maps.items()}

    def understand(self, text: str) -> Target | None:
        """The target, side and zone that a text names.

        Words count first, the embedding of the nearest target after them; None when neither tells.

        Raises:
            ValueError: the text is empty or too long.
        """
        asked = parse(text)
        target = locate_target(asked)
        words = asked.present or asked.uncertain or asked.anatomy or asked.other or asked.unknown
        if (
            target is not None
            or self.text_encoder is None
            or not any(map(str.isalpha, "".join(words)))
        ):
            return target
        (near,) = self._embedding((text.strip(),)) @ self._embedding(TARGETS).T
        best = int(near.argmax())
        return Target(TARGETS[best]) if near[best] >= NEAREST else None

    def query(self, text: str) -> Target:
        """What a text asks this model to outline.

        Raises:
            ValueError: the text is empty or too long, or names nothing that it can outline.
        """
        query = self.understand(text)
        known = self.targets
        if query is not None and query.target not in known:
            # The U-Net knows the heart with the vessels above it alone.
            query = replace(query, target=STANDS_FOR.get(query.target, query.target))
        if query is not None and query.target in known:
            refused = self.reader.levels.of(query.target).refused if self.reader else ""
            if refused:
                raise ValueError(f"{refused} {self._such_as()}")
            return query
        if query is not None:
            name = query.target[0].upper() + query.target[1:]
            raise ValueError(f"{name} cannot be outlined by this model. {self._such_as()}")
        raise ValueError(
            f"expected a text that names an organ or a finding to locate, got {text[:40]!r}; "
            f"name one such as {', '.join(self.locatable)}"
        )

    def _such_as(self) -> str:
        return f"Name one of: {', '.join(self.locatable)}."

    @property
    def locatable(self) -> tuple[str, ...]:
        """The targets that it outlines and does not refuse."""
        if self.reader is None:
            return self.targets
        return tuple(one for one in self.targets if not self.reader.levels.of(one).refused)

    def _raw(self, square: np.ndarray, queries: Sequence[Target]) -> np.ndarray:
        """uint8 [S, S] and P queries -> float32 [P, S, S] in [0, 1], as the U-Net gives them."""
        assert isinstance(self.model, TextGuidedUNet)
        images = torch.from_numpy(square)[None].to(self.device)
        pixels = self.model.preprocess.normalize(images)
        text = torch.empty(1, len(queries), 0, device=self.device)
        if self.text_encoder is not None:
            text = self._embedding(tuple(q.prompt for q in queries))[None].to(self.device)
            # Sides are cut out later of the map of the whole target. Texts are encoded in full
            # precision, since they are kept.
            whole = self._embedding(tuple(Target(q.target).prompt for q in queries))[None]
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16),
        ):
            logits = self.model(pixels, text)[0].float()
            shares = self._each(self.shares, queries)
            if self.patch_encoder is not None and shares.any():
                features = self.patch_encoder(images[:, None].float() / 255)
                probed = self.model.probe(features, whole.to(self.device))[0]
                both = torch.lerp(logits.clamp(-SURE, SURE), probed.clamp(-SURE, SURE), shares)
                logits = torch.where(shares > 0, both, logits)
        if not torch.isfinite(logits).all():
            raise ValueError("expected finite maps, got NaN; check the checkpoint")
        if self.text_encoder is None:
            outputs = self.model.config.outputs
            logits = logits[[outputs.index(query.target) for query in queries]]
        return (logits + self._each(self.offsets, queries)).sigmoid().cpu().numpy()

    def _each(self, values: Mapping[str, float], queries: Sequence[Target]) -> torch.Tensor:
        """The value of each query's target, 0 where there is none: float32 [P, 1, 1]."""
        found = [values.get(query.target, 0.0) for query in queries]
        return torch.tensor(found, device=self.device)[:, None, None]

    def _encode(self, texts: tuple[str, ...]) -> torch.Tensor:
        assert self.text_encoder is not None
        return self.text_encoder.encode_text(texts)


def _placed(query: Target, heat: np.ndarray, right: np.ndarray, left: np.ndarray) -> np.ndarray:
    """The model's map for a query, held to the lungs, the side and the zone that it names.

    heat, right and left lung: float [S, S]; no pixel is in both lungs.
    """
    if query.target in (RIGHT_LUNG, LEFT_LUNG):
        side = SIDES[(RIGHT_LUNG, LEFT_LUNG).index(query.target)]
        return on_its_side({"right": right, "left": left}[side], side, right, left)
    if query.target not in (LUNGS, *OPACITIES, *IN_LUNGS):
        if query.side or query.zone:
            return np.where(half_of(right, left, query.side, query.zone, THRESHOLD), heat, 0)
        return heat
    # Both lungs are what either is: asked for together they are drawn less exactly.
    both = np.maximum(right, left)
    heat = both if query.target == LUNGS else np.minimum(heat, both)
    if query.side or query.zone:
        heat = np.minimum(heat, place_of(right, left, query.side, query.zone, THRESHOLD))
    return on_its_side(heat, query.side, right, left) if query.side else heat

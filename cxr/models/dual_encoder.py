"""Image and text encoders and the shared space they meet in.

Contrastive image-text training as in ConVIRT (Zhang et al. 2020) and CLIP (Radford et al. 2021).
Models here return embeddings and maps; losses are in losses.py, files in cxr.checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn

from cxr.images import Preprocess
from cxr.models.backbones import TimmBackbone, create_backbone
from cxr.models.finding_network import FindingNetwork

POOLINGS = ("cls", "mean", "max")
PLACES = 3  # a side: a feature map's means over PLACES x PLACES parts are among the features


@dataclass(frozen=True)
class ImageConfig:
    """Architecture of the image encoder.

    Attributes:
        backbone: a timm name, or "torchvision/<name>".
        preprocess: from an image to the backbone's input.
        pooling: what is concatenated for the projection, of "cls" (transformers only), "mean" and
            "max" over the feature map.
        layers: for a transformer, the blocks (counted from 0) whose tokens are pooled; empty means
            the last.
    """

    backbone: str = "resnet50"
    preprocess: Preprocess = field(default_factory=lambda: Preprocess(256, 0.449, 0.226, 3))
    pooling: tuple[str, ...] = ("mean",)
    layers: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.pooling or set(self.pooling) - set(POOLINGS):
            raise ValueError(f"expected pooling out of {POOLINGS}; got {self.pooling}.")


@dataclass(frozen=True)
class TextConfig:
    """Architecture of the text encoder.

    Attributes:
        transformer: a Hugging Face configuration of the BERT family as a dictionary, with its
            `model_type`.
        pooling: "cls" or "mean" over the tokens.
        max_tokens: longer text is cut.
    """

    transformer: dict[str, Any] = field(default_factory=lambda: {"model_type": "bert"})
    pooling: str = "mean"
    max_tokens: int = 512

    def __post_init__(self) -> None:
        if self.pooling not in ("cls", "mean"):
            raise ValueError(f'expected pooling "cls" or "mean"; got {self.pooling!r}.')
        if not isinstance(dict(self.transformer).get("model_type"), str):
            raise ValueError(
                'expected a text transformer with its model_type, such as "bert"; got '
                f"{sorted(self.transformer)}. Use the code version that wrote the checkpoint."
            )


@dataclass(frozen=True)
class DualEncoderConfig:
    """Architecture of both encoders and of the heads into their shared space.

    Attributes:
        image: the image encoder.
        text: the text encoder.
        dimension: of the shared space.
        hidden: width of the projection heads' hidden layer, 0 for linear heads.
        dropout: rate in the projection heads.
        temperature: at the start.
        learn_temperature: whether training changes it.
    """

    image: ImageConfig = field(default_factory=ImageConfig)
    text: TextConfig = field(default_factory=TextConfig)
    dimension: int = 512
    hidden: int = 0
    dropout: float = 0.0
    temperature: float = 0.2
    learn_temperature: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; `from_dict` gives it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DualEncoderConfig:
        """Read what `to_dict` wrote. Raises ValueError for an unknown or missing key."""
        try:
            image = dict(values["image"])
            image["preprocess"] = Preprocess.from_dict(image["preprocess"])
            image["pooling"], image["layers"] = tuple(image["pooling"]), tuple(image["layers"])
            rest = {key: value for key, value in values.items() if key not in ("image", "text")}
            return cls(image=ImageConfig(**image), text=TextConfig(**values["text"]), **rest)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"expected the architecture of a dual encoder; got one with a wrong key: {error}. "
                "Use the code version that wrote the checkpoint."
            ) from error


def projection(width: int, config: DualEncoderConfig) -> nn.Module:
    """A head from `width` features to the shared space: linear, or with one hidden layer."""
    if not config.hidden:
        return nn.Sequential(
            nn.LayerNorm(width), nn.Dropout(config.dropout), nn.Linear(width, config.dimension)
        )
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, config.hidden),
        nn.GELU(),
        nn.Dropout(config.dropout),
        nn.Linear(config.hidden, config.dimension),
    )


class ImageEncoder(nn.Module):
    """Pixels -> pooled features.

    Attributes:
        width: the number of pooled features.
        feature_width: of the features that `forward_with_features` gives beside them.
    """

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = create_backbone(config.backbone, config.preprocess, config.layers)
        if "cls" in config.pooling and not self.backbone.has_cls:
            raise ValueError(
                f'expected a backbone with a class token for pooling "cls"; got {config.backbone}. '
                'Use "mean" or "max".'
            )
        self.width: int = self.backbone.channels * len(config.pooling)
        middle = self.backbone.middle if isinstance(self.backbone, TimmBackbone) else []
        channels = self.backbone.channels // max(1, len(config.layers))
        self.feature_width: int = channels * (
            (2 + PLACES**2) * len(middle) if middle else 1 + PLACES**2
        )

    def pool(self, cls: torch.Tensor | None, feature_map: torch.Tensor) -> torch.Tensor:
        """Class token [B, D] or None, feature map [B, D, h, w] -> [B, width]."""
        parts: dict[str, Callable[[], torch.Tensor | None]] = {
            "cls": lambda: cls,
            "mean": lambda: feature_map.mean((2, 3)),
            "max": lambda: feature_map.amax((2, 3)),
        }
        pooled = (parts[name]() for name in self.config.pooling)
        return torch.cat([part for part in pooled if part is not None], 1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels float [B, C, S, S] as Preprocess gives them -> [B, width]."""
        return self.pool(*self.backbone(pixels))

    def forward_with_features(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What `forward` gives, and the features that linear heads read, in one pass.

        Args:
            pixels: float [B, C, S, S] as Preprocess gives them.

        Returns:
            [B, width], and float32 [B, W]: of each of the two middle blocks of a transformer with
            a class token (of a 12-block network the sixth and seventh) the class token, the mean
            over the patches, and the means over PLACES x PLACES parts of the image by rows. For
            other networks the mean and the parts of the last feature map.
        """
        cls, feature_map, middle = self.backbone.with_middle(pixels)
        return self.pool(cls, feature_map), torch.cat([_features(*one) for one in middle], 1)


def _features(cls: torch.Tensor | None, feature_map: torch.Tensor) -> torch.Tensor:
    """Class token [B, D] or None, feature map [B, D, h, w] -> float32 [B, D * (1 or 2 + 9)]."""
    cells = feature_map.float()
    places = F.adaptive_avg_pool2d(cells, PLACES).flatten(2).transpose(1, 2).flatten(1)
    return torch.cat([*([] if cls is None else [cls.float()]), cells.mean((2, 3)), places], 1)


def _transformer(settings: Mapping[str, Any]) -> Any:
    """The random transformer of a Hugging Face configuration. Raises ValueError for a bad one."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, AutoModel  # here: seconds that image-only users skip

    try:
        return AutoModel.from_config(AutoConfig.for_model(**settings))
    except (ValueError, TypeError, KeyError, RuntimeError, StrictDataclassError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"expected the configuration of a text transformer that Transformers knows; got "
            f"{settings.get('model_type')!r}: {reason}. Use the code version that wrote it."
        ) from error


class TextEncoder(nn.Module):
    """Text -> pooled features of a BERT-family transformer, tokenized by its own tokenizer."""

    transformer: Any  # the classes behind AutoModel share no typed attributes

    def __init__(self, config: TextConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.config = config
        self.transformer = _transformer(config.transformer)
        self.transformer.pooler = None  # the tokens are pooled here; BERT's own is never used
        self.width: int = self.transformer.config.hidden_size
        self.tokenizer = tokenizer
        limit = min(config.max_tokens, self.transformer.config.max_position_embeddings)
        self.tokenizer.enable_truncation(limit)
        pad = tokenizer.token_to_id("[PAD]")
        self.tokenizer.enable_padding(pad_id=0 if pad is None else pad, pad_token="[PAD]")

    def tokenize(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """N texts -> (ids int64 [N, L], attention mask int64 [N, L]), padded to the longest."""
        encoded = self.tokenizer.encode_batch(list(texts))
        return (
            torch.tensor([item.ids for item in encoded]),
            torch.tensor([item.attention_mask for item in encoded]),
        )

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """ids, mask int64 [B, L] -> [B, width]."""
        hidden = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state
        if self.config.pooling == "cls":
            return hidden[:, 0]
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


class DualEncoder(nn.Module):
    """Two encoders with projection heads into one space of unit vectors.

    Attributes:
        finding_network: a network that reads findings beside the image encoder; None: there is
            none. Embeddings do not depend on it.
    """

    def __init__(self, config: DualEncoderConfig, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.config = config
        self.image_encoder = ImageEncoder(config.image)
        self.text_encoder = TextEncoder(config.text, tokenizer)
        self.image_projection = projection(self.image_encoder.width, config)
        self.text_projection = projection(self.text_encoder.width, config)
        self.logit_scale = nn.Parameter(
            torch.tensor(-math.log(config.temperature)), requires_grad=config.learn_temperature
        )
        self.finding_network: FindingNetwork | None = None

    @property
    def feature_width(self) -> int:
        """W, of the features that encode_image_with_features gives."""
        network = self.finding_network
        return self.image_encoder.feature_width + (0 if network is None else network.width)

    @property
    def preprocess(self) -> Preprocess:
        """The transform from an image to `encode_image`'s input."""
        return self.config.image.preprocess

    @property
    def temperature(self) -> torch.Tensor:
        """Scalar in [0.01, 1]; similarities are divided by it in the contrastive loss."""
        return (-self.logit_scale).exp().clamp(0.01, 1.0)

    def encode_image(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pixels float [B, C, S, S] -> float32 [B, dimension], unit rows."""
        return F.normalize(self.image_projection(self.image_encoder(pixels)).float(), dim=1)

    def encode_image_with_features(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What `encode_image` gives and, from the same pass, the features that linear heads read.

        Args:
            pixels: float [B, C, S, S], as Preprocess gives them.

        Returns:
            Embeddings float32 [B, dimension], unit rows, and features float32 [B, W] as
            ImageEncoder.forward_with_features describes them, then those of the finding network
            where there is one.
        """
        pooled, features = self.image_encoder.forward_with_features(pixels)
        if self.finding_network is not None:
            levels = pixels[:, :1] * self.preprocess.std + self.preprocess.mean
            features = torch.cat([features, self.finding_network.read(levels)], 1)
        return F.normalize(self.image_projection(pooled).float(), dim=1), features

    def encode_tokens(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """ids, mask int64 [B, L] as `TextEncoder.tokenize` gives them -> float32 [B, dimension]."""
        return F.normalize(self.text_projection(self.text_encoder(ids, mask)).float(), dim=1)

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """B texts -> float32 [B, dimension], unit rows, on the model's device."""
        ids, mask = (part.to(self.logit_scale.device) for part in self.text_encoder.tokenize(texts))
        return self.encode_tokens(ids, mask)

    @torch.inference_mode(False)
    def patch_similarity(self, pixels: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
        """Compute where a text matches: each cell's contribution to the similarity.

        It is gradient times activation on the last feature map (HiResCAM, Draelos and Carin 2020).

        Args:
            pixels: float [B, C, S, S], as Preprocess gives them.
            text: float [dimension], unit.

        Returns:
            float32 [B, h, w], in units of cosine similarity, positive where the cell speaks for
            the text.
        """
        with torch.no_grad():
            cls, feature_map = self.image_encoder.backbone(pixels)
        feature_map = feature_map.detach().clone().float().requires_grad_(True)
        with torch.enable_grad():
            features = self.image_encoder.pool(None if cls is None else cls.float(), feature_map)
            embedding = F.normalize(self.image_projection(features).float(), dim=1)
            similarity = (embedding @ text.detach().clone().float()).sum()
            (gradient,) = torch.autograd.grad(similarity, feature_map)
        return (gradient * feature_map).sum(1).detach()

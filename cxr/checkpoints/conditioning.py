"""The encoders that a text-conditioned model was trained with, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from cxr.checkpoints.encoders import load_patch_encoder, load_text_encoder, shared_dual_encoder
from cxr.checkpoints.finding_classifier import FindingClassifier
from cxr.checkpoints.fingerprints import check_fingerprint, fingerprint
from cxr.checkpoints.format import resolve
from cxr.hub import HUB, Repository, is_hub_address
from cxr.models import DualEncoder, FrozenTextEncoder, PatchEncoder

TEXT = frozenset(("weights", "sha256"))  # keys of config.json's "text_encoder"


def load_conditioning_text_encoder(
    weights: str | Path, config: Mapping[str, Any], text_weights: str | Path | None = None
) -> FrozenTextEncoder:
    """The text encoder that config.json names.

    The entry "text_encoder" reads {"weights": name, "sha256": fingerprint}, with an hf:// "address"
    where the model came from the Hub.

    Args:
        weights: the conditioned model's own address.
        config: its config.json.
        text_weights: address of the text encoder; None: the folder of that name beside `weights`,
            else that address, else the repository of that name of the same owner.

    Raises:
        ValueError: no such entry, folder or repository, or another text encoder than the model
            was trained with.
    """
    named = _named(weights, config)
    address = text_weights or _beside(weights, named)
    encoder = load_text_encoder(address)
    check_fingerprint("text encoder", encoder.fingerprint, named["sha256"], weights, address)
    return encoder


def load_conditioning_patch_encoder(
    weights: str | Path,
    config: Mapping[str, Any],
    layers: Sequence[int],
    side: int,
    text_weights: str | Path | None = None,
) -> PatchEncoder:
    """The image encoder beside the text encoder that config.json names, with its "image_sha256".

    Args:
        weights: as for load_conditioning_text_encoder.
        config: as for load_conditioning_text_encoder.
        layers: as for PatchEncoder.
        side: as for PatchEncoder.
        text_weights: as for load_conditioning_text_encoder.

    Raises:
        ValueError: as for the text encoder, or another image encoder than the model was trained
            with.
    """
    named = _named(weights, config, TEXT | {"image_sha256"})
    address = text_weights or _beside(weights, named)
    encoder = load_patch_encoder(address, layers, side)
    check_fingerprint("image encoder", encoder.fingerprint, named["image_sha256"], weights, address)
    return encoder


def load_conditioning_classifier(
    weights: str | Path, config: Mapping[str, Any], text_weights: str | Path | None = None
) -> tuple[DualEncoder, FindingClassifier] | None:
    """The finding classifier that config.json names as "presence", and the encoder that it reads.

    Args:
        weights: as for load_conditioning_text_encoder.
        config: as for load_conditioning_text_encoder; "presence" reads {"weights": name}.
        text_weights: as for load_conditioning_text_encoder.

    Returns:
        None where there is no such entry, no such folder beside `weights`, or one with heads for
        another encoder: the conditioned model's own probabilities then speak alone.
    """
    named = config.get("presence")
    if not isinstance(named, Mapping):
        return None
    address = text_weights or _beside(weights, _named(weights, config))
    heads = _beside(weights, named)
    if not is_hub_address(str(heads)) and not Path(heads).is_dir():
        return None
    dual = shared_dual_encoder(address)[0]
    try:
        return dual, FindingClassifier.load(heads, fingerprint(resolve(address)))
    except ValueError:
        return None


def _named(
    weights: str | Path, config: Mapping[str, Any], keys: Set[str] = TEXT
) -> Mapping[str, Any]:
    named = config.get("text_encoder")
    if not isinstance(named, Mapping) or not keys <= set(named):
        raise ValueError(
            f"expected {', '.join(sorted(keys))} of a text encoder in {weights}, found not all; "
            "train the model again or copy its config.json"
        )
    return named


def _beside(weights: str | Path, named: Mapping[str, Any]) -> str | Path:
    address, name = named.get("address"), Path(str(named["weights"])).name
    if is_hub_address(weights):
        return address or f"{HUB}{Repository.at(str(weights)).name.partition('/')[0]}/{name}"
    folder = resolve(weights).absolute().parent / name
    return folder if folder.is_dir() or not address else address

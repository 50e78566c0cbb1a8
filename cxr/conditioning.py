"""The text encoder that a text-steered model was trained with, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr.checkpoints import resolve
from cxr.hub import HUB, Repository, is_hub_address
from cxr.text_towers import TextTower, load_text_tower


def load_conditioning_tower(
    weights: str | Path, config: Mapping[str, Any], text_weights: str | Path | None = None
) -> TextTower:
    """The tower that config.json names as "text_encoder": {"weights": name, "sha256": fingerprint},
    with an hf:// "address" where the model came from the Hub.

    Args:
        weights: the steered model's own address. config: its config.json.
        text_weights: address of the text encoder; None: the folder of that name beside `weights`,
            else that address, else the repository of that name of the same owner.

    Raises:
        ValueError: no such entry, folder or repository, or another text encoder than the model
            was trained with.
    """
    named = config.get("text_encoder")
    if not isinstance(named, Mapping) or not {"weights", "sha256"} <= set(named):
        raise ValueError(
            f"expected the name and sha256 of a text encoder in {weights}, found none; "
            "train the model again or copy its config.json"
        )
    if text_weights is None:
        text_weights = _beside(weights, named)
    tower = load_text_tower(text_weights)
    if tower.fingerprint != named["sha256"]:
        raise ValueError(
            f"expected text encoder {str(named['sha256'])[:12]}, with which {weights} was trained; "
            f"{text_weights} is {tower.fingerprint[:12]}; give the one it was trained with as "
            "text_weights, or train again"
        )
    return tower


def _beside(weights: str | Path, named: Mapping[str, Any]) -> str | Path:
    address, name = named.get("address"), Path(str(named["weights"])).name
    if is_hub_address(weights):
        return address or f"{HUB}{Repository.at(str(weights)).name.partition('/')[0]}/{name}"
    folder = resolve(weights).absolute().parent / name
    return folder if folder.is_dir() or not address else address

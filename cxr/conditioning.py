"""The text encoder that a text-steered model was trained with, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr.checkpoints import resolve
from cxr.text_towers import TextTower, load_text_tower


def load_conditioning_tower(
    weights: str | Path, config: Mapping[str, Any], text_weights: str | Path | None = None
) -> TextTower:
    """The tower that config.json names as "text_encoder": {"weights": name, "sha256": fingerprint}.

    Args:
        weights: the steered model's own address. config: its config.json.
        text_weights: address of the text encoder; None: the folder of that name beside `weights`.

    Raises:
        ValueError: no such entry or folder, a Hub address without text_weights, or another text
            encoder than the model was trained with.
    """
    named = config.get("text_encoder")
    if not isinstance(named, Mapping) or not {"weights", "sha256"} <= set(named):
        raise ValueError(
            f"expected the name and sha256 of a text encoder in {weights}, found none; "
            "train the model again or copy its config.json"
        )
    if text_weights is None:
        if str(weights).startswith("hf://"):
            raise ValueError(
                f"expected text_weights besides {str(weights)!r}, got none; give the address of "
                f"the text encoder {named['weights']!r}"
            )
        text_weights = resolve(weights).absolute().parent / Path(str(named["weights"])).name
    tower = load_text_tower(text_weights)
    if tower.fingerprint != named["sha256"]:
        raise ValueError(
            f"expected text encoder {str(named['sha256'])[:12]}, with which {weights} was trained; "
            f"{text_weights} is {tower.fingerprint[:12]}; give the one it was trained with as "
            "text_weights, or train again"
        )
    return tower

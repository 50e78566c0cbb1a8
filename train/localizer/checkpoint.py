"""The checkpoints that a localizer's training starts from, and the one that it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cxr import __version__
from cxr.anatomy import TARGETS
from cxr.checkpoints import load_checkpoint, read_config, resolve, save_checkpoint
from cxr.models import FrozenTextEncoder, TextGuidedUNet
from train.common.energy import hardware
from train.common.options import command_line
from train.localizer.mask_data import Answers
from train.localizer.options import Options


def load_encoder(model: TextGuidedUNet, address: str) -> None:
    """Fill the encoder with phase 1's. Raises ValueError when it is another one."""
    config, state = load_checkpoint(address)
    try:
        model.encoder.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise ValueError(
            f"expected the encoder {model.config.encoder} in {address}, got "
            f"{config.get('encoder', 'another model')!r}; train it with train.autoencoder"
        ) from error


def training_record(
    options: Options, step: int, seconds: float, sets: Sequence[Answers], score: float
) -> dict:
    """What config.json says of a run: its command, data and result, and the runs before it."""
    roots = (
        options.data,
        *options.extra,
        *options.normal,
        *options.boxes,
        *options.pseudo_labeled,
    )
    return {
        "command": command_line("accelerate launch -m train.localizer", options),
        "step": step,
        "minutes": round(seconds / 60, 1),
        "hardware": hardware(),
        "films": [len(part) for part in sets],
        "data": list(dict.fromkeys(root.name for root in roots)),
        "fold": options.fold,
        "shuffled_text": options.shuffle_text,
        "phase_1": options.encoder != "none",
        "score": round(score, 4),
        "earlier": _earlier(options),
    }


def _earlier(options: Options) -> list[dict]:
    """Records of phase 1 and the teacher, and of the runs before these, the first one first."""
    found: list[dict] = []
    for address in (options.encoder, options.teacher):
        if address not in ("none", None):
            training = dict(read_config(resolve(address)).get("training", {}))
            found += [*training.pop("earlier", []), training]
    # Of one run that several came from, the fullest record.
    runs = dict.fromkeys(run.get("command") for run in found if run)
    return [
        max((run for run in found if run.get("command") == command), key=len) for command in runs
    ]


def save_localizer(
    model: TextGuidedUNet,
    folder: Path,
    text: str,
    encoder: FrozenTextEncoder | None,
    training: dict,
) -> None:
    """Write the checkpoint.

    Args:
        model: The U-Net.
        folder: Where it goes.
        text: The text encoder's address, whose last part names it.
        encoder: The text encoder; None for a U-Net that reads no text.
        training: The record of the run.
    """
    config = {
        "architecture": model.config.to_dict(),
        "targets": list(TARGETS),
        "training": training,
        "code_version": __version__,
    }
    if encoder is not None:
        name = text.rstrip("/").rpartition("/")[2]
        config["text_encoder"] = {"weights": name, "sha256": encoder.fingerprint}
    save_checkpoint(folder, model.state_dict(), config)

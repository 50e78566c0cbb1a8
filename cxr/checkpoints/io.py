"""Model weights: saved to a folder, loaded from one or from the Hugging Face Hub, and pushed there.

The files are described in cxr.checkpoints.format.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from cxr.checkpoints.format import (
    CARD,
    CONFIG,
    FORMAT_VERSION,
    METRICS,
    TOKENIZER,
    read_config,
    read_tokenizer,
    resolve,
)
from cxr.checkpoints.shards import is_weight_file, read_tensors, weight_files, write_tensors
from cxr.files import replace_folder, write_json
from cxr.models import DualEncoder, DualEncoderConfig


def save_checkpoint(
    folder: str | Path,
    state_dict: dict[str, torch.Tensor],
    config: dict,
    metrics: dict | None = None,
    card: str | None = None,
    shard_mb: float = 15,
    dtype: torch.dtype = torch.float16,
    files: dict[str, str] | None = None,
) -> Path:
    """Write a checkpoint folder; it appears whole or not at all.

    Args:
        folder: target; what it holds beside is kept, but for metrics.json and README.md, which
            spoke of the former weights: train.evaluate writes both anew.
        state_dict: tensors of any shape; floating ones are stored as `dtype`, except those that
            would overflow in it; the others keep their type.
        config: JSON-able; "format_version" is added.
        metrics: content of metrics.json. card: content of README.md.
        shard_mb: largest weight file in MB (10^6 bytes).
        files: further text files by name, such as {"tokenizer.json": "..."}.

    Raises:
        ValueError: a tensor with NaN or infinite values.
    """
    folder = Path(folder).expanduser().absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        new.chmod(0o755)  # mkdtemp makes it readable by its owner alone
        if folder.is_dir():
            shutil.copytree(folder, new, dirs_exist_ok=True, ignore=_replaced(folder))
        write_tensors(new, state_dict, dtype, int(shard_mb * 1_000_000))
        write_json(new / CONFIG, {**config, "format_version": FORMAT_VERSION})
        if metrics is not None:
            write_json(new / METRICS, metrics)
        for name, text in {**(files or {}), **({CARD: card} if card else {})}.items():
            (new / name).write_text(text, "utf-8")
        replace_folder(new, folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    return folder


def load_checkpoint(weights: str | Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """Read a checkpoint -> (config, state dict with every floating tensor as float32 on the CPU).

    Args:
        weights: a folder, or "hf://owner/name[@revision]".

    Raises:
        ValueError: missing, truncated or corrupt files, a shard outside the folder, or a format
            newer than this version reads.
    """
    folder = resolve(weights)
    return read_config(folder), read_tensors(folder)


def save_dual_encoder(
    model: DualEncoder,
    folder: str | Path,
    about: dict | None = None,
    metrics: dict | None = None,
    card: str | None = None,
) -> Path:
    """Write a DualEncoder with its architecture, preprocessing and tokenizer.

    Args:
        about: further JSON-able entries of config.json (label vocabulary, training data, code
            version, similarity_bands). metrics, card: as for save_checkpoint.
    """
    config = {**(about or {}), "architecture": model.config.to_dict()}
    files = {TOKENIZER: model.text_encoder.tokenizer.to_str(pretty=True)}
    return save_checkpoint(folder, model.state_dict(), config, metrics, card, files=files)


def load_dual_encoder(weights: str | Path) -> tuple[DualEncoder, dict]:
    """Read a DualEncoder -> (model in eval mode, float32, on the CPU; its config.json).

    Raises:
        ValueError: as load_checkpoint, or when weights and architecture do not belong together.
    """
    folder = resolve(weights)
    config, state = load_checkpoint(folder)
    if not isinstance(config.get("architecture"), dict):
        raise ValueError(
            f"expected an architecture in {folder / CONFIG}, found none; save it again"
        )
    model = DualEncoder(DualEncoderConfig.from_dict(config["architecture"]), read_tokenizer(folder))
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"expected the weights in {folder} to fit its architecture, they do not ({reason}); "
            "copy the checkpoint again"
        ) from error
    return model.eval(), config


def fingerprint(weights: str | Path) -> str:
    """sha256 (64 hex digits) over what an embedding depends on: the name of an encoder.

    It covers the architecture with its preprocessing, the tokenizer and the weight files, and no
    note beside them, such as how the model was trained or its similarity bands.

    Raises:
        ValueError: as load_checkpoint, for missing files.
    """
    folder = resolve(weights)
    architecture = read_config(folder).get("architecture")
    digest = hashlib.sha256(json.dumps(architecture, sort_keys=True).encode())
    tokenizer = [folder / TOKENIZER] if (folder / TOKENIZER).is_file() else []
    for path in (*tokenizer, *weight_files(folder)):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _replaced(folder: Path) -> Callable[[str, list[str]], list[str]]:
    """For copytree: what of `folder` itself, not of folders in it, goes with its old weights."""

    def names_of(inside: str, names: list[str]) -> list[str]:
        if Path(inside) != folder:
            return []
        return [name for name in names if name in (CONFIG, METRICS, CARD) or is_weight_file(name)]

    return names_of

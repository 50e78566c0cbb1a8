"""Model weights: saved to a folder, and loaded from one or from the Hugging Face Hub.

The files are described in cxr.checkpoints.format.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from cxr.checkpoints.format import (
    CARD,
    CONFIG,
    FORMAT_VERSION,
    METRICS,
    read_config,
    resolve,
)
from cxr.checkpoints.shards import is_weight_file, read_tensors, write_tensors
from cxr.files import replace_folder, write_json

Module = TypeVar("Module", bound=nn.Module)
# What constructors fill parameters with: torch.nn.init, and the methods that it and timm call.
_INITIALIZERS = frozenset(
    ("uniform_", "normal_", "trunc_normal_", "constant_", "ones_", "zeros_", "kaiming_uniform_")
    + ("kaiming_normal_", "xavier_uniform_", "xavier_normal_")
    + ("fill_", "zero_", "copy_", "erfinv_", "mul_", "add_", "clamp_")
)


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
        metrics: content of metrics.json.
        card: content of README.md.
        shard_mb: largest weight file in MB (10^6 bytes).
        dtype: of the floating tensors in the files.
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


def build_model(
    create: Callable[[], Module], state: dict[str, torch.Tensor], folder: Path
) -> Module:
    """Make a model out of the tensors of a checkpoint.

    The tensors become the model's own, and what the constructor would draw at random is left out,
    so that a model takes its place in memory once.

    Args:
        create: makes the model, of the architecture in config.json.
        state: from load_checkpoint; the model takes it over.
        folder: where `state` was read, for the error.

    Returns:
        The model in eval mode, on the CPU.

    Raises:
        ValueError: weights and architecture do not belong together.
    """
    with _WithoutInitialization():
        model = create()
    try:
        model.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"expected the weights in {folder} to fit its architecture, they do not ({reason}); "
            "copy the checkpoint again"
        ) from error
    return model.eval()


class _WithoutInitialization(TorchFunctionMode):
    """In this thread, parameters stay as allocated: nothing writes to them, so no memory is used.

    Buffers are filled as ever, since a state dict need not hold them.
    """

    def __torch_function__(
        self,
        func: Callable,
        types: Iterable[type],
        args: tuple = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in _INITIALIZERS:
            target = args[0] if args else kwargs.get("tensor")
            if isinstance(target, nn.Parameter):
                return target
        return func(*args, **kwargs)


def _replaced(folder: Path) -> Callable[[str, list[str]], list[str]]:
    """For copytree: what of `folder` itself, not of folders in it, goes with its old weights."""

    def names_of(inside: str, names: list[str]) -> list[str]:
        if Path(inside) != folder:
            return []
        return [name for name in names if name in (CONFIG, METRICS, CARD) or is_weight_file(name)]

    return names_of

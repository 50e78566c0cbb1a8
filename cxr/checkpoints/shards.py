"""A state dict as safetensors files in the Hugging Face Hub's layout, never above a given size.

One file `model.safetensors`, or `model-00001-of-0000N.safetensors` with
`model.safetensors.index.json` that says which tensor lies where. A tensor too large for one file
lies in parts `name::0`, `name::1`, ... cut along its first axis.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from cxr.files import read_json, write_json

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_DIGITS = "[0-9]" * 5
SHARDS = f"model-{_DIGITS}-of-{_DIGITS}.safetensors"  # as a shell pattern
_SHARD_NAME = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_HEADER = 256  # bytes that the JSON header spends on one tensor, generously
_PART = "::"


def is_weight_file(name: str) -> bool:
    """Whether a file of this name belongs to the weights of a checkpoint."""
    return name in (WHOLE, INDEX) or _SHARD_NAME.fullmatch(name) is not None


def write_tensors(
    folder: Path, state: dict[str, torch.Tensor], dtype: torch.dtype, max_bytes: int
) -> None:
    """Write `state` to `folder`, floating tensors as `dtype`, no file above `max_bytes`.

    A floating tensor that would overflow in `dtype` keeps its own type.

    Raises:
        ValueError: a tensor holds NaN or infinite values, or a single row of one is larger than
            a file may be; nothing is written then.
    """
    parts = dict(_cut({k: _stored(k, v, dtype) for k, v in state.items()}, max_bytes))
    shards = _pack(parts, max_bytes)
    if len(shards) == 1:
        _write_file(shards[0], folder / WHOLE)
        return
    weight_map: dict[str, str] = {}
    for i, shard in enumerate(shards, 1):
        name = f"model-{i:05}-of-{len(shards):05}.safetensors"
        _write_file(shard, folder / name)
        weight_map |= dict.fromkeys(shard, name)
    total = sum(t.numel() * t.element_size() for t in parts.values())
    write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": weight_map})


def read_tensors(folder: Path) -> dict[str, torch.Tensor]:
    """The state dict in `folder`, every floating tensor as float32.

    Raises:
        ValueError: a missing or corrupt file, an index that points out of the folder or does not
            agree with its files.
    """
    stored: dict[str, torch.Tensor] = {}
    for path, names in weight_files(folder).items():
        # Converted file by file, and copied, so that none stays mapped into memory.
        for name, value in read_file(path, names).items():
            dtype = torch.float32 if value.is_floating_point() else value.dtype
            stored[name] = value.to(dtype, copy=True)
    return _join(stored)


def weight_files(folder: Path) -> Mapping[Path, list[str] | None]:
    """The weight files of `folder` in order -> the tensors expected in each (None: any).

    Raises:
        ValueError: there are none, one is missing, or the index cannot be trusted.
    """
    if not (folder / INDEX).exists():
        _require(folder / WHOLE)
        return {folder / WHOLE: None}
    weight_map = read_json(folder / INDEX, "an index of weights").get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise ValueError(f"expected a weight_map in {folder / INDEX}, found none; save it again")
    files: dict[Path, list[str]] = {}
    for tensor, name in weight_map.items():
        # A plain name only: an index from elsewhere must not reach other files of the machine.
        if not isinstance(name, str) or not is_weight_file(name) or name == INDEX:
            raise ValueError(
                f"expected file names such as model-00001-of-00002.safetensors in {folder / INDEX},"
                f" got {name!r}; do not use this checkpoint"
            )
        files.setdefault(_require(folder / name), []).append(tensor)
    return {path: files[path] for path in sorted(files)}


def _write_file(tensors: dict[str, torch.Tensor], path: Path) -> None:
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors writes for the owner alone


def _require(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(
            f"expected weights at {path}, found no such file; copy the checkpoint again"
        )
    return path


def read_file(path: Path, names: list[str] | None = None) -> dict[str, torch.Tensor]:
    """The tensors of one .safetensors file, as stored.

    Raises:
        ValueError: a corrupt file, or other tensors than `names` (None: any).
    """
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(
            f"expected safetensors in {path}, the file is truncated or corrupt ({error}); "
            "copy the checkpoint again"
        ) from error
    if names is not None and set(names) != set(found):
        odd = sorted(set(names) ^ set(found))[0]
        raise ValueError(
            f"expected the tensors of {INDEX} in {path}, {odd!r} is in only one of them; "
            "copy the checkpoint again"
        )
    return found


def _stored(name: str, value: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    value = value.detach().cpu()
    if not value.is_floating_point():
        return value.clone().contiguous()
    if not torch.isfinite(value).all():
        raise ValueError(f"expected finite weights, got NaN or infinity in {name!r}; not saved")
    small = value.to(dtype)
    # clone: safetensors refuses tensors that share memory, as tied weights do
    return (small if torch.isfinite(small).all() else value).clone().contiguous()


def _cut(tensors: dict[str, torch.Tensor], max_bytes: int) -> Iterable[tuple[str, torch.Tensor]]:
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        if size + _HEADER <= max_bytes:
            yield name, tensor
            continue
        rows = (max_bytes - _HEADER) * len(tensor) // size if tensor.ndim and size else 0
        if rows < 1:
            raise ValueError(
                f"expected room for a row of {name!r} {list(tensor.shape)} in a weight file of "
                f"{max_bytes:,} bytes, which has none; allow larger files"
            )
        for i, piece in enumerate(tensor.split(rows)):
            yield f"{name}{_PART}{i}", piece.clone()


def _join(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    whole: dict[str, torch.Tensor] = {}
    parts: dict[str, dict[int, torch.Tensor]] = {}
    for key, tensor in stored.items():
        name, _, number = key.partition(_PART)
        if number.isdecimal():
            parts.setdefault(name, {})[int(number)] = tensor
        else:
            whole[key] = tensor
    for name, pieces in parts.items():
        if sorted(pieces) != list(range(len(pieces))):
            raise ValueError(f"expected all parts of {name!r}, got {sorted(pieces)}")
        whole[name] = torch.cat([pieces[i] for i in range(len(pieces))])
    return whole


def _pack(tensors: dict[str, torch.Tensor], max_bytes: int) -> list[dict[str, torch.Tensor]]:
    shards: list[dict[str, torch.Tensor]] = [{}]
    room = max_bytes
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size() + _HEADER
        if size > room and shards[-1]:
            shards.append({})
            room = max_bytes
        shards[-1][name] = tensor
        room -= size
    return shards

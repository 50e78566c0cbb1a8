"""Model weights on disk: a folder with config.json and safetensors, as the Hugging Face Hub has it.

    config.json            architecture, preprocessing, vocabulary, training data
    model.safetensors      or shards with their index (cxr.shards)
    metrics.json           what train.evaluate measured
    README.md              the model card
    tokenizer.json, ...    whatever else the model needs

Weights lie in half precision and are loaded as float32. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer

from cxr.encoders import DualEncoder, DualEncoderConfig
from cxr.files import read_json, replace_folder, write_json
from cxr.shards import is_weight_file, read_tensors, weight_files, write_tensors

FORMAT_VERSION = 1
CONFIG, METRICS, CARD = "config.json", "metrics.json", "README.md"
TOKENIZER = "tokenizer.json"
CHECKPOINT_FILES = ("*.json", "*.safetensors", "*.txt", "*.md")  # all that is ever read
_HUB = "hf://"


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


def read_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer.json of a checkpoint. Raises ValueError when it is missing or damaged."""
    try:
        return Tokenizer.from_str((folder / TOKENIZER).read_text("utf-8"))
    except Exception as error:  # tokenizers raises bare Exception for what it cannot read
        raise ValueError(
            f"expected a tokenizer in {folder / TOKENIZER}, could not read it ({error}); "
            "copy the checkpoint again"
        ) from error


def read_config(folder: Path) -> dict:
    """The config.json of a checkpoint.

    Raises:
        ValueError: missing, corrupt, or of a newer format.
    """
    config = read_json(folder / CONFIG, "a checkpoint's config.json")
    version = config.get("format_version", FORMAT_VERSION)
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise ValueError(
            f"expected checkpoint format {FORMAT_VERSION} or older in {folder}, got {version!r}; "
            "update this package to read it"
        )
    return config


def resolve(address: str | Path, patterns: Sequence[str] = CHECKPOINT_FILES) -> Path:
    """The local folder behind the address of a checkpoint or a gallery.

    Args:
        address: a folder, "hf://owner/name[@revision]" or "hf://datasets/owner/name[@revision]";
            the last two are fetched from the Hugging Face Hub into its cache (with
            HF_HUB_OFFLINE=1 they come from the cache alone).
        patterns: which files of a model to fetch, as shell patterns; of a data set, all come.

    Raises:
        ValueError: no such folder, an address that cannot be read, or a failed download.
    """
    text = str(address)
    if text.startswith(_HUB):
        return _download(text, patterns)
    folder = Path(address).expanduser()
    if not folder.is_dir():
        raise ValueError(
            f"expected a folder or hf://owner/name, got {text!r}, which is no folder; "
            "check the path or fetch it first"
        )
    return folder


def _download(address: str, patterns: Sequence[str]) -> Path:
    name, _, revision = address[len(_HUB) :].partition("@")
    kind = "dataset" if name.startswith("datasets/") else "model"
    name = name.removeprefix("datasets/")
    if name.count("/") != 1 or not all(name.split("/")):
        raise ValueError(f"expected hf://owner/name[@revision], got {address!r}")
    from huggingface_hub import snapshot_download  # slow to import, seldom needed

    try:
        return Path(snapshot_download(
            name, repo_type=kind, revision=revision or None,
            allow_patterns=list(patterns) if kind == "model" else None,
        ))  # fmt: skip
    except Exception as error:  # network, 404, empty cache, bad name: they share no base class
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ValueError(
            f"expected to fetch {address!r}, got: {reason}; check the name and the network, "
            "or give a local folder"
        ) from error


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

"""What a checkpoint looks like on disk: a folder with config.json and safetensors, as on the Hub.

    config.json            architecture, preprocessing, vocabulary, training data
    model.safetensors      or shards with their index (cxr.checkpoints.shards)
    metrics.json           what train.evaluate measured
    README.md              the model card
    tokenizer.json, ...    whatever else the model needs

Weights lie in half precision and are loaded as float32. Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from cxr.defaults import find_shipped
from cxr.files import read_json
from cxr.hub import fetch, is_hub_address

FORMAT_VERSION = 1
CONFIG, METRICS, CARD = "config.json", "metrics.json", "README.md"
TOKENIZER = "tokenizer.json"
CHECKPOINT_FILES = ("*.json", "*.safetensors", "*.txt", "*.md")  # all that is ever read


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
            the last two are fetched from the Hugging Face Hub into its cache.
        patterns: which files of a repository to fetch, as shell patterns.

    Raises:
        ValueError: no such folder, or what cxr.hub.repository.fetch refuses.
    """
    if is_hub_address(address):
        return fetch(str(address), patterns)
    folder = find_shipped(address)
    if not folder.is_dir():
        raise ValueError(
            f"expected a folder or hf://owner/name, got {str(address)!r}, which is no folder; "
            "check the path or fetch it first"
        )
    return folder

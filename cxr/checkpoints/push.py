"""Checkpoints to the Hugging Face Hub and back: a repository each, its files at the top."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cxr.checkpoints.encoders import image_fingerprint, load_text_encoder
from cxr.checkpoints.format import CARD, CONFIG, METRICS, TOKENIZER, read_config, resolve
from cxr.checkpoints.shards import INDEX, SHARDS, WHOLE, read_tensors, weight_files
from cxr.files import copy_folder
from cxr.hub import Repository, explained, is_hub_address, send, staged

# All that a checkpoint consists of. Whatever else lies in its folder is never sent: a picture of
# training shows real images, and a .json or .txt may be a key.
_BESIDE = (
    CONFIG,
    METRICS,
    CARD,
    "trials.json",
    "search.json",
    "reliability.png",
    "originals.safetensors",
    "findings.safetensors",
    "finding_network.safetensors",
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
)
OWN = (*_BESIDE, WHOLE, INDEX, SHARDS)
TEXT_ENCODER, ADDRESS = "text_encoder", "address"  # in config.json
_UNMEASURED = """# {name}

A checkpoint of CXR Reading Room. It has not been measured: `python -m train.evaluate` writes its model card.

## Intended use

Teaching how to read chest X-rays. **Out of scope: any use in the care of patients.** For education, not for diagnosis.
"""  # noqa: E501


def push_checkpoint(
    folder: str | Path, repo_id: str, private: bool = True, text_weights: str | None = None
) -> str:
    """Upload a checkpoint -> its address, hf://owner/name@commit.

    Only the files that OWN names go; what the repository held of former weights is replaced.

    Args:
        folder: of the checkpoint.
        repo_id: owner/name; made when there is none.
        private: keep it from the public.
        text_weights: hf:// address of the text encoder that this model is steered by; None: the
            repository of the same owner that is called as config.json says. The config.json on
            the Hub names it at its commit.

    Raises:
        ValueError: a damaged checkpoint, a steered model whose text encoder is not on the Hub, or
            is another there, a repository that is public though `private`, or what cxr.hub.send
            refuses.
    """
    folder = Path(folder).expanduser().absolute()
    repository = Repository.at(f"hf://{repo_id}")
    config = read_config(folder)
    read_tensors(folder)  # damaged weights are found here, not by whoever pulls them
    names = (*_BESIDE, INDEX, *(file.name for file in weight_files(folder)))
    files: dict[str, Path | str] = {
        name: folder / name for name in names if (folder / name).is_file()
    }
    if (about := config.get(TEXT_ENCODER)) is not None:
        sibling = f"hf://{repository.name.partition('/')[0]}/{about['weights']}"
        address = _pinned(text_weights or sibling, about, folder.name)
        config = {**config, TEXT_ENCODER: {**about, ADDRESS: address}}
        files[CONFIG] = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    files.setdefault(CARD, _card(repository.name))
    with staged(files) as ready:
        done = send(ready, repository, private, OWN, f"Push {folder.name}")
    return str(done)


def pull_checkpoint(address: str, folder: str | Path, overwrite: bool = False) -> Path:
    """Copy a checkpoint from the Hub to a folder, which appears whole or not at all.

    Raises:
        ValueError: as cxr.hub.fetch, no checkpoint or one of a newer format, a folder that holds
            something else, or another checkpoint without `overwrite`.
    """
    if not is_hub_address(address):
        raise ValueError(f"expected hf://owner/name[@revision], got {address!r}")
    source = resolve(address, OWN)
    read_config(source)
    read_tensors(source)
    with explained(f"to copy {address} to {folder}", elsewhere="give another folder"):
        return copy_folder(source, Path(folder), CONFIG, OWN, overwrite)


def _pinned(address: str, about: Mapping[str, object], name: str) -> str:
    """The address of the text encoder that the model `name` needs, at the commit it has today.

    about: its fingerprint as "sha256", and as "image_sha256" that of the image encoder beside it
    where the model builds on that too. Raises ValueError: none there, or another one.
    """
    try:
        repository = Repository.at(address)
        folder = resolve(address)
        pinned = str(Repository(repository.name, repository.kind, folder.name))
        found = {"text encoder": (load_text_encoder(folder).fingerprint, about.get("sha256"))}
        if sha256 := about.get("image_sha256"):
            found["image encoder"] = image_fingerprint(folder), sha256
        for kind, (there, wanted) in found.items():
            if there != wanted:
                raise ValueError(f"expected {kind} {str(wanted)[:12]}, {pinned} is {there[:12]}")
        return pinned
    except ValueError as error:
        raise ValueError(
            f"{error}; {name} is steered by this text encoder: push that first, or give its "
            "address with --text-weights hf://owner/name"
        ) from error


def _card(name: str) -> str:
    from huggingface_hub import ModelCard, ModelCardData

    data = ModelCardData(library_name="cxr", tags=["chest-x-ray", "medical-education"])
    card = f"---\n{data.to_yaml()}\n---\n\n{_UNMEASURED.format(name=name.partition('/')[2])}"
    return str(ModelCard(card))

"""Published weights to start from, in the formats that timm, torchvision and the Hub serve.

Safetensors where there are any, else a pickle of tensors alone: torch.load(weights_only=True)
refuses to run what a pickle may hold beside them.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from cxr.checkpoints import INDEX, WHOLE, read_file, read_tensors, resolve
from cxr.files import read_json
from cxr.models import TimmBackbone, TorchvisionBackbone

PICKLED = "pytorch_model.bin"
SAFE_FILES = ("*.json", "*.safetensors", "vocab.txt", "merges.txt")  # what is fetched first
_CONFIGURATION = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "vocab_size",
    "type_vocab_size",
    "hidden_act",
    "layer_norm_eps",
    "position_embedding_type",
    "pad_token_id",
)


def hub_folder(address: str) -> Path:
    """The folder behind an address.

    Of an hf:// address the pickle is fetched only where the repository holds no safetensors.

    Raises:
        ValueError: As cxr.checkpoints.resolve.
    """
    folder = resolve(address, SAFE_FILES)
    if any(folder.glob("*.safetensors")) or (folder / PICKLED).exists():
        return folder
    return resolve(address, (*SAFE_FILES, PICKLED))


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name of a .safetensors, .bin or .pth file, or of a folder in the Hub's layout.

    Raises:
        ValueError: a missing or corrupt file, or a pickle with more than tensors in it.
    """
    if path.is_dir():
        if (path / WHOLE).exists() or (path / INDEX).exists():
            return read_tensors(path)
        path = path / PICKLED
    if not path.is_file():
        raise ValueError(f"expected weights at {path}, found no such file; make or fetch them")
    if path.suffix == ".safetensors":
        return read_file(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise ValueError(
            f"expected a pickle of tensors alone in {path}, could not read it ({reason}); "
            "fetch it again, or convert it to safetensors where it is trusted"
        ) from error
    if not isinstance(state, dict) or not all(torch.is_tensor(v) for v in state.values()):
        raise ValueError(f"expected tensors by name in {path}, found something else")
    return state


def load_backbone(backbone: TimmBackbone | TorchvisionBackbone, address: str) -> None:
    """Fill a backbone with published weights, strictly but for the classifier, which it lacks.

    address: a folder, a .safetensors, .bin or .pth file, or hf://owner/name; its names are those
        of timm or torchvision, or the backbone's own.

    Raises:
        ValueError: no such weights, or other names or shapes than this backbone's.
    """
    single = address.endswith((".safetensors", ".bin", ".pth"))
    path = Path(address) if single else hub_folder(address)
    if (path / "backbone.safetensors").exists():
        path = path / "backbone.safetensors"
    state = read_weights(path)
    own = backbone.state_dict()
    names = {name: name if name in state else backbone.published_name(name) for name in own}
    _require_fit(own, {name: state[names[name]] for name in own if names[name] in state}, path)
    backbone.load_state_dict({name: state[names[name]] for name in own})


def load_text_model(address: str) -> tuple[dict, Tokenizer, nn.Module]:
    """A BERT-family model in the Hub's layout -> (its configuration, tokenizer, the model).

    Heads that it was pretrained with are left out, and so is its pooler.

    Raises:
        ValueError: a missing or damaged file, or weights that are not those of config.json.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    folder = hub_folder(address)
    values = {"model_type": "bert", **read_json(folder / "config.json", "a text model's config")}
    try:
        model = AutoModel.from_config(AutoConfig.for_model(**values))
        tokenizer = AutoTokenizer.from_pretrained(folder, config=model.config).backend_tokenizer
    except (
        ValueError,
        OSError,
        AttributeError,
        KeyError,
        TypeError,
        StrictDataclassError,
    ) as error:
        raise ValueError(
            f"expected a text model of the BERT family with its tokenizer in {folder}, got: "
            f"{str(error).strip().partition(chr(10))[0]}"
        ) from error
    own = {n: v for n, v in model.state_dict().items() if not n.startswith("pooler.")}
    state = {_present_name(n): v for n, v in read_weights(folder).items()}
    prefix = "" if next(iter(own)) in state else f"{model.base_model_prefix}."
    state = {name: state[prefix + name] for name in own if prefix + name in state}
    _require_fit(own, state, folder)
    model.load_state_dict(state, strict=False)  # without the pooler; the rest is there
    configuration = model.config.to_dict()
    kept = {key: configuration[key] for key in _CONFIGURATION if configuration.get(key) is not None}
    # Dropout is the projection heads' alone (DualEncoderConfig.dropout).
    without = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return {"model_type": model.config.model_type, **kept, **without}, tokenizer, model


def _present_name(name: str) -> str:
    """Checkpoints converted from TensorFlow call a layer norm's weight gamma and its bias beta."""
    for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _require_fit(own: dict, state: dict, path: Path) -> None:
    missing = [name for name in own if name not in state]
    wrong = [name for name in own if name in state and own[name].shape != state[name].shape]
    if missing or wrong:
        raise ValueError(
            f"expected the weights of this network in {path}; "
            f"missing {missing[:3]}, other shapes {wrong[:3]}."
        )

"""Random networks in the formats that the Hub serves."""

from __future__ import annotations

import json
from pathlib import Path

import timm
import torch
from tiny import tiny_config, tiny_tokenizer
from transformers import BertConfig, BertForPreTraining


def make_timm_folder(folder: Path, name: str = "resnet10t") -> Path:
    """A random network with its classifier as timm publishes it on the Hub."""
    torch.manual_seed(1)
    model = timm.create_model(name, num_classes=10)
    for value in model.state_dict().values():  # running statistics of a network that was trained
        if value.is_floating_point():
            value += 0.01 * torch.rand_like(value)
    timm.models.save_for_hf(model, folder, safe_serialization=True)
    (folder / "pytorch_model.bin").unlink(missing_ok=True)
    return folder


def make_pickled_text_model(
    folder: Path, model_type: bool = True, **changes
) -> dict[str, torch.Tensor]:
    """A random BERT as emilyalsentzer/Bio_ClinicalBERT is published: config.json, vocab.txt and
    pytorch_model.bin with the heads of pretraining, layer norms named as in TensorFlow. Its
    weights come back under BERT's own names."""
    folder.mkdir()
    settings = {**tiny_config().text.transformer, **changes}
    torch.manual_seed(2)
    model = BertForPreTraining(
        BertConfig(**{k: v for k, v in settings.items() if k != "model_type"})
    )
    own = {
        name: value + 0.01 * torch.rand_like(value) for name, value in model.state_dict().items()
    }
    torch.save(
        {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            ): value
            for name, value in own.items()
        },
        folder / "pytorch_model.bin",
    )
    if not model_type:
        del settings["model_type"]
    (folder / "config.json").write_text(json.dumps(settings))
    vocabulary = tiny_tokenizer().get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)) + "\n")
    return own

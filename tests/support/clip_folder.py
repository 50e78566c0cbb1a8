"""CLIP with small random weights, in the layout of openai/clip-vit-base-patch32 on the Hub."""

from __future__ import annotations

from pathlib import Path

import torch
from tiny import tiny_tokenizer
from tokenizers import processors
from transformers import CLIPConfig, CLIPModel

TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "vocab_size": 200,
    "projection_dim": 16,
    "max_position_embeddings": 12,
    "bos_token_id": 2,
    "eos_token_id": 199,
    "pad_token_id": 0,
}
VISION = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 16,
    "projection_dim": 16,
}


def make_clip(folder: Path) -> Path:
    """Both halves in one model.safetensors, config.json and tokenizer.json."""
    torch.manual_seed(0)
    CLIPModel(
        CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=16)
    ).save_pretrained(folder)
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([f"unused{n}" for n in range(199 - tokenizer.get_vocab_size())])
    tokenizer.add_special_tokens(["[END]"])
    assert tokenizer.token_to_id("[END]") == 199
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [END]",
        special_tokens=[("[CLS]", tokenizer.token_to_id("[CLS]")), ("[END]", 199)],
    )
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    return folder

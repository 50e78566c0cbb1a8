"""Tiny models with random weights: the real classes at a size that runs in milliseconds."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from cxr.images.load import Preprocess
from cxr.models.dual_encoder import DualEncoder, DualEncoderConfig, ImageConfig, TextConfig

WORDS = (
    "[PAD] [UNK] [CLS] [SEP] a b c d e f g h i j k l m n o p q r s t u v w x y z "
    "0 1 2 3 4 5 6 7 8 9 "
    ", . : - ' year old male female frontal lateral ap pa view findings possible no demonstrates "
    "acute cardiopulmonary abnormality cardiomegaly edema pneumonia pneumothorax pleural effusion "
    "atelectasis mass nodule hernia fibrosis emphysema consolidation infiltration"
).split()


def tiny_tokenizer() -> Tokenizer:
    """Word pieces over single characters and a few words of the captions."""
    pieces = [*WORDS, *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz0123456789")]
    vocabulary = {piece: row for row, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return tokenizer


def tiny_config(backbone: str = "resnet10t", **changes) -> DualEncoderConfig:
    """A convolutional backbone at 64 px beside a one-layer BERT."""
    transformer = {
        "model_type": "bert",
        "vocab_size": tiny_tokenizer().get_vocab_size(),
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
    }
    image = ImageConfig(backbone, Preprocess(64, 0.5, 0.25, 1))
    return DualEncoderConfig(image, TextConfig(transformer, "mean", 64), **changes)


def tiny_dual_encoder(seed: int = 0, **changes) -> DualEncoder:
    """A DualEncoder in eval mode whose weights depend on the seed alone."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return DualEncoder(tiny_config(**changes), tiny_tokenizer()).eval()

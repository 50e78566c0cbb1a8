"""A small BERT from nothing: word pieces and masked-word training on reports and captions.

    python -m train.experiments.text_from_scratch --reports OPENI_ROOT --out runs/start/small-bert

Source: Devlin et al. 2019 (masked language modelling). Writes a folder in the Hub's layout.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tqdm import tqdm
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from cxr.data import load_reports
from train.common.options import option, parse_options
from train.retrieval.paraphrases import text_pair

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def learn_tokenizer(texts: list[str], size: int) -> Tokenizer:
    """Learn lower-case word pieces from texts."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL)
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(t, tokenizer.token_to_id(t)) for t in ("[CLS]", "[SEP]")],
    )
    return tokenizer


def mask_words(
    ids: torch.Tensor, real: torch.Tensor, mask_id: int, size: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hide 15% of the real tokens: 80% become the mask, 10% random ones, 10% stay.

    Args:
        ids: int64 [B, L], tokens.
        real: bool [B, L], False where a text is padded.
        mask_id: The mask's token.
        size: Of the vocabulary.
        generator: What is drawn from.

    Returns:
        The input and the target, int64 [B, L]; the target is -100 where nothing is hidden.
    """
    chance = torch.rand(ids.shape, generator=generator)
    chosen = (chance < 0.15) & real & (ids >= len(SPECIAL))
    target = ids.masked_fill(~chosen, -100)
    hidden = ids.masked_fill(chosen & (chance < 0.12), mask_id)
    other = torch.randint(len(SPECIAL), size, ids.shape, generator=generator)
    swap = chosen & (chance >= 0.12) & (chance < 0.135)
    return torch.where(swap, other, hidden), target


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.experiments.text_from_scratch."""

    reports: Path = option("Open-I's folder")
    out: Path = option("folder for the model")
    minutes: float = option("of training", 10.0)
    vocabulary: int = option("word pieces", 6000)
    seed: int = option("of every random draw", 0)


def main(argv: Sequence[str] | None = None) -> None:
    """Train tokenizer and model and write both."""
    options = parse_options(Options, argv, __doc__, "train.experiments.text_from_scratch")
    torch.manual_seed(options.seed)
    rng, generator = random.Random(options.seed), torch.Generator().manual_seed(options.seed)
    texts = [study.report for study in load_reports(options.reports) if study.report]
    texts += [text for _ in range(len(texts)) for text in text_pair(rng)]
    tokenizer = learn_tokenizer(texts, options.vocabulary)
    tokenizer.enable_truncation(128)
    tokenizer.enable_padding()
    size = tokenizer.get_vocab_size()
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=size,
            hidden_size=256,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=1024,
            max_position_embeddings=128,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), 5e-4, weight_decay=0.01)
    begun = time.time()
    bar = tqdm(unit="step")
    while (used := (time.time() - begun) / 60 / options.minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 5e-4 * min(1, 10 * used + 0.01) * (1 - used)
        encoded = tokenizer.encode_batch(rng.sample(texts, 32))
        ids = torch.tensor([item.ids for item in encoded])
        real = torch.tensor([item.attention_mask for item in encoded]).bool()
        hidden, target = mask_words(ids, real, tokenizer.token_to_id("[MASK]"), size, generator)
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(input_ids=hidden, attention_mask=real.long(), labels=target).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        bar.update()
        bar.set_postfix(loss=f"{loss.item():.3f}")
    model.bert.save_pretrained(options.out)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=128,
    ).save_pretrained(options.out)


if __name__ == "__main__":
    main()

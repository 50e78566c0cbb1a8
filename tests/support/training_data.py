"""A small data set in NIH's layout and a small text model in the Hub's, made by the tests."""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from drawn_films import draw_film
from tiny import tiny_config, tiny_tokenizer
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

LABELS = ("No Finding", "Cardiomegaly", "Effusion", "Mass|Nodule", "Pneumothorax", "Edema")


def make_nih(root: Path, count: int = 36) -> Path:
    """`count` drawn films with Data_Entry_2017.csv and split.csv; every third one validates, and
    every sixth tests, patient by patient."""
    (root / "images").mkdir(parents=True)
    with (
        open(root / "Data_Entry_2017.csv", "w", newline="") as entries,
        open(root / "split.csv", "w", newline="") as splits,
    ):
        entry, split = csv.writer(entries), csv.writer(splits)
        entry.writerow(
            [
                "Image Index",
                "Finding Labels",
                "Follow-up #",
                "Patient ID",
                "Patient Age",
                "Patient Gender",
                "View Position",
            ]
        )
        split.writerow(["Image Index", "split"])
        for row in range(count):
            name = f"{row:08d}_000.png"
            draw_film(row).save(root / "images" / name)
            entry.writerow(
                [
                    name,
                    LABELS[row % 6],
                    0,
                    row + 1,
                    30 + row,
                    "MF"[row % 2],
                    ("PA", "AP")[row // 2 % 2],
                ]
            )
            split.writerow([name, {0: "val", 3: "test"}.get(row // 6 % 6, "train")])
    return root


def make_text_model(folder: Path) -> Path:
    """A random one-layer BERT with its tokenizer, as the Hub serves it."""
    settings = dict(tiny_config().text.transformer)
    settings.pop("model_type")
    torch.manual_seed(0)
    BertModel(BertConfig(**settings)).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tiny_tokenizer(),
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)
    return folder


def training_options(root: Path, data: Path, text_model: Path, name: str, **more) -> list[str]:
    """The command line of a run that takes seconds; folders below `root` by `name`."""
    options = {
        "data": data,
        "out": root / name / "checkpoint",
        "workdir": root / name / "run",
        "cache": root / "cache",
        "image-weights": "",
        "image-backbone": "resnet10t",
        "size": 32,
        "text-model": text_model,
        "epochs": 2,
        "batch-size": 8,
        **more,
    }
    return [word for key, value in options.items() for word in (f"--{key}", str(value))]

"""The model card of a generator that was trained with text embeddings."""

from __future__ import annotations

import re
from pathlib import Path

from cxr.files import read_json
from cxr.models import Generator, GeneratorConfig
from train.cards.data_sets import describe_data_sets
from train.cards.groups import Column, groups_text
from train.cards.tables import fill_template, table, with_interval
from train.common.energy import energy_text
from train.evaluate.generator import EACH, GOOD

TEMPLATE = Path(__file__).with_name("text_generator.md")
GROUPS = [Column("mean_auroc", "mean AUROC")]
CAPTIONS = {"train": "training", "test": "test"}
ROWS = {"generator": "this generator", "reference": "reference", "real": "real against real"}
SPACES = {"embedding": "embeddings", "pixels": "32 x 32 pixels"}


def distance_table(metrics: dict) -> str:
    """A row a generator and set of captions, with the numbers of films, and the floors."""
    rows = []
    for split, words in CAPTIONS.items():
        for name, title in ROWS.items():
            entry = metrics["distances"][split].get(name)
            if entry:
                rows.append(
                    [
                        f"{title}, {words} captions"
                        if name != "real"
                        else f"{title}, {words} films",
                        f"{entry['generated']} / {entry['real']}",
                        f"{entry['frechet_distance']:.4f}",
                        f"{entry['kernel_distance']:.3f}",
                        f"{entry['thumbnail_distance']:.3f}",
                    ]
                )
    return table(
        ["", "films / real films", "Frechet distance", "kernel distance x 1000", "thumbnails"], rows
    )


def caption_table(metrics: dict) -> str:
    """How generated and real test films go with their captions."""
    rows = [
        [
            title,
            f"{metrics['captions'][name]['similarity']:.3f}",
            f"{100 * metrics['captions'][name]['recall_at_10']:.1f}",
        ]
        for name, title in (("generator", "generated"), ("real", "real"))
    ]
    return table(["test captions", "similarity to the film", "recall@10 of the caption, %"], rows)


def finding_table(metrics: dict) -> str:
    """AUROC and spread of every finding."""
    rows = []
    for name, entry in sorted(metrics["findings"].items(), key=lambda item: -item[1]["value"]):
        found = metrics["spread"].get(name)
        rows.append(
            [
                name,
                with_interval(entry),
                f"{found['ratio']:.2f}" if found else "–",
                str(found["real_films"]) if found else "–",
            ]
        )
    return table(["finding", "AUROC", "spread", "real films"], rows)


def copy_table(metrics: dict) -> str:
    """How near generated films come to training films."""
    rows = [
        [
            words,
            str(e["generated"]),
            str(e["training"]),
            f"{e['limit']:.3f}",
            f"{e['nearest']:.3f}",
            f"{e['median']:.3f}",
            str(e["nearer"]),
        ]
        for space, words in SPACES.items()
        for e in [metrics["copies"][space]]
    ]
    return table(
        [
            "by",
            "generated",
            "training films",
            "limit",
            "nearest",
            "median",
            "nearer than the limit",
        ],
        rows,
    )


def summary(metrics: dict) -> str:
    """One sentence for the reader in a hurry."""
    entry = metrics["distances"]["train"]["generator"]
    floor = metrics["distances"]["train"]["real"]["frechet_distance"]
    ratio = metrics["frechet_ratio"]
    beside = f", {ratio['train']:.2f} times the reference's" if ratio else ""
    return (
        f"Frechet distance (our encoder, {entry['generated']} films, captions of the training "
        f"films of {metrics['data']}) {entry['frechet_distance']:.4f}{beside}; real against "
        f"real {floor:.4f}. {metrics['findings_shown']} of {len(metrics['findings'])} findings "
        f"are recovered with an AUROC of {GOOD:.2f} or more; mean spread within a caption "
        f"{metrics['mean_spread']} of real films'."
    )


def tried(metrics: dict) -> str:
    """What was measured beside it."""
    ratio = metrics["frechet_ratio"]
    if not ratio:
        return "No other generator was measured beside it."
    return (
        "The reference profile, the field's network, on the same films: this generator's "
        f"Frechet distance is {ratio['train']:.2f} times the reference's on the training "
        f"captions, {ratio['test']:.2f} times on those of the test split."
    )


def further_folders(command: str) -> str:
    """The --extra and --normal of a training command, as its evaluation needs them too."""
    return "".join(
        f" {found}" for found in re.findall(r"--(?:extra|normal)(?: [^-\s]\S*)+", command)
    )


def text_generator_card(folder: Path) -> str:
    """The model card of the checkpoint in `folder`."""
    metrics = read_json(folder / "metrics.json", "what train.evaluate measured")
    config = read_json(folder / "config.json", "a checkpoint's config.json")
    training = config["training"]
    model = Generator(GeneratorConfig.from_dict(config["architecture"]))
    count = sum(parameter.numel() for parameter in model.parameters())
    parts = {
        "parameters": f"{count / 1e6:.1f}",
        "text_encoder": config["text_encoder"]["weights"],
        "summary": summary(metrics),
        "distances": distance_table(metrics),
        "captions": caption_table(metrics),
        "findings": finding_table(metrics),
        "copies": copy_table(metrics),
        "each": str(EACH),
        "films": str(training["films"]),
        "seen": str(training["films_seen"]),
        "energy": energy_text(training),
        "data": describe_data_sets(training.get("data", [])),
        "groups": groups_text(metrics.get("groups"), GROUPS),
        "command": training["command"],
        "tried": tried(metrics),
        "roots": further_folders(training["command"]),
        "seconds": str(metrics["seconds_for_16"]),
        "sha256": metrics["weights_sha256"],
    }
    return fill_template(TEMPLATE, parts)

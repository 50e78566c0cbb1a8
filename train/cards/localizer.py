"""The localizer's model card, made from metrics.json and config.json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cxr.files import read_json
from cxr.localization import SURE
from cxr.models import PATCH_DECODER
from train.cards.data_sets import describe_data_sets
from train.cards.decoder import decoder_card
from train.cards.groups import Column, groups_text
from train.cards.tables import fill_template, percent, table, with_interval
from train.common.energy import energy_text

TEMPLATE = Path(__file__).with_name("localizer.md")
GROUPS = [
    Column("lungs", "lungs"),
    Column("heart and mediastinum", "heart"),
    Column("opacity", "opacity"),
]
KINDS = (
    "with masks",
    "with further masks",
    "read as normal",
    "with boxes around opacities",
    "whose masks an earlier round drew",
)
SHORT = {
    "heart and mediastinum": "heart",
    "ground-glass opacity": "ground glass",
    "tubes and lines": "tubes",
}


def target_table(metrics: dict) -> str:
    """A row a target: Dice and IoU where it is present, the share marked where it is absent."""
    rows = [
        [
            name,
            str(e["films"]),
            *(with_interval(e[key]) if key in e else "–" for key in ("dice", "iou")),
            str(e["absent_films"]),
            f"{percent(e['false_marks']['value'])} ({percent(e['false_marks']['low'])}–"
            f"{percent(e['false_marks']['high'])})"
            if "false_marks" in e
            else "–",
        ]
        for name, e in metrics["targets"].items()
    ]
    return table(["target", "films", "Dice", "IoU", "films without", "marked there, %"], rows)


def compared_table(metrics: dict) -> str:
    """A row a checkpoint: how it was trained, Dice of every target."""
    names = list(metrics["targets"])
    rows = []
    for entry in metrics["compared"]:
        text = (
            "none"
            if entry["fusion"] == "none"
            else ("shuffled" if entry["shuffled_text"] else entry["fusion"])
        )
        values = [f"{entry['dice'][name]:.3f}" if name in entry["dice"] else "–" for name in names]
        rows.append(
            [
                entry["name"],
                text,
                f"{100 * entry.get('reading', 0):.0f}",
                "yes" if entry["phase_1"] else "no",
                f"{entry['step']}",
                *values,
                "–" if entry["false_marks"] is None else percent(entry["false_marks"]),
            ]
        )
    return table(
        [
            "checkpoint",
            "text enters by",
            "reading, %",
            "phase 1",
            "steps",
            *(SHORT.get(name, name) for name in names),
            "false marks, %",
        ],
        rows,
    )


def pointing_table(metrics: dict) -> str:
    """A row a target of the boxes; a sentence when there were none."""
    if not metrics.get("pointing"):
        return "No boxes were at hand."
    return table(
        ["target", "films", "hits", "accuracy, %", "boxes' share of the picture, %"],
        [
            [name, str(e["films"]), str(e["hits"]), percent(e["accuracy"]), percent(e["chance"])]
            for name, e in metrics["pointing"].items()
        ],
    )


def sentences(metrics: dict) -> dict[str, str]:
    """Sides and normal films in a sentence each."""
    sides = metrics["sides"].values()
    normal = metrics.get("normal_films", {})
    marked = ", ".join(
        f"{name} {percent(value)}%" for name, value in normal.items() if name != "films"
    )
    return {
        "sides": f"asked for one side {sum(e['films'] for e in sides)} times (lungs and opacities),"
        f" it marked more of the other side {sum(e['wrong'] for e in sides)} times",
        "normal": f"In {normal['films']} films read as normal it marked, of the picture: {marked}."
        if marked
        else "",
    }


def reading_text(config: dict) -> str:
    """What the reading of frozen features is, in a sentence; nothing without one."""
    architecture, shares = config["architecture"], config.get("shares", {})
    if not architecture.get("grid_channels"):
        return ""
    share = ", ".join(f"{100 * value:.0f}% for {name}" for name, value in shares.items())
    layers = ", ".join(str(layer + 1) for layer in architecture["grid_layers"])
    return (
        f"Beside the U-Net the text reads, with a linear kernel of its own, the features that "
        f"the frozen image encoder of `{config['text_encoder']['weights']}` "
        f"(`{config['text_encoder']['image_sha256'][:12]}`) has of the same square, enlarged "
        f"to {architecture['grid_side']} px, after blocks {layers}. Share of this reading in "
        f"the logits, either half of which counts up to {SURE:.0f}: {share}."
    )


def steps_of(training: dict) -> list[dict]:
    """List all steps of a training in their order, each with its command.

    Runs before it come first, then its own, the reading of features, the same for folds that were
    left out, and the offsets.
    """
    found = []
    for run in (*training.get("earlier", []), training):
        offsets = run.get("offsets", {})
        found += [run, run.get("reading")]
        for fold in offsets.get("folds", ()):
            found += [fold, fold.get("reading")]
        found.append(offsets)
    return [step for step in found if step]


def _energy(runs: Sequence[dict]) -> str:
    """Of several runs: one text for each kind of hardware, or for what was not recorded."""
    kinds = list(dict.fromkeys(run.get("hardware") for run in runs))
    return "\n".join(
        energy_text(
            {
                "hardware": kind,
                "minutes": round(
                    sum(run["minutes"] for run in runs if run.get("hardware") == kind), 1
                ),
            }
        )
        for kind in kinds
    )


def localizer_card(folder: Path) -> str:
    """The model card of the checkpoint in `folder`."""
    metrics = read_json(folder / "metrics.json", "what train.evaluate measured")
    config = read_json(folder / "config.json", "a checkpoint's config.json")
    architecture, training = config["architecture"], config["training"]
    tower = config.get("text_encoder", {"weights": "none", "sha256": ""})
    steps = steps_of(training)
    runs = [step for step in steps if "minutes" in step]
    minutes = round(sum(run["minutes"] for run in runs), 1)
    shared = {
        "targets": target_table(metrics),
        "pointing": pointing_table(metrics),
        **sentences(metrics),
        "size": str(architecture["preprocess"]["size"]),
        "films": str(metrics["films"]),
        "split": metrics["split"],
        "data_name": metrics["data"],
        "threshold": str(metrics["threshold"]),
        "speed": str(metrics["seconds_per_map"]),
        "tower": tower["weights"],
        "energy": _energy(runs),
        "sha256": metrics["weights_sha256"],
    }
    if architecture.get("kind") == PATCH_DECODER:
        return decoder_card(folder, metrics, config, shared, GROUPS)
    parts = {
        **shared,
        "compared": compared_table(metrics),
        "backbone": architecture["encoder"],
        "fusion": architecture["fusion"],
        "tower_sha256": tower["sha256"][:12],
        "command": "\n".join(step["command"] for step in steps),
        "minutes": str(minutes),
        "reading": reading_text(config),
        "notes": training.get("notes", ""),
        "data": describe_data_sets(dict.fromkeys(n for run in runs for n in run["data"])),
        "groups": groups_text(metrics.get("groups"), GROUPS),
        "masked": str(training["films"][0]),
        "train_films": ", ".join(
            f"{count} {kind}" for count, kind in zip(training["films"], KINDS) if count
        ),
    }
    return fill_template(TEMPLATE, parts)


def write_localizer_card(folder: Path) -> None:
    """Write README.md of a checkpoint folder from what lies beside it."""
    (folder / "README.md").write_text(localizer_card(folder), "utf-8")

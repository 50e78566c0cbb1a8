"""The generator's model card, made from its metrics.json and config.json."""

from __future__ import annotations

import re
from pathlib import Path

from cxr.files import read_json
from cxr.generation import CANDIDATES, TOLD
from cxr.models import Generator, GeneratorConfig
from train.cards.data_sets import describe_data_sets
from train.cards.groups import Column, groups_text
from train.cards.tables import fill_template, table, with_interval
from train.common.energy import energy_text
from train.evaluate.generator import EACH
from train.evaluate.generator_judge import LEAST, MINED, PANEL
from train.evaluate.generator_measures import SEVERITY
from train.evaluate.generator_sliders import FILMS, RATIO_FILMS, STEPS
from train.gan.smoothing import FINE

TEMPLATE = Path(__file__).with_name("generator.md")
GROUPS = [Column("mean_auroc", "mean AUROC")]
SPLITS = {"train": "training", "test": "test"}
ROWS = {"generator": "this generator", "reference": "reference", "real": "real against real"}
DISTANCES = {
    "frechet_distance": ("Frechet, image encoder", 4),
    "kernel_distance": ("kernel x 1000, image encoder", 3),
    "network_frechet_distance": ("Frechet, finding network", 4),
    "network_kernel_distance": ("kernel x 1000, finding network", 3),
    "thumbnail_distance": ("Frechet, thumbnails", 3),
}
SPACES = {"embedding": "embeddings", "pixels": "32 x 32 pixels"}
STARTED = (
    " The weights that the training set out from are those of an earlier generator, which that "
    "encoder did guide."
)
TRAINED_ON = {"generated": "generated films alone", "real": "real films", "both": "both together"}


def distance_table(metrics: dict) -> str:
    """A row a generator and split, with the numbers of films, and the floors."""
    rows = []
    for split, words in SPLITS.items():
        for name, title in ROWS.items():
            if entry := metrics["distances"][split].get(name):
                numbers = [
                    f"{entry[key]:.{digits}f}" if key in entry else "–"
                    for key, (_, digits) in DISTANCES.items()
                ]
                films = f"{entry['generated']} / {entry['real']}"
                rows.append([f"{title}, {words} films", films, *numbers])
    return table(["", "films / real films", *(title for title, _ in DISTANCES.values())], rows)


def finding_table(metrics: dict) -> str:
    """AUROC of every finding on generated films, beside the judge's own on real ones; spread."""
    rows = []
    for name, entry in sorted(metrics["findings"].items(), key=lambda item: -item[1]["value"]):
        spread, judge = metrics["spread"].get(name), entry["judge"]
        real = [
            f"{found['value']:.2f} ({found['films']})" if (found := judge.get(source)) else "–"
            for source in (PANEL, MINED)
        ]
        rows.append(
            [
                name,
                with_interval(entry),
                f"{entry['beside_normal']:.2f}",
                *real,
                f"{spread['ratio']:.2f}" if spread else "–",
            ]
        )
    head = [
        "finding",
        "generated",
        "beside normal",
        "real, radiologists (films)",
        "real, mined (films)",
        "spread",
    ]
    return table(head, rows)


def slider_table(metrics: dict) -> str:
    """The judge's mean score at each step, and how steadily it rises."""
    rows = [
        [
            name,
            *(f"{entry['steps'][str(step)]:.2f}" for step in STEPS),
            f"{100 * entry['rising']:.0f}%",
            with_interval(entry["spearman"]),
            "yes" if entry["monotone"] else "no",
        ]
        for name, entry in metrics["sliders"].items()
    ]
    steps = [f"{step:g}" for step in STEPS]
    return table(["finding", *steps, "rising steps", "Spearman", "mean monotone"], rows)


def heart_text(metrics: dict) -> str:
    """What the localizer measures as cardiomegaly and as the heart ratio are asked for."""
    said = []
    if steps := metrics["sliders"].get("cardiomegaly", {}).get("heart_ratio"):
        means = ", ".join(f"{mean:.3f}" for mean in steps)
        said.append(f"With cardiomegaly in these steps the measured heart ratio is {means}.")
    if found := metrics["heart_ratio"]:
        pairs = ", ".join(
            f"{asked} gives {'none' if mean is None else f'{mean:.3f}'}"
            for asked, mean in found["asked"].items()
        )
        said.append(f"The ratio itself asked for ({RATIO_FILMS} films each): {pairs}.")
        if found["r"] is not None:
            said.append(
                f"Mean absolute error {found['mean_absolute_error']:.3f}, "
                f"correlation {found['r']:.2f} over {found['films'] - found['not_measured']} films."
            )
    return " ".join(said) or "No localizer measured hearts."


def usefulness_table(metrics: dict) -> str:
    """Mean AUROC on real test films by what the classifier was trained on."""
    found = metrics["usefulness"]
    rows = [
        [title, str((2 if name == "both" else 1) * found["films"]), with_interval(found[name])]
        for name, title in TRAINED_ON.items()
    ]
    return table(["trained on", "films", "mean AUROC, real test films"], rows)


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
    head = ["by", "generated", "training films", "limit", "nearest", "median"]
    return table([*head, "nearer than the limit"], rows)


def summary(metrics: dict) -> str:
    """A few sentences for the reader in a hurry."""
    entry = metrics["distances"]["train"]["generator"]
    floor = metrics["distances"]["train"]["real"]["frechet_distance"]
    useful, monotone = metrics["usefulness"], metrics["sliders"]
    rising = [name for name, found in monotone.items() if found["monotone"]]
    spread = metrics["mean_spread"]
    return (
        f"{metrics['findings_shown']} of {len(metrics['findings'])} findings are recovered from "
        f"generated films with an AUROC of {TOLD:.2f} or more, by a judge that had no part in the "
        f"training, {metrics['shown_beside_normal']} beside normal films. Along the "
        f"slider the mean rises at every step for {len(rising)} of "
        f"{len(monotone)} findings ({', '.join(rising) or 'none'}). Frechet distance (held-out "
        f"encoder, {entry['generated']} films) {entry['frechet_distance']:.4f}; real against real "
        f"{floor:.4f}. A classifier trained on generated films alone reads real ones with a mean "
        f"AUROC of {useful['generated']['value']:.2f}; on as many real films it reaches "
        f"{useful['real']['value']:.2f}."
        + (f" Mean spread within a finding {spread} of real films'." if spread else "")
    )


def tried(metrics: dict) -> str:
    """What was measured beside it."""
    lines = []
    for split, words in SPLITS.items():
        found = metrics["distances"][split]
        if "reference" in found:
            ours, theirs = (found[name]["frechet_distance"] for name in ("generator", "reference"))
            lines.append(f"{ours / theirs:.2f} times the reference's on {words} films")
    if not lines:
        return "No other generator was measured beside it."
    return (
        "The reference profile, the field's network conditioned on texts, on the same films: this "
        f"generator's Frechet distance is {', '.join(lines)}."
    )


def smoothing_text(config: dict) -> str:
    """How much films are smoothed, and by what that was chosen; "" where they are not."""
    sigma, record = config.get("smoothing", 0), config["training"].get("smoothing")
    if not sigma or not record:
        return ""
    low, high = FINE
    return (
        f"Films are smoothed by a Gaussian of {sigma:g} pixels (standard deviation): by as much as"
        f" brings the power of their fine texture, {low} to {high} cycles a film, nearest to that"
        f" of {record['images']} real training films that were reduced with antialiasing"
        f" ({record['decibels_with']} dB away in the mean, {record['decibels_without']} dB"
        " without)."
    )


def further_folders(command: str) -> str:
    """The --extra and --normal of a training command, as its evaluation needs them too."""
    found = re.findall(r"--(?:extra|normal)(?: [^-\s]\S*)+", command)
    return "".join(f" {words}" for words in dict.fromkeys(found))


def _asked(metrics: dict) -> str:
    """The options by which films were asked for, where they are not the usual ones."""
    usual = {"severity": SEVERITY, "truncation": 1.0}
    return "".join(
        f" --{name} {metrics[name]:g}" for name, value in usual.items() if metrics[name] != value
    )


def generator_card(folder: Path) -> str:
    """The model card of the checkpoint in `folder`."""
    config = read_json(folder / "config.json", "a checkpoint's config.json")
    metrics = read_json(folder / "metrics.json", "what train.evaluate measured")
    training = config["training"]
    model = Generator(GeneratorConfig.from_dict(config["architecture"]))
    count = sum(parameter.numel() for parameter in model.parameters())
    parts = {
        "parameters": f"{count / 1e6:.1f}",
        "drawn": ", ".join(config["condition"]["findings"]),
        "summary": summary(metrics),
        "distances": distance_table(metrics),
        "findings": finding_table(metrics),
        "sliders": slider_table(metrics),
        "slider_films": str(FILMS),
        "heart": heart_text(metrics),
        "usefulness": usefulness_table(metrics),
        "tested": str(metrics["usefulness"]["tested"]),
        "tested_findings": str(metrics["usefulness"]["findings"]),
        "copies": copy_table(metrics),
        "each": str(EACH),
        "least": str(LEAST),
        "severity": f"{metrics['severity']:g}",
        "truncation": f"{metrics['truncation']:g}",
        "asked": _asked(metrics),
        "judge_data": ", ".join(f"`{name}`" for name in metrics["judge"]["data"]),
        "films": str(training["films"]),
        "seen": str(training["films_seen"]),
        "energy": energy_text(training),
        "data": describe_data_sets(training.get("data", [])),
        "groups": groups_text(metrics.get("groups"), GROUPS),
        "command": training["command"],
        "started": STARTED if "--start" in training["command"] else "",
        "tried": tried(metrics),
        "candidates": str(CANDIDATES),
        "smoothing": smoothing_text(config),
        "roots": further_folders(training["command"]),
        "judge_roots": " ".join(["", "--judge", *more])
        if (more := metrics["judge"]["data"][1:])
        else "",
        "seconds": str(metrics["seconds_for_16"]),
        "sha256": metrics["weights_sha256"],
    }
    return fill_template(TEMPLATE, parts)


def write_generator_card(folder: Path) -> None:
    """Write README.md of a checkpoint folder from what lies beside it."""
    (folder / "README.md").write_text(generator_card(folder), "utf-8")

"""The model card and the README's table, made from metrics.json, trials.json and config.json."""

from __future__ import annotations

import json
import re
from pathlib import Path

from cxr.files import read_json
from train.card_data import DATA_SETS

TEMPLATE = Path(__file__).with_name("card_retrieval.md")
DIRECTIONS = {"image_to_text": "film → caption", "text_to_image": "caption → film"}


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column to the left, the others to the right."""
    lines = [header, [":--", *["--:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def percent(value: float) -> str:
    """0.254 -> "25.4"."""
    return f"{100 * value:.1f}"


def percent_with_interval(entry: dict[str, float]) -> str:
    """{"value", "low", "high"} -> "25.4 (20.1–31.0)"."""
    return f"{percent(entry['value'])} ({percent(entry['low'])}–{percent(entry['high'])})"


def with_interval(entry: dict[str, float]) -> str:
    """{"value", "low", "high"} -> "0.76 (0.72–0.80)", three decimals."""
    return f"{entry['value']:.3f} ({entry['low']:.3f}–{entry['high']:.3f})"


def recall_table(metrics: dict) -> str:
    """Recall at 1, 5 and 10 of both variants, both ways, beside chance; in per cent."""
    rows = []
    for variant, title in (("exact_pairs", "exact pair"), ("same_findings", "same findings")):
        for direction, words in DIRECTIONS.items():
            entries = [metrics[variant][direction][f"recall_at_{k}"] for k in (1, 5, 10)]
            rows.append([f"{title}, {words}", *map(percent_with_interval, entries)])
        rows.append([f"{title}, random order", *(percent(entry["random"]) for entry in entries)])
    return table(["recall, %", "@1", "@5", "@10"], rows)


def finding_table(metrics: dict) -> str:
    """A row a finding: how often it occurs, how a search for it ranks, zero-shot AUROC."""
    rows = [[name, str(e["positives"]), percent(e["prevalence"]), percent(e["precision_at_5"]),
             percent(e["precision_at_10"]), f"{e['average_precision']:.3f}",
             with_interval(e["auroc"])]
            for name, e in sorted(metrics["findings"].items(), key=lambda i: -i[1]["positives"])]
    return table(["finding", "films", "prevalence, %", "P@5, %", "P@10, %", "average precision",
                  "AUROC"], rows)


def group_table(metrics: dict) -> str:
    """Recall at 10 and AUROC by view, sex and age band."""
    rows = [[name, str(e["films"]), percent(e["recall_at_10"]),
             "–" if e["mean_auroc"] is None else f"{e['mean_auroc']:.3f} ({e['findings']})"]
            for name, e in metrics["groups"].items()]
    return table(["group", "films", "recall@10, %", "mean AUROC (findings)"], rows)


def trials_table(trials: list[dict]) -> str:
    """What was tried, on the validation split; rows of trials.json in the order of the score."""
    rows = [[t["name"], t["how"], f"{t['minutes']:.0f}", percent(t["image_to_text_recall_at_10"]),
             percent(t["text_to_image_recall_at_10"]), f"{t['mean_auroc']:.3f}"]
            for t in sorted(trials, key=lambda t: -t["score"])]
    return table(["start", "how", "minutes", "film → caption @10, %", "caption → film @10, %",
                  "mean AUROC"], rows)


def read_trials(path: Path) -> list[dict]:
    """The rows of trials.json; none when there is no such file."""
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def data_sets(training: dict) -> str:
    """What a model was trained on, a line a data set, in the words of DATA_SETS."""
    names = training.get("data", [])
    return "\n".join(f"- {DATA_SETS.get(name, f'`{name}`')}" for name in names)


def card_text(folder: Path) -> str:
    """The model card of the checkpoint in `folder`."""
    metrics = read_json(folder / "metrics.json", "what train.evaluate measured")
    config = read_json(folder / "config.json", "a checkpoint's config.json")
    trials = read_trials(folder / "trials.json")
    parts = {
        "recall": recall_table(metrics), "findings": finding_table(metrics),
        "groups": group_table(metrics), "trials": trials_table(trials) if trials else "",
        "summary": summary(metrics), "backbone": config["architecture"]["image"]["backbone"],
        "size": str(config["architecture"]["image"]["preprocess"]["size"]),
        "layers": str(config["architecture"]["text"]["transformer"]["num_hidden_layers"]),
        "films": str(config["training"]["films"]), "minutes": str(config["training"]["minutes"]),
        "hardware": config["training"]["hardware"], "pairs": str(metrics["pairs"]),
        "command": config["training"]["command"], "speed": str(metrics["images_per_second"]),
        "sha256": metrics["weights_sha256"], "data": data_sets(config["training"]),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], TEMPLATE.read_text("utf-8"))


def summary(metrics: dict) -> str:
    """One sentence for the reader in a hurry."""
    mean = metrics["mean_auroc"]
    return (f"{metrics['pairs']} {metrics['split']} films of {metrics['data']}: mean zero-shot "
            f"AUROC {with_interval(mean)} over {mean['findings']} findings; recall in per cent "
            "with 95% bootstrap intervals:")


def write_card(folder: Path) -> None:
    """Write README.md of a checkpoint folder from what lies beside it."""
    (folder / "README.md").write_text(card_text(folder), "utf-8")


def fill_readme(readme: Path, folder: Path) -> None:
    """Put the recall table between the metrics markers of the project's README, if it has them."""
    if not readme.exists():
        return
    metrics = read_json(folder / "metrics.json", "what train.evaluate measured")
    body = f"{summary(metrics)}\n\n{recall_table(metrics)}"
    start, end = "<!-- metrics:retrieval -->", "<!-- /metrics:retrieval -->"
    text = readme.read_text("utf-8")
    if start in text and end in text:
        head, rest = text.split(start, 1)
        readme.write_text(f"{head}{start}\n{body}\n{end}{rest.split(end, 1)[1]}", "utf-8")

"""The card of a localizer that is a patch decoder, made from metrics.json and config.json."""

from __future__ import annotations

from pathlib import Path

from cxr.checkpoints import load_checkpoint
from train.cards.data_sets import describe_data_sets
from train.cards.groups import groups_text
from train.cards.tables import fill_template, percent, percent_with_interval, table, with_interval

TEMPLATE = Path(__file__).with_name("decoder.md")


def organs_table(metrics: dict) -> str:
    """Dice of each organ, a row a data set."""
    rows = [
        [name, target, str(entry["films"]), with_interval(entry["dice"])]
        for name, targets in metrics.get("organs", {}).items()
        for target, entry in targets.items()
        if "dice" in entry
    ]
    return table(["data set", "target", "films", "Dice"], rows)


def outlines_table(metrics: dict) -> str:
    """A row a finding of ChestX-Det."""
    rows = [
        [
            name,
            str(e["films"]),
            *(with_interval(e[key]) if key in e else "–" for key in ("dice_of_map", "dice")),
            *(percent_with_interval(e[key]) if key in e else "–" for key in ("pointing", "found")),
            percent(e["falsely_found"]) if "falsely_found" in e else "–",
            percent(e["false_marks"]["value"]) if "false_marks" in e else "–",
        ]
        for name, e in metrics["outlines"]["targets"].items()
    ]
    header = ["finding", "films", "Dice of the map", "Dice", "pointing, %", "found, %"]
    return table([*header, "found where absent, %", "marked there, % of the picture"], rows)


def outline_sentences(metrics: dict) -> str:
    """Pointing over the seven findings, and films without a finding, in words."""
    outlines = metrics["outlines"]
    pointing, quiet = outlines["pointing"], outlines["without_finding"]
    text = (
        "Over consolidation, effusion, cardiomegaly, pneumothorax, nodule, fracture and "
        "atelectasis, so far as they are not refused, the hottest place lay on the outline in "
        f"{percent(pointing['accuracy'])}% of {pointing['films']}; with refused ones as misses, "
        f"in {percent(pointing['accuracy_with_refused'])}% of {pointing['films_with_refused']}."
    )
    if quiet["any"] is not None:
        text += (
            f" Of {quiet['films']} films outlined as showing nothing, {percent(quiet['any'])}% had "
            f"any finding marked."
        )
    return text


def ratio_text(metrics: dict) -> str:
    """The cardiothoracic ratio against those measured by hand, in a sentence."""
    ratio = metrics.get("cardiothoracic_ratio")
    if ratio is None:
        return ""
    return (
        f"**Cardiothoracic ratio** against the one measured by hand ({ratio['films']} films): mean "
        f"error {ratio['mean_error']:.3f}, bias {ratio['bias']:+.3f}, "
        f"r = {ratio['correlation']:.2f}; {percent(ratio['inside'])}% lie in the interval that is "
        "stated with it."
    )


def levels_table(record: dict) -> str:
    """What the held-out films said of each target."""
    rows = [
        [
            name,
            str(e["films"]),
            f"{e['dice']:.3f}" if "dice" in e else "–",
            percent(e["pointing"]) if "pointing" in e else "–",
            f"{e['auroc']:.3f}" if "auroc" in e else "–",
            percent(e["sensitivity"]) if "sensitivity" in e else "–",
        ]
        for name, e in record["targets"].items()
    ]
    return table(["target", "films", "Dice", "pointing, %", "AUROC", "found, %"], rows)


def enlarged_text(record: dict) -> str:
    """From which ratio on a heart counts as enlarged, and what validation said of it."""
    found = record["ratio"].get("enlarged")
    if found is None:
        return "it was not measured from where on."
    return (
        f"a heart counts as enlarged from {found['enlarged_from']:.3f} on. On {found['films']} "
        f"films held out or labelled with and {found['absent']} without it that finds "
        f"{percent(found['sensitivity'])}% and calls {percent(1 - found['specificity'])}% falsely "
        f"(at 0.50: {percent(found['sensitivity_at_one_half'])}% and "
        f"{percent(1 - found['specificity_at_one_half'])}%); AUROC {found['auroc']:.3f}."
    )


def labels_table(metrics: dict) -> str:
    """How often findings are found where a film is labelled as showing them, and where not."""

    def both(entry: dict, name: str) -> str:
        if name not in entry:
            return "–"
        panel = f" ({percent(entry[f'panel_{name}'])})" if f"panel_{name}" in entry else ""
        return f"{percent(entry[name])}{panel}"

    rows = [
        [
            name,
            f"{entry['films']} ({entry['panel_films']})",
            both(entry, "sensitivity"),
            f"{entry['absent']} ({entry['panel_absent']})",
            both(entry, "falsely_found"),
        ]
        for name, entry in metrics.get("labels", {}).get("findings", {}).items()
    ]
    return table(["finding", "films", "found, %", "films without", "found falsely, %"], rows)


def lungs_table(record: dict, errors: dict) -> str:
    """How far measures of the lungs lie from those of outlines drawn by hand."""
    rows = [
        [
            name,
            str(entry["films"]),
            f"{entry['mean_error']:.3f}",
            f"± {entry['half_width']:.3f}",
            f"{entry['spread']:.3f}",
            "yes" if name in errors else "no",
        ]
        for name, entry in record.get("lungs", {}).items()
    ]
    header = ["measure", "films", "mean error", "interval", "standard deviation of films", "given"]
    return table(header, rows)


def compared_table(metrics: dict) -> str:
    """Dice of what both the decoder and the checkpoints beside it outline, on films with masks."""
    compared = metrics["compared"]
    names = [name for name in metrics["targets"] if "dice" in metrics["targets"][name]]
    rows = [
        [
            entry["name"],
            *(f"{entry['dice'][name]:.3f}" if name in entry["dice"] else "–" for name in names),
        ]
        for entry in compared
    ]
    return table(["checkpoint", *names], rows)


def decoder_parts(folder: Path, metrics: dict, config: dict) -> dict[str, str]:
    """The parts of the card that only a patch decoder has."""
    architecture, training = config["architecture"], config["training"]
    record, levels = training["levels"], config["levels"]
    runs = [*training.get("earlier", []), training]
    trained = [{**run, "what": what} for run, what in zip(runs[-2:], ("organs", "findings"))]
    refused = [name for name, level in levels["targets"].items() if level["refused"]]
    classified = [name for name, level in levels["targets"].items() if level["classified_from"]]
    parameters = sum(tensor.numel() for tensor in load_checkpoint(folder)[1].values())
    outlines = metrics["outlines"]
    return {
        "parameters": f"{parameters:,}",
        "image_sha256": config["text_encoder"]["image_sha256"][:12],
        "layers": ", ".join(str(layer + 1) for layer in architecture["layers"]),
        "organs": organs_table(metrics),
        "ratio": ratio_text(metrics),
        "outlined_films": str(outlines["films"]),
        "outlined_data": " and ".join(f"`{name}`" for name in outlines["data"]),
        "outlines": outlines_table(metrics),
        "outline_sentences": outline_sentences(metrics),
        "held": str(record["films"]),
        "enlarged": enlarged_text(record),
        "labelled": str(record["labelled_films"]),
        "classified": ", ".join(classified) or "none",
        "labelled_data": " and ".join(f"`{name}`" for name in metrics["labels"]["data"]),
        "labels": labels_table(metrics),
        "lungs": lungs_table(record, levels["lung_errors"]),
        "seen": str(architecture["encoder_side"] or architecture["preprocess"]["size"]),
        "side": str(architecture["side"]),
        "levels": levels_table(record),
        "refused": ", ".join(refused) or "none",
        "compared": compared_table(metrics),
        "train_films": " and ".join(f"{run['films']:,} ({run['what']})" for run in trained),
        "command": "\n".join(one["command"] for one in (*runs, record)),
        "notes": training.get("notes", ""),
        "data": describe_data_sets(training["data"]),
        "minutes": str(round(sum(run["minutes"] for run in runs), 1)),
    }


def decoder_card(folder: Path, metrics: dict, config: dict, shared: dict, groups: list) -> str:
    """The card. shared: the parts that every localizer's card has; groups: its columns."""
    parts = {
        **shared,
        **decoder_parts(folder, metrics, config),
        "groups": groups_text(metrics.get("groups"), groups),
    }
    return fill_template(TEMPLATE, parts)

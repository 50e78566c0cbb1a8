"""The card of the report suggester's checkpoint and its reliability plot, from its JSON files."""

from __future__ import annotations

from pathlib import Path

from cxr.files import read_json
from cxr.reporting import LEAST_POSSIBLE, UNLIKELY_BELOW
from train.cards.data_sets import describe_data_sets
from train.cards.groups import PENDING, Column, groups_text
from train.cards.report_overall import overall_text
from train.cards.tables import fill_template, percent, percent_with_interval, table, with_interval
from train.common.energy import energy_text
from train.evaluate.groups import LEAST_CASES
from train.evaluate.report_reading import EMBARRASSING, RIGHT, WRONG
from train.reporting.gate_films import ADULT_FROM, CHILD_UNTIL
from train.reporting.ood_gate import FALSE_ALARMS
from train.reporting.operating_points import LEAST_POSITIVES, LEAST_SENSITIVITY, SPECIFICITY

TEMPLATE = Path(__file__).with_name("report.md")
_TRUTHS = {"expert": "radiologists", "mined": "mined"}
GROUPS = [Column("micro_f1", "micro-F1, %", percent=True), Column("mean_auroc", "mean AUROC")]


def labels_table(metrics: dict) -> str:
    """F1, precision and recall of the suggested findings and of the baselines."""
    columns = ("micro_f1", "macro_f1", "micro_precision", "micro_recall")
    rows = [
        [name, *(percent_with_interval(entry[column]) for column in columns)]
        for name, entry in metrics["labels"].items()
    ]
    return table(["report", "micro-F1", "macro-F1", "precision", "recall"], rows)


def text_table(metrics: dict) -> str:
    """BLEU, ROUGE-L and METEOR of the suggested reports and of the baselines."""
    columns = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "meteor")
    rows = [
        [name, *(f"{entry[column]:.3f}" for column in columns)]
        for name, entry in metrics["text"].items()
    ]
    return table(["report", "BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "METEOR"], rows)


def summary_table(metrics: dict) -> str:
    """The numbers that decide whether it is good enough."""
    error, mean = metrics["calibration_error"], metrics["mean_auroc"]
    gate = metrics.get("gate")
    of_gate = (
        [
            ["adults' frontal films refused, %", percent_with_interval(gate["false_alarms"])],
            ["other pictures let through, %", percent_with_interval(gate["misses"])],
        ]
        if gate
        else []
    )
    return table(
        ["measure", "value (95% interval)"],
        [
            [f"mean AUROC over {mean['findings']} findings", with_interval(mean)],
            ["the same from the prompts alone", with_interval(metrics["mean_auroc_prompts"])],
            ["expected calibration error, before", with_interval(error["before"])],
            ["expected calibration error, after", with_interval(error["after"])],
            [
                "micro-F1 of the suggested findings, %",
                percent_with_interval(metrics["labels"]["suggested report"]["micro_f1"]),
            ],
            *of_gate,
        ],
    )


def gate_table(metrics: dict, config: dict) -> str:
    """How often each kind of picture is refused; PENDING where that was not measured."""
    gate, elsewhere = metrics.get("gate"), metrics.get("elsewhere", {})
    if not gate:
        return PENDING
    training = config["gate"].get("training", {})
    fitted = {training.get("data", metrics["data"]), *training.get("frontal", [])}
    alarms = {"pictures": gate["frontal_films"], "share": gate["false_alarms"]["value"]}
    entries = {"adults' frontal films": alarms, **gate["refused"]}
    for name, entry in elsewhere.get("adults", {}).items():
        entries[f"adults' frontal films of {name}{'' if name in fitted else ', not fitted'}"] = (
            entry
        )
    for kind, entry in elsewhere.get("made", {}).items():
        entries[f"{kind}, films of those"] = entry
    for name, entry in elsewhere.get("children", {}).items():
        entries[f"children's films of {name}"] = entry
    for band, entry in elsewhere.get("ages", {}).items():
        entries[f"films of {metrics['data']}, {band}"] = entry
    rows = [
        [
            name,
            str(entry["pictures"]),
            percent(entry["share"]),
            percent(entry["called_child"]) if "called_child" in entry else "",
        ]
        for name, entry in entries.items()
    ]
    return table(["picture", "number", "refused, %", "called a child's, %"], rows)


def gate_training_text(config: dict) -> str:
    """What the gate was fitted on."""
    training = config["gate"].get("training")
    if not training:
        return "It was kept from an earlier run, which left no record."
    counts = ", ".join(f"{count} {kind}" for kind, count in training["pictures"].items())
    homes = ", ".join([training["data"], *training["frontal"]])
    children = ", ".join(training["children"])
    told = (
        f" Children's films are those of {children}, and those of up to {CHILD_UNTIL} years in the "
        f"others; films of those from {CHILD_UNTIL + 1} to {ADULT_FROM - 1} are of neither kind."
    )
    return (
        f"It was fitted on pictures of these kinds: {counts}. The films are those of {homes}; "
        f"every fifth of each is made into each other kind.{told if children else ''} Of the "
        "validation films, every hospital's weighing the same, a limit lets through all but "
        + ", ".join(f"{percent(FALSE_ALARMS[name])}% ({name})" for name in config["gate"]["limits"])
        + "."
    )


def mirror_text(metrics: dict) -> str:
    """How often an image is called mirrored; "" where that was not measured."""
    found = metrics.get("elsewhere", {})
    if "warned_mirrored" not in found:
        return ""
    shares = [percent(found[f"warned_{kind}"]) for kind in ("mirrored", "frontal")]
    return (
        f"A warning that the image seems to be mirrored comes with {shares[0]}% of every second "
        f"film when it is mirrored, and with {shares[1]}% as it is."
    )


def findings_table(metrics: dict) -> str:
    """Precision, recall and F1 a finding."""
    rows = [
        [name, *(percent(entry[key]) for key in ("precision", "recall", "f1"))]
        for name, entry in metrics["per_finding"].items()
    ]
    return table(["finding", "precision, %", "recall, %", "F1, %"], rows)


def saliency_table(metrics: dict) -> str:
    """The two sanity checks of the heat maps."""
    checks = metrics["saliency"]
    rows = [
        [
            f"random weights: correlation over {checks['cases']} films",
            with_interval(checks["correlation_with_randomised"]),
        ],
        ["deletion: fall for the marked area", with_interval(checks["drop_marked"])],
        ["deletion: fall for areas elsewhere", with_interval(checks["drop_elsewhere"])],
        ["difference", with_interval(checks["drop_difference"])],
        [
            "films where the marked area matters more, %",
            percent_with_interval(checks["marked_drops_more"]),
        ],
    ]
    return table(["check", "value (95% interval)"], rows)


def operating_points_table(config: dict) -> str:
    """What each finding's threshold does on the validation images."""
    terms = config["calibration"].get("terms", {})
    points = config["operating_points"] | {
        f"{name}, with what is measured": point for name, point in terms.items()
    }
    rows = [
        [
            name,
            "yes" if point["assessed"] else "no",
            f"{point['threshold']:.3f}",
            *(percent(point[key]) for key in ("sensitivity", "specificity", "npv", "prevalence")),
            str(point["positives"]),
            _TRUTHS[point["truth"]],
        ]
        for name, point in points.items()
    ]
    header = ["finding", "assessed", "threshold", "sensitivity, %", "specificity, %"]
    return table([*header, "NPV, %", "prevalence, %", "images", "labels"], rows)


def experts_text(metrics: dict) -> str:
    """How the suggested reports stand against a panel of radiologists."""
    if not metrics:
        return PENDING
    measured = metrics.get("experts")
    if measured is None:
        return "Not measured: the evaluation was given no images that radiologists read."
    suggested = measured["reports"]["suggested report"]
    denied = f"{suggested['serious_denied']} of {measured['serious_findings']}"
    rows = [
        [
            f"mean AUROC over {measured['findings']} findings",
            with_interval(measured["mean_auroc"]),
        ],
        *([f"AUROC, {name}", with_interval(value)] for name, value in measured["auroc"].items()),
        ["expected calibration error", with_interval(measured["calibration_error"])],
        [
            f"serious findings seen by the panel and denied ({denied}), %",
            percent_with_interval(suggested["denied"]),
        ],
        [
            f"false findings an image that the panel called normal ({measured['normal_films']})",
            with_interval(suggested["false_findings"]),
        ],
    ]
    films = f"{measured['films']} {measured['split']} films of {measured['data']}"
    about = (
        f"{films}, each read by five radiologists; a finding is there where most of them saw it."
    )
    serious = f"Serious: {', '.join(measured['serious'])}."
    parts = [about, table(["measure", "value (95% interval)"], rows), serious]
    return "\n\n".join([*parts, *measured_text(measured), verdicts_table(measured)])


def measured_text(measured: dict) -> list[str]:
    """What the localizer adds to the features, by finding; [] where it was not asked."""
    rows = [
        [name, *(with_interval(entry[key]) for key in ("features", "measured", "both"))]
        for name, entry in measured.get("measured", {}).items()
    ]
    header = ["AUROC of", "features alone", "localizer alone", "both, as shipped"]
    return [table(header, rows)] if rows else []


def verdicts_table(measured: dict) -> str:
    """How many reports are right, wrong and embarrassing, beside those that saw no image."""
    rows = [
        [
            name,
            *(percent_with_interval(entry[key]) for key in (RIGHT, WRONG, EMBARRASSING)),
            percent_with_interval(entry["micro_f1"]),
            percent_with_interval(entry["denied"]),
            with_interval(entry["false_findings"]),
        ]
        for name, entry in measured["reports"].items()
    ]
    header = ["report", *(f"{name}, %" for name in (RIGHT, WRONG, EMBARRASSING)), "micro-F1, %"]
    return table([*header, "serious denied, %", "false findings a normal image"], rows)


def trials_text(config: dict) -> str:
    """Which blends of which heads were tried on the validation images."""
    rows = [
        [
            trial["parts"],
            ", ".join(f"{share:g} {name}" for name, share in trial["shares"].items() if share),
            *(f"{trial['mean_auroc'].get(source, float('nan')):.3f}" for source in _TRUTHS),
        ]
        for trial in config["training"]["trials"]
    ]
    header = [
        "features",
        "readers and their shares",
        *(f"AUROC, {who}" for who in _TRUTHS.values()),
    ]
    return "\n\n".join([table(header, rows), *measured_trials(config)])


def measured_trials(config: dict) -> list[str]:
    """For which findings the localizer was tried beside the features, on validation images."""
    terms = config["calibration"].get("terms", {})
    rows = [
        [
            name,
            *(f"{tried[key]:.3f}" for key in ("features", "measured", "both")),
            "yes" if name in terms else "no",
        ]
        for name, tried in config["training"].get("measured", {}).items()
    ]
    header = ["AUROC, radiologists", "features alone", "localizer alone", "both", "shipped"]
    return [table(header, rows)] if rows else []


def _data_sets(config: dict) -> list[str]:
    """Those of the heads and those of the gate, each once."""
    gate = config["gate"].get("training", {})
    further = [*gate.get("frontal", []), *gate.get("children", [])]
    return list(dict.fromkeys([*config["training"]["data"], *further]))


def measured_in(folder: Path) -> dict:
    """What train.evaluate wrote into `folder`; {} before it has."""
    path = folder / "metrics.json"
    return read_json(path, "what train.evaluate wrote") if path.exists() else {}


def card_text(folder: Path) -> str:
    """The card of the checkpoint in `folder`; what is not measured yet says so."""
    config = read_json(folder / "config.json", "a calibration's config.json")
    metrics = measured_in(folder)
    bands = {name: f"{value:.2f}" for name, value in config["calibration"]["bands"].items()}
    training = config["training"]
    parts = {
        "count": str(len(config["calibration"]["findings"])),
        "refits": str(training["refits"]),
        "source": config["calibration"]["source"],
        "encoder": config["encoder"],
        **bands,
        "trials": trials_text(config),
        "operating_points": operating_points_table(config),
        "experts": experts_text(metrics),
        "overall": overall_text(config, metrics),
        "specificity": f"{100 * SPECIFICITY:.0f}",
        "least_sensitivity": f"{100 * LEAST_SENSITIVITY:.0f}",
        "least_positives": str(LEAST_POSITIVES),
        "least_possible": f"{LEAST_POSSIBLE:.2f}",
        "unlikely_below": f"{UNLIKELY_BELOW:.2f}",
        "cases": str(LEAST_CASES),
        "energy": energy_text(training),
        "groups": groups_text(metrics.get("groups"), GROUPS),
        "data": describe_data_sets(_data_sets(config)),
        "gate_training": gate_training_text(config),
        **{key: str(training[key]) for key in ("train", "val")},
    }
    measured = {
        "summary",
        "table",
        "findings",
        "labels",
        "reference",
        "meteor",
        "text",
        "gate",
        "mirror",
        "saliency",
        "share",
    }
    if metrics:
        parts |= {
            "summary": f"{metrics['films']} {metrics['split']} films of {metrics['data']}:",
            "table": summary_table(metrics),
            "findings": findings_table(metrics),
            "labels": labels_table(metrics),
            "reference": metrics["reference"],
            "meteor": ", ".join(metrics["meteor_modules"]),
            "text": text_table(metrics),
            "gate": gate_table(metrics, config),
            "mirror": mirror_text(metrics),
            "saliency": saliency_table(metrics),
            "share": f"{percent(metrics['saliency']['deleted_share'])}%",
        }
    else:
        parts |= dict.fromkeys(measured, PENDING)
    return fill_template(TEMPLATE, parts)


def write_report_card(folder: Path) -> None:
    """Write README.md, and reliability.png where metrics.json has been measured."""
    (folder / "README.md").write_text(card_text(folder), "utf-8")
    metrics = measured_in(folder)
    if metrics:
        plot_reliability(metrics, folder / "reliability.png")


def plot_reliability(metrics: dict, path: Path) -> None:
    """Draw the bins of metrics["reliability"], before and after, the more cases the larger."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    for name, colour in (("before", "tab:orange"), ("after", "tab:blue")):
        bins = metrics["reliability"][name]
        x, y = [one["probability"] for one in bins], [one["share"] for one in bins]
        error = metrics["calibration_error"][name]["value"]
        axis.plot(x, y, color=colour, linewidth=1.2, label=f"{name} (error {error:.3f})")
        axis.scatter(x, y, [12 + 4 * one["count"] ** 0.5 for one in bins], color=colour)
    axis.set(
        xlabel="probability given",
        ylabel="share of films that carry the finding",
        xlim=(0, 1),
        ylim=(0, 1),
        title=f"{metrics['data']}, {metrics['split']} split",
    )
    axis.legend()
    axis.grid(alpha=0.3)
    figure.savefig(path, dpi=90, metadata={"Software": None})

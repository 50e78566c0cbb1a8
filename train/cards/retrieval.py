"""The model card and the README's table, made from metrics.json, trials.json and config.json."""

from __future__ import annotations

import json
from pathlib import Path

from cxr.checkpoints import read_finding_network
from cxr.files import read_json
from train.cards.data_sets import describe_data_sets
from train.cards.groups import PENDING, Column, groups_text
from train.cards.tables import fill_template, percent, percent_with_interval, table, with_interval
from train.common.energy import energy_text
from train.evaluate.groups import LEAST_CASES

TEMPLATE = Path(__file__).with_name("retrieval.md")
GROUPS = [Column("recall_at_10", "recall@10, %", percent=True), Column("mean_auroc", "mean AUROC")]
SEARCH = "search.json"  # written by train.evaluate search
WAYS = {
    "all": "all evidence",
    "image": "image alone",
    "cosine": "cosine of text and image alone",
    "bm25_on_captions": "BM25 on captions",
    "text_to_caption": "text to caption",
}
PARTS = {  # names of cxr.retrieval.RankingWeights
    "label": "labels",
    "report": "reports",
    "image": "the cosine",
    "findings": "findings read by heads",
    "person": "sex, age and view by look",
}
UNANSWERABLE = "without_a_right_study"
SIMILAR = (
    "An image as query. A hit: one of the k most similar other images has a label, which may be "
    '"no finding", in common with it.'
)
README_MARKS = "<!-- metrics:retrieval -->", "<!-- /metrics:retrieval -->"
DIRECTIONS = {"image_to_text": "film → caption", "text_to_image": "caption → film"}


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
    rows = [
        [
            name,
            str(e["positives"]),
            percent(e["prevalence"]),
            percent(e["precision_at_5"]),
            percent(e["precision_at_10"]),
            f"{e['average_precision']:.3f}",
            with_interval(e["auroc"]),
        ]
        for name, e in sorted(metrics["findings"].items(), key=lambda i: -i[1]["positives"])
    ]
    return table(
        ["finding", "films", "prevalence, %", "P@5, %", "P@10, %", "average precision", "AUROC"],
        rows,
    )


def trials_table(trials: list[dict]) -> str:
    """What was tried, on the validation split; rows of trials.json in the order of the score."""
    rows = [
        [
            t["name"],
            t["how"],
            f"{t['minutes']:.0f}",
            percent(t["image_to_text_recall_at_10"]),
            percent(t["text_to_image_recall_at_10"]),
            f"{t['mean_auroc']:.3f}",
        ]
        for t in sorted(trials, key=lambda t: -t["score"])
    ]
    return table(
        ["start", "how", "minutes", "film → caption @10, %", "caption → film @10, %", "mean AUROC"],
        rows,
    )


def read_trials(path: Path) -> list[dict]:
    """The rows of trials.json; none when there is no such file."""
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def read_search(folder: Path) -> dict | None:
    """What train.evaluate search measured, or None before it has."""
    file = folder / SEARCH
    return read_json(file, "what train.evaluate search measured") if file.exists() else None


def search_section(measured: dict | None) -> str:
    """Tables of typed queries on each gallery, of similar images and of the ablation.

    Args:
        measured: search.json; None before there is one.
    """
    if measured is None:
        return PENDING
    parts = []
    for key in ("shipped", "labelled"):
        if entry := measured.get(key):
            parts += [_gallery_sentence(key, entry), query_table(entry), ablation_table(entry)]
            if similar := entry.get("similar_images"):
                parts += [SIMILAR, similar_table(similar)]
    if first := measured.get("first_look"):
        parts.append(first_look_sentence(first, measured))
    if speed := measured.get("speed"):
        parts.append(speed_sentence(speed))
    if regions := measured.get("regions"):
        parts += [_region_sentence(regions), region_table(regions)]
    if reports := measured.get("reports"):
        parts += [_report_sentence(reports), report_table(reports)]
    return "\n\n".join(parts)


def first_look_sentence(first: dict, measured: dict) -> str:
    """How the queries fared when they were new, beside how they fare in search.json."""
    said = []
    for key, where in (("shipped", "the shipped gallery"), ("labelled", "the labelled images")):
        if key in first and key in measured:
            then, now = (one[key]["all"]["all"]["precision_at_5"] for one in (first, measured))
            said.append(f"{percent(then)}% on {where}, where it is {percent(now)}% now")
    return (
        "What was found when these queries were new, before any rule was changed with a view of "
        f"what they missed: P@5 by all evidence {'; '.join(said)}. The first number is the one to "
        "expect of queries that nobody has seen."
    )


def speed_sentence(speed: dict) -> str:
    """How long a typed query takes, by the clock and of the processor."""
    said = [
        f"{WAYS[way]} {speed[way]['p50_ms']:.0f} and {speed[way]['p50_cpu_ms']:.0f} ms"
        for way in ("all", "image", "cosine")
    ]
    return (
        f"A typed query over {speed['studies']:,} studies, reading included; the median of "
        f"{speed['queries']} by the clock, on a machine that did other work too, and of the "
        "processor: "
        f"{'; '.join(said)}; {speed['hardware']}."
    )


REGION_WAYS = {
    "region": "the region alone",
    "whole_by_findings": "the whole film, by findings",
    "whole_by_cosine": "the whole film, by cosine",
}


def _region_sentence(regions: dict) -> str:
    return (
        f"A region as query: the box around a finding that radiologists outlined (ChestX-Det, "
        f"{regions['split']} split), among {regions['films']} outlined films. A hit: the nearest "
        "film of another patient has an outline of the same finding that meets the box."
    )


def region_table(regions: dict) -> str:
    """Hits at 1 of regions and of whole films, by finding, beside chance."""
    rows = [
        [
            name,
            str(entry["queries"]),
            *(percent(entry[way]) for way in REGION_WAYS),
            percent(entry["random_at_1"] if name == "all findings" else entry["random"]),
        ]
        for name, entry in (("all findings", regions), *regions["by_finding"].items())
    ]
    return table(["hit at 1, %", "queries", *REGION_WAYS.values(), "random order"], rows)


def _report_sentence(reports: dict) -> str:
    return (
        f"Reports as evidence, {reports['reports']} of {reports['name']} with "
        f"{reports['sentences']} sentences, no label shown; indexers' terms say what is right. "
        "Searches use BM25 alone, since a gallery holds no vectors of sentences."
    )


def report_table(reports: dict) -> str:
    """Precision and nDCG of each way to search reports."""
    ways = {"bm25": "BM25", "text_encoder": "nearest sentence", "both": "both"}
    rows = [
        [title, str(reports[way]["queries"]), _precision_and_gain(reports[way])]
        for way, title in ways.items()
    ]
    return table(["reports", "queries", "P@5 / nDCG@10, %"], rows)


def _gallery_sentence(key: str, entry: dict) -> str:
    where = (
        "The shipped gallery"
        if key == "shipped"
        else f"The {entry['split']} split of {entry['name']}"
    )
    asked, unanswerable = entry["all"]["all"]["queries"], entry["all"]["without_a_right_study"]
    return (
        f"{where}, {entry['studies']} images: {asked} queries; {unanswerable} more have no right "
        "study in it and are left out."
    )


def query_table(entry: dict) -> str:
    """A row a kind of query: precision at 5 and nDCG at 10 of every way to search, in per cent."""
    kinds = ["all", *(kind for kind in entry["all"] if kind not in ("all", UNANSWERABLE))]
    rows = [
        [
            "all queries" if kind == "all" else kind,
            str(entry["all"][kind]["queries"]),
            *(_precision_and_gain(entry[way][kind]) for way in WAYS),
        ]
        for kind in kinds
    ]
    return table(["P@5 / nDCG@10, %", "queries", *WAYS.values()], rows)


def ablation_table(entry: dict) -> str:
    """The same of all queries, with each kind of evidence left out in turn."""
    rows = []
    for evidence, parts in entry["ablation"].items():
        for name, found in parts.items():
            left = name.removeprefix("without_")
            said = WAYS[evidence] if left == "none" else f"{WAYS[evidence]}, without {PARTS[left]}"
            rows.append([said, _precision_and_gain(found)])
    return table(["all queries", "P@5 / nDCG@10, %"], rows)


def _precision_and_gain(found: dict) -> str:
    return f"{percent(found['precision_at_5'])} / {percent(found['ndcg_at_10'])}"


def similar_table(similar: dict) -> str:
    """Label hits from image to image, by the cosine of embeddings and by findings."""
    titles = {"cosine": "cosine of embeddings", "findings": "findings that both seem to show"}
    rows = [
        [titles[name], str(e["queries"]), *(percent(e[f"label_hit_at_{k}"]) for k in (1, 5, 10))]
        for name, e in similar.items()
    ]
    chance = next(iter(similar.values()))
    rows.append(["random order", str(chance["queries"]), percent(chance["random_at_1"]), "–", "–"])
    return table(["label hit, %", "images", "@1", "@5", "@10"], rows)


def card_text(folder: Path) -> str:
    """The model card of the checkpoint in `folder`."""
    metrics = read_json(folder / "metrics.json", "what train.evaluate measured")
    config = read_json(folder / "config.json", "a checkpoint's config.json")
    trials = read_trials(folder / "trials.json")
    parts = {
        "recall": recall_table(metrics),
        "findings": finding_table(metrics),
        "groups": groups_text(metrics.get("groups"), GROUPS),
        "search": search_section(read_search(folder)),
        "trials": trials_table(trials) if trials else "",
        "summary": summary(metrics),
        "backbone": config["architecture"]["image"]["backbone"],
        "size": str(config["architecture"]["image"]["preprocess"]["size"]),
        "layers": str(config["architecture"]["text"]["transformer"]["num_hidden_layers"]),
        "films": str(config["training"]["films"]),
        "cases": str(LEAST_CASES),
        "energy": energy_text(config["training"]),
        "pairs": str(metrics["pairs"]),
        "command": config["training"]["command"],
        "speed": str(metrics["images_per_second"]),
        "sha256": metrics["weights_sha256"],
        "data": describe_data_sets(config["training"].get("data", [])),
        "network": network_parts(read_finding_network(folder)),
    }
    return fill_template(TEMPLATE, parts)


def network_parts(about: dict) -> dict[str, str]:
    """What the card says of the finding network, from its record; {} where there is none."""
    if not about:
        return {}
    training, architecture = about["training"], about["architecture"]
    members = training.get("members", [training])
    learned = [
        f"{count} images of {name.removesuffix(' train')}"
        for name, count in members[0]["images"].items()
    ]
    apart = [f"{one['mean_auroc']['mined']:.3f} ({one['steps']} steps)" for one in members]
    return {
        "name": architecture["name"],
        "size": str(architecture["preprocess"]["size"]),
        "images": ", ".join(learned),
        "count": str(len(members)),
        "apart": ", ".join(apart),
        "mean": f"{training['mean_auroc']['mined']:.3f}",
        "command": training["command"],
    }


def summary(metrics: dict) -> str:
    """One sentence for the reader in a hurry."""
    mean = metrics["mean_auroc"]
    return (
        f"{metrics['pairs']} {metrics['split']} films of {metrics['data']}: mean zero-shot "
        f"AUROC {with_interval(mean)} over {mean['findings']} findings; recall in per cent "
        "with 95% bootstrap intervals:"
    )


def write_card(folder: Path) -> None:
    """Write README.md of a checkpoint folder from what lies beside it."""
    (folder / "README.md").write_text(card_text(folder), "utf-8")


def filled(text: str, folder: Path) -> str:
    """The project's README with the recall table between its marks; as it is without marks."""
    metrics = read_json(folder / "metrics.json", "what train.evaluate measured")
    start, end = README_MARKS
    if start not in text or end not in text:
        return text
    head, rest = text.split(start, 1)
    body = f"{summary(metrics)}\n\n{recall_table(metrics)}"
    return f"{head}{start}\n{body}\n{end}{rest.split(end, 1)[1]}"


def fill_readme(readme: Path, folder: Path) -> None:
    """Put the recall table into the project's README, if it is there and has the marks."""
    if readme.exists():
        readme.write_text(filled(readme.read_text("utf-8"), folder), "utf-8")

"""What the card says of the judgement of an image as a whole."""

from __future__ import annotations

from cxr.reporting import OverallPoint
from train.cards.tables import percent, percent_with_interval, table, with_interval

NOT_JUDGED = "This checkpoint judges findings alone: no images that a panel read were at hand."


def overall_text(config: dict, metrics: dict) -> str:
    """How the judgement was fitted, and how it stands against the panel on the evaluated split."""
    record = config["calibration"].get("abnormality")
    if not record:
        return NOT_JUDGED
    point = OverallPoint(**record)
    tried = config.get("training", {}).get("overall", {})
    fitted = (
        "A logistic regression on the scores of all findings, those too that are not assessed one"
        " by one, fitted to what most of five radiologists called abnormal:"
        f" {point.images} images that the heads were not fitted on, {percent(point.prevalence)}% of"
        " them abnormal. The probability holds for that share. An image **looks abnormal** from"
        f" {point.abnormal_from:.3f} on and **looks normal** below {point.normal_below:.3f};"
        " between them it is not sure, nor does an image look normal where a finding is suggested."
    )
    rows = [_row("validation, out of fold", tried.get("auroc"), point)]
    whole = (metrics.get("experts") or {}).get("overall")
    if whole:
        experts = metrics["experts"]
        shares = (
            percent_with_interval(whole[word][kind])
            for word in ("looks_abnormal", "looks_normal")
            for kind in ("abnormal", "normal")
        )
        films = (
            f"{experts['split']} films of {experts['data']}: {whole['abnormal_films']} abnormal"
            f" films, {whole['normal_films']} normal"
        )
        rows.append([films, with_interval(whole["auroc"]), *shares])
    header = [
        "images",
        "AUROC",
        "abnormal ones that look abnormal, %",
        "normal ones that look abnormal, %",
        "abnormal ones that look normal, %",
        "normal ones that look normal, %",
    ]
    return f"{fitted}\n\n{table(header, rows)}"


def _row(name: str, auroc: float | None, point: OverallPoint) -> list[str]:
    shares = point.sensitivity, 1 - point.specificity, point.missed, point.recognized
    return [name, "" if auroc is None else f"{auroc:.3f}", *map(percent, shares)]

r"""Set where a patch decoder's maps and probabilities begin to count, on films held out from it.

    python -m train.localizer.patch_decoder.levels --config train/configs/localizer.yaml:levels

Held out are the val splits and, for a decoder that was trained with --fold, that part of the
patients. For each target the level is the one with the best mean Dice where it is drawn; the
probability is calibrated (Platt 1999), and found from where at most --falsely of the films that
were read as showing nothing would be called so, and at most --marked of the picture is marked in
the mean of films without the finding. A finding that the hottest place of its map lies on too
seldom, or that is found too seldom, is refused, with a sentence that says how often.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from cxr.anatomy import CARDIOMEGALY, HEART_ALONE, LEFT_LUNG, READ, RIGHT_LUNG
from cxr.checkpoints import build_model, load_checkpoint, read_config
from cxr.data import load_cardiothoracic_ratios
from cxr.files import write_json
from cxr.findings import OUTLINED
from cxr.localization import Level, Levels, cardiothoracic_ratio
from cxr.metrics import dice
from cxr.models import PatchDecoder, PatchDecoderConfig
from train.common.options import command_line, option, parse_options
from train.localizer.patch_decoder.data import DecoderData
from train.localizer.patch_decoder.films import Film
from train.localizer.patch_decoder.options import FilmOptions
from train.localizer.patch_decoder.train import chosen_films, left_out, load_data

MODULE = "train.localizer.patch_decoder.levels"
STEPS = np.round(np.arange(0.05, 0.96, 0.05), 2)
INSIDE = 128  # of a mask in 8 bits
CHUNK = 16
RELAXED = 3  # for cardiomegaly, since the cardiothoracic ratio must say so as well
RATIOS = "heart_lungs"  # the folder with ratios measured by hand
FEWEST = 5  # films that show a finding, for it to be judged


@dataclass(frozen=True, kw_only=True)
class Options(FilmOptions):
    """As for the training whose decoder is measured, and how strict to be."""

    weights: Path = option("patch decoder whose levels are set", Path("runs/patch_decoder"))
    falsely: float = option("of films that show nothing, how many may be called so", 0.03)
    marked: float = option("of the picture, the most that is marked without the finding", 0.02)
    pointing: float = option("least share of hottest places on the outline", 0.4)
    sensitivity: float = option("least share of films with the finding that are found", 0.15)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a decoder says of R held-out films.

    Attributes:
        rows: int [R], places in the data.
        maps: float16 [R, T, s, s] in [0, 1].
        presence: float32 [R, T], logits.
    """

    rows: np.ndarray
    maps: np.ndarray
    presence: np.ndarray


def predict(model: PatchDecoder, data: DecoderData, rows: np.ndarray) -> Predictions:
    """Run a decoder over films."""
    view, maps, presence = model.preprocess, [], []
    for first in range(0, len(rows), CHUNK):
        part = rows[first : first + CHUNK]
        batch = data.batch(part, [0] * len(part))
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            drawn, said = model((batch.pixels - view.mean) / view.std, batch.features)
        maps.append(drawn.float().sigmoid().half().numpy())
        presence.append(said.float().numpy())
    return Predictions(rows, np.concatenate(maps), np.concatenate(presence))


def judge(
    data: DecoderData, said: Predictions, target: str, options: Options
) -> tuple[Level, dict]:
    """Choose the level of a target.

    Returns:
        The level, and what it rests on: films, Dice, pointing, area under the ROC curve.
    """
    place = data.outputs.index(target)
    known, shown = (one[said.rows, place] for one in (data.known, data.present))
    maps, truth = said.maps[:, place], data.masks[said.rows, place] >= INSIDE
    drawn = np.flatnonzero(shown & truth.any((1, 2)))
    about: dict = {"films": len(drawn), "absent": int((known & ~shown).sum())}
    level = 0.5
    if len(drawn):
        scores = [np.mean([dice(maps[i] >= step, truth[i]) for i in drawn]) for step in STEPS]
        level = float(STEPS[int(np.argmax(scores))])
        about["dice"] = round(float(max(scores)), 4)
        hits = [truth[i].flat[int(maps[i].argmax())] for i in drawn]
        about["pointing"] = round(float(np.mean(hits)), 4)
    if target not in READ:
        return Level(level), about
    values, labels = said.presence[known, READ.index(target)], shown[known]
    if min(labels.sum(), (~labels).sum()) < FEWEST:
        return Level(level, refused=_too_few(target, int(labels.sum()))), about
    fitted = LogisticRegression(C=10).fit(values[:, None], labels)
    scale, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    limit = _limit(data, said, target, level, options)
    about["auroc"] = round(_auroc(values[labels], values[~labels]), 4)
    about["sensitivity"] = round(float((values[labels] > limit).mean()), 4)
    found_from = 1 / (1 + math.exp(-(scale * limit + shift)))
    about["specificity"] = round(float((values[~labels] <= limit).mean()), 4)
    name = target[0].upper() + target[1:]
    refused = ""
    if about["sensitivity"] < options.sensitivity:
        refused = (
            f"{name} is not outlined: on films held out, its probability tells it in "
            f"{about['sensitivity']:.0%}, and at least {options.sensitivity:.0%} are asked for."
        )
    if about["pointing"] < options.pointing:
        refused = (
            f"{name} is not outlined: on {len(drawn)} films held out, the hottest place lay on it "
            f"in {about['pointing']:.0%}, and at least {options.pointing:.0%} are asked for."
        )
    return Level(level, round(scale, 4), round(shift, 4), round(found_from, 5), refused), about


def _limit(
    data: DecoderData, said: Predictions, target: str, level: float, options: Options
) -> float:
    """The logit of presence above which a finding counts as found."""
    place = data.outputs.index(target)
    outlined = [data.outputs.index(name) for name in OUTLINED]
    read = data.known[said.rows][:, outlined].all(1)
    quiet = read & ~data.present[said.rows][:, outlined].any(1)
    absent = data.known[said.rows, place] & ~data.present[said.rows, place]
    values = said.presence[:, READ.index(target)]
    falsely = options.falsely * (RELAXED if target == CARDIOMEGALY else 1)
    limit = float(np.quantile(values[quiet & absent], 1 - falsely))
    areas = (said.maps[absent, place] >= level).mean((1, 2))
    for value in np.sort(values[absent]):
        if (areas * (values[absent] > limit)).mean() <= options.marked:
            break
        limit = max(limit, float(value))
    return limit


def _too_few(target: str, films: int) -> str:
    return (
        f"{target[0].upper()}{target[1:]} is not outlined: {films} films held out show it, "
        "too few to judge by."
    )


def _auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    return float((positive[:, None] > negative[None]).mean())


def ratios(data: DecoderData, said: Predictions, levels: dict[str, Level]) -> np.ndarray:
    """The cardiothoracic ratio of each film, float [R], NaN where it cannot be measured."""
    places = [data.outputs.index(name) for name in (HEART_ALONE, RIGHT_LUNG, LEFT_LUNG)]
    names = (HEART_ALONE, RIGHT_LUNG, LEFT_LUNG)
    found = []
    for maps in said.maps:
        drawn = [enlarged(maps[p]) >= levels[name].level for p, name in zip(places, names)]
        ratio = cardiothoracic_ratio(*(part.astype(np.float32) for part in drawn))
        found.append(np.nan if ratio is None else ratio)
    return np.array(found)


def enlarged(values: np.ndarray) -> np.ndarray:
    """A map [s, s] at the size at which ratios are measured, 336 a side."""
    whole = torch.from_numpy(values.astype(np.float32))[None, None]
    return torch.nn.functional.interpolate(whole, size=336, mode="bilinear", align_corners=False)[
        0, 0
    ].numpy()


def main(argv: Sequence[str] | None = None) -> None:
    """Choose the levels and write them into the checkpoint's config.json."""
    options = parse_options(Options, argv, __doc__, MODULE)
    config, state = load_checkpoint(options.weights)
    architecture = PatchDecoderConfig.from_dict(config["architecture"])
    model = build_model(lambda: PatchDecoder(architecture), state, options.weights).eval()
    films = chosen_films(options)
    data = load_data(options, films)
    held = np.flatnonzero(left_out(films, config["training"]["fold"]) & data.known.any(1))
    said = predict(model, data, held)
    judged = {target: judge(data, said, target, options) for target in data.outputs}
    levels = {target: level for target, (level, _) in judged.items()}
    found = ratios(data, said, levels)
    error, about_ratio = _ratio_error(options.data, films, held, found)
    record = {
        "command": command_line(f"python -m {MODULE}", options),
        "films": len(held),
        "targets": {target: about for target, (_, about) in judged.items()},
        "ratio": {**about_ratio, **_enlarged(data, said, found)},
    }
    written = Levels(levels, round(error, 4))
    about = read_config(options.weights)
    training = {**about["training"], "levels": record}
    write_json(
        options.weights / "config.json", {**about, "training": training, "levels": asdict(written)}
    )
    print(json.dumps(record, indent=1))


def _ratio_error(
    root: Path, films: Sequence[Film], held: np.ndarray, found: np.ndarray
) -> tuple[float, dict]:
    """Half the width of the ratio's interval, and how far it lies from those measured by hand.

    Where none was measured by hand, a Levels' own default.
    """
    by_hand = load_cardiothoracic_ratios(root / RATIOS) if (root / RATIOS).is_dir() else {}
    pairs = np.array(
        [
            (ratio, by_hand[films[row].image.stem])
            for row, ratio in zip(held, found)
            if films[row].source == RATIOS and films[row].image.stem in by_hand
        ]
    ).reshape(-1, 2)
    away = np.diff(pairs[~np.isnan(pairs).any(1)])
    if not len(away):
        return Levels().ratio_error, {"films": 0}
    error = float(1.96 * np.sqrt((away**2).mean()))
    return error, {"films": len(away), "mean_error": round(float(np.abs(away).mean()), 4)}


def _enlarged(data: DecoderData, said: Predictions, found: np.ndarray) -> dict:
    """How well a ratio of one half tells outlined cardiomegaly: on held-out films."""
    place = data.outputs.index(CARDIOMEGALY)
    known = data.known[said.rows, place] & ~np.isnan(found)
    shown = data.present[said.rows, place][known]
    if shown.all() or not shown.any():
        return {}
    values = found[known]
    heart = said.maps[:, data.outputs.index(HEART_ALONE)] >= 0.5
    truth = data.masks[said.rows, place] >= INSIDE
    drawn = [dice(heart[i], truth[i]) for i in np.flatnonzero(truth.any((1, 2)))]
    return {
        "enlarged": {
            "films": int(shown.sum()),
            "auroc": round(_auroc(values[shown], values[~shown]), 4),
            "sensitivity": round(float((values[shown] >= 0.5).mean()), 4),
            "specificity": round(float((values[~shown] < 0.5).mean()), 4),
            "dice_of_heart": round(float(np.mean(drawn)), 4),
        }
    }


if __name__ == "__main__":
    main()

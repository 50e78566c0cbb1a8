r"""Set where a patch decoder's maps and probabilities begin to count, on films held out from it.

    python -m train.localizer.patch_decoder.levels --config train/configs/localizer.yaml:levels

Held out are the val splits and, for a decoder that was trained with --fold, that part of the
patients. For each target the level is the one with the best mean Dice where it is drawn. The
probability is calibrated (Platt 1999), and found from where at most --falsely of the films that
were read as showing nothing, and --elsewhere of those without the finding, would be called so, and
at most --marked of the picture is marked in the mean of films without it. Where the finding
classifier of the reports tells a finding better, its probability counts instead; whether a heart
is enlarged, its ratio says. A finding that the hottest place of its map lies on too seldom, or that
is found too seldom, is refused, with a sentence that says how often.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from cxr.anatomy import CARDIOMEGALY, HEART_ALONE, LEFT_LUNG, READ, RIGHT_LUNG
from cxr.checkpoints import (
    FindingClassifier,
    build_model,
    fingerprint,
    load_checkpoint,
    load_patch_encoder,
    read_config,
    shared_dual_encoder,
)
from cxr.data import load_cardiothoracic_ratios
from cxr.files import write_json
from cxr.findings import OUTLINED
from cxr.localization import (
    LUNG_MEASURES,
    DecoderReader,
    FindingPresence,
    Level,
    Levels,
    cardiothoracic_ratio,
    measure_lungs,
)
from cxr.metrics import dice
from cxr.models import PatchDecoder, PatchDecoderConfig
from train.common.options import command_line, option, parse_options
from train.localizer.patch_decoder.data import DecoderData
from train.localizer.patch_decoder.films import CHILDREN, Film
from train.localizer.patch_decoder.labelled import (
    FEWEST,
    Labelled,
    auroc,
    choose_enlarged,
    choose_speaker,
    read_labelled,
)
from train.localizer.patch_decoder.options import FilmOptions
from train.localizer.patch_decoder.train import chosen_films, left_out, load_data

MODULE = "train.localizer.patch_decoder.levels"
STEPS = np.round(np.arange(0.05, 0.96, 0.05), 2)
INSIDE = 128  # of a mask in 8 bits
CHUNK = 16
RATIOS = "heart_lungs"  # the folder with ratios measured by hand
INTERVAL = 0.9  # the share of held-out films that an interval holds


@dataclass(frozen=True, kw_only=True)
class Options(FilmOptions):
    """As for the training whose decoder is measured, and how strict to be."""

    weights: Path = option("patch decoder whose levels are set", Path("runs/patch_decoder"))
    falsely: float = option("of films that show nothing, how many may be called so", 0.03)
    elsewhere: float = option("of films without the finding, how many may be called so", 0.1)
    marked: float = option("of the picture, the most that is marked without the finding", 0.02)
    pointing: float = option("least share of hottest places on the outline", 0.4)
    sensitivity: float = option("least share of films with the finding that are found", 0.15)
    labelled: list[str] = option("data sets whose val splits have labels", ["nih", "nih_expert"])
    presence: Path | None = option("reporting checkpoint with the finding classifier", None)
    speakers: bool = option("keep the levels, choose anew who speaks for each finding", False)


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
        batch = data.batch(part, [0] * len(part), np.zeros(data.known.shape[1], bool))
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
    if target not in READ or target == CARDIOMEGALY:
        return Level(level), about
    values, labels = said.presence[known, READ.index(target)], shown[known]
    if min(labels.sum(), (~labels).sum()) < FEWEST:
        return Level(level, refused=_too_few(target, int(labels.sum()))), about
    fitted = LogisticRegression(C=10).fit(values[:, None], labels)
    scale, shift = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    limit = _limit(data, said, target, level, options)
    about["auroc"] = round(auroc(values[labels], values[~labels]), 4)
    about["sensitivity"] = round(float((values[labels] > limit).mean()), 4)
    found_from = 1 / (1 + math.exp(-(scale * limit + shift)))
    about["specificity"] = round(float((values[~labels] <= limit).mean()), 4)
    return Level(level, round(scale, 4), round(shift, 4), round(found_from, 5)), about


def refusal(target: str, about: dict, options: Options) -> str:
    """Why a finding is not outlined, a sentence; "" where it is. about: what its level rests on."""
    name = target[0].upper() + target[1:]
    if about["pointing"] < options.pointing:
        return (
            f"{name} is not outlined: on {about['films']} films held out, the hottest place lay on "
            f"it in {about['pointing']:.0%}, and at least {options.pointing:.0%} are asked for."
        )
    found = about.get("labelled", {}).get("sensitivity", about["sensitivity"])
    if found < options.sensitivity:
        return (
            f"{name} is not outlined: on films held out, its probability tells it in "
            f"{found:.0%}, and at least {options.sensitivity:.0%} are asked for."
        )
    return ""


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
    limit = max(
        float(np.quantile(values[quiet & absent], 1 - options.falsely)),
        float(np.quantile(values[absent], 1 - options.elsewhere)),
    )
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
    if options.speakers:
        choose_speakers(model, config, options)
        return
    films = chosen_films(options)
    data = load_data(options, films)
    held = left_out(films, config["training"]["fold"]) & data.known.any(1)
    # No training saw the organs of these, so that all of them can tell when a heart is enlarged.
    hearts = data.present[:, data.outputs.index(CARDIOMEGALY)]
    said = predict(model, data, np.flatnonzero(held | hearts))
    inside = held[said.rows]
    heldout = Predictions(said.rows[inside], said.maps[inside], said.presence[inside])
    judged = {target: judge(data, heldout, target, options) for target in data.outputs}
    levels = {target: level for target, (level, _) in judged.items()}
    about = {target: entry for target, (_, entry) in judged.items()}
    found = ratios(data, said, levels)
    error, about_ratio = _ratio_error(options.data, films, heldout.rows, found[inside])
    labelled = _labelled(model, levels, options)
    _let_speak(labelled, levels, about, options)
    enlarged_from, about_heart = _enlarged(data, said, found, labelled)
    record = {
        "command": command_line(f"python -m {MODULE}", options),
        "films": int(held.sum()),
        "labelled_films": len(labelled.ratio),
        "targets": about,
        "ratio": {**about_ratio, **about_heart},
    }
    written = Levels(
        levels, round(error, 4), enlarged_from, _lung_errors(data, heldout, levels, record)
    )
    config = read_config(options.weights)
    training = {**config["training"], "levels": record}
    entries = {**config, "training": training, "levels": asdict(written)}
    if options.presence is not None:
        entries["presence"] = {"weights": options.presence.name}
    write_json(options.weights / "config.json", entries)
    print(json.dumps(record, indent=1))


def choose_speakers(model: PatchDecoder, config: dict, options: Options) -> None:
    """Choose anew who speaks for each finding, after the finding classifier was fitted anew."""
    known = Levels.from_dict(config["levels"])
    levels, record = dict(known.targets), config["training"]["levels"]
    about = record["targets"]
    _let_speak(_labelled(model, levels, options), levels, about, options)
    record["speakers"] = command_line(f"python -m {MODULE}", options)
    config["levels"] = asdict(replace(known, targets=levels))
    write_json(options.weights / "config.json", config)
    print(json.dumps(about, indent=1))


def _labelled(model: PatchDecoder, levels: Mapping[str, Level], options: Options) -> Labelled:
    """What the decoder and the classifier say of the validation films with labels."""
    reader = DecoderReader(
        model,
        load_patch_encoder(options.text, options.layers, model.config.seen),
        torch.device("cpu"),
        Levels(levels),
    )
    return read_labelled(reader, _presence(options), options.data, options.labelled)


def _let_speak(
    labelled: Labelled, levels: dict[str, Level], about: dict[str, dict], options: Options
) -> None:
    """Set in `levels`, and note in `about`, who speaks for each finding."""
    for target in READ:
        if target == CARDIOMEGALY or "sensitivity" not in about[target]:  # too few to judge by
            continue
        own = replace(levels[target], classified_from=0.0)
        level, spoken = choose_speaker(labelled, target, own)
        about[target].pop("labelled", None)
        if spoken:
            about[target]["labelled"] = spoken
        levels[target] = replace(level, refused=refusal(target, about[target], options))


def _presence(options: Options) -> FindingPresence | None:
    if options.presence is None:
        return None
    classifier = FindingClassifier.load(options.presence, fingerprint(options.text))
    return FindingPresence(shared_dual_encoder(options.text)[0], classifier)


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
    away = np.abs(np.diff(pairs[~np.isnan(pairs).any(1)])[:, 0])
    if not len(away):
        return Levels().ratio_error, {"films": 0}
    about = {"films": len(away), "mean_error": round(float(away.mean()), 4)}
    return half_width(away), about


def half_width(away: np.ndarray) -> float:
    """Half the width of an interval that holds INTERVAL of new cases (conformal; Vovk et al. 2005).

    Args:
        away: real [N], how far each of N held-out cases was off.
    """
    rank = min(len(away), math.ceil((len(away) + 1) * INTERVAL))
    return float(np.sort(away)[rank - 1])


def _lung_errors(
    data: DecoderData, said: Predictions, levels: dict[str, Level], record: dict
) -> dict[str, float]:
    """Half widths of the intervals of LUNG_MEASURES, from lungs drawn by hand.

    A measure is left out, so not given, where its interval says little: where the half width
    passes the standard deviation of the films' values.
    """
    places = [data.outputs.index(name) for name in (RIGHT_LUNG, LEFT_LUNG)]
    pairs: dict[str, list[tuple[float, float]]] = {}
    for maps, row in zip(said.maps, said.rows):
        if not data.known[row, places].all() or data.films[row].source == CHILDREN:
            continue
        drawn = [
            enlarged(maps[place]) >= levels[name].level
            for place, name in zip(places, (RIGHT_LUNG, LEFT_LUNG))
        ]
        truth = [enlarged(data.masks[row, place]) >= INSIDE for place in places]
        ours, theirs = (
            measure_lungs(*(part.astype(np.float32) for part in pair)) for pair in (drawn, truth)
        )
        for name in ours.keys() & theirs.keys():
            pairs.setdefault(name, []).append((ours[name], theirs[name]))
    errors, record["lungs"] = {}, {}
    for name in LUNG_MEASURES:
        ours, theirs = np.array(pairs.get(name, ())).reshape(-1, 2).T
        if len(ours) < FEWEST:
            continue
        half, spread = half_width(np.abs(ours - theirs)), float(theirs.std())
        record["lungs"][name] = {
            "films": len(ours),
            "mean_error": round(float(np.abs(ours - theirs).mean()), 4),
            "half_width": round(half, 4),
            "spread": round(spread, 4),
        }
        if half <= spread:
            errors[name] = round(half, 4)
    return errors


def _enlarged(
    data: DecoderData, said: Predictions, found: np.ndarray, labelled: Labelled
) -> tuple[float, dict]:
    """The ratio from which a heart counts as enlarged, on outlined and on labelled films."""
    place = data.outputs.index(CARDIOMEGALY)
    known = data.known[said.rows, place] & ~np.isnan(found)
    label = labelled.labels[:, READ.index(CARDIOMEGALY)]
    read = ~np.isnan(label) & ~np.isnan(labelled.ratio)
    values = np.concatenate([found[known], labelled.ratio[read]])
    shown = np.concatenate([data.present[said.rows, place][known], label[read] == 1])
    if shown.all() or not shown.any():
        return Levels().enlarged_from, {}
    limit, about = choose_enlarged(values, shown)
    heart = said.maps[:, data.outputs.index(HEART_ALONE)] >= 0.5
    truth = data.masks[said.rows, place] >= INSIDE
    drawn = [dice(heart[i], truth[i]) for i in np.flatnonzero(truth.any((1, 2)))]
    about["dice_of_heart"] = round(float(np.mean(drawn)), 4)
    return limit, {"enlarged": about}


if __name__ == "__main__":
    main()

"""The options of train.localizer.patch_decoder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from train.common.options import RunOptions, option
from train.localizer.patch_decoder.films import MASKS, OUTLINES


@dataclass(frozen=True, kw_only=True)
class FilmOptions:
    """Which films are used, and how they are seen."""

    data: Path = option("folder with one for each of --sources")
    sources: list[str] = option("data sets", [*OUTLINES, *MASKS])
    text: Path = option("retrieval checkpoint, of whose image encoder", Path("weights/retrieval"))
    layers: list[int] = option("blocks of the image encoder, from 0 on", [4, 6, 8])
    side: int = option("of the square that is seen, in pixels", 336)
    encoder_side: int = option("of the same square as the image encoder sees it", 252)
    map_side: int = option("of the maps", 192)
    copies: int = option("changed copies of each image", 1)
    boxes: list[str] = option("data sets with boxes around opacities, as weak targets", [])
    teacher: Path | None = option("localizer that draws what nobody drew", None)
    taught: list[str] = option("data sets on whose films it draws", ["covid"])
    taught_films: int = option("on so many of them at most", 240)
    children: float = option("share of the images of children that is used", 0.25)
    cache: Path = option("decoded images and features", Path(".cache/packed"))


@dataclass(frozen=True, kw_only=True)
class Options(FilmOptions, RunOptions):
    """What a training of a patch decoder takes."""

    out: Path = option("checkpoint folder", Path("runs/patch_decoder"))
    workdir: Path = option("state, log and curves", Path("runs/work/patch_decoder"))
    part: str = option("what is trained", "organs", choices=("organs", "findings"))
    start: Path | None = option("checkpoint of an earlier stage that is gone on from", None)
    fold: str | None = option("K/N: leave the K-th of N parts of the patients out", None)
    steps: int | None = option("of training", 1400)
    minutes: float | None = option("of training", None)
    batch_size: int = option("images a step", 16)
    rate: float = option("learning rate", 2e-3)
    weight_decay: float = option("of AdamW", 0.02)
    average: float = option("decay of the moving average of the weights", 0.998)
    presence_weight: float = option("of the loss of what an image shows at all", 0.2)

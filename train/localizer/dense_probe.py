r"""Teach a localizer to read opacities off the features of its text encoder's image half.

    python -m train.localizer.dense_probe --weights weights/localizer --data ROOT \\
        --normal NIH --boxes NIH --layers 5 8

The image half of a retrieval checkpoint has met thousands of films with their findings, of which a
U-Net that learns from a few dozen masks knows nothing. A linear reading of its features inside the
lungs takes a minute to learn, since they are frozen and extracted once, and errs in other films
than the U-Net does: of a target's logits --share comes from the reading. --normal and --boxes are
as for train.localizer. Set the offsets anew afterwards (train.localizer.offsets).
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from cxr.anatomy import LEFT_LUNG, OPACITIES, RIGHT_LUNG
from cxr.checkpoints import load_patch_encoder, read_config, save_checkpoint
from cxr.devices import has_bf16
from cxr.localization import Localizer, Query
from cxr.models import DenseProbe, PatchEncoder, TextGuidedUNet, dice_bce
from train.common.energy import hardware
from train.common.options import command_line
from train.localizer.batch_sampler import BatchSampler
from train.localizer.mask_data import Answers
from train.localizer.prompts import TextBank, wordings
from train.localizer.saving import load_sets

COMMAND = "python -m train.localizer.dense_probe"
SIDE = 64  # of the maps that are compared with masks, in pixels
INSIDE, OUTSIDE = 0.3, -6.0  # share of a cell that is lung to be read; the logit of other cells
CHUNK = 8  # films at a time


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--weights", type=Path, default=Path("weights/localizer"))
    add("--text", type=Path, default=Path("weights/retrieval"), help="that of the localizer")
    add("--data", type=Path, required=True, help="masks with a train split; or a ZIP")
    add("--normal", type=Path, nargs="*", default=[], help="films that show no opacity")
    add("--normal-films", type=int, default=300, help="as many of them, at random")
    add("--normal-share", type=float, default=0.1, help="of the films drawn from --normal")
    add("--boxes", type=Path, nargs="*", default=[], help="films with boxes around opacities")
    add("--boxes-share", type=float, default=0.2, help="of the films drawn from --boxes")
    add(
        "--layers",
        type=int,
        nargs="+",
        default=[5, 8],
        help="blocks of the image encoder, from 0 on",
    )
    add("--side", type=int, default=392, help="to which its square is enlarged for that encoder")
    add("--share", type=float, default=0.5, help="of an opacity's logits")
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--steps", type=int, default=200)
    add("--batch-size", type=int, default=24, help="films a step")
    add("--rate", type=float, default=1e-3)
    add("--weight-decay", type=float, default=0.05)
    add("--seed", type=int, default=0)
    return parser


class Frozen:
    """Films as the frozen encoder sees them: float16 [N, C, h, w], and the share of each cell that
    the localizer takes for lung: float32 [N, SIDE, SIDE].
    """

    def __init__(self, films: np.ndarray, encoder: PatchEncoder, localizer: Localizer) -> None:
        device, sides = localizer.device, [Query(RIGHT_LUNG), Query(LEFT_LUNG)]
        grids, lungs = [], []
        for first in tqdm(range(0, len(films), CHUNK), desc="features", unit=f"x{CHUNK}"):
            part = torch.from_numpy(np.array(films[first : first + CHUNK]))
            with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
                grid = encoder(part[:, None].to(device).float() / 255)
            grids.append(grid.to("cpu", torch.float16))
            lungs += [localizer._raw(film, sides).max(0) for film in part.numpy()]
        self.grids = torch.cat(grids)
        cells = torch.from_numpy(np.stack(lungs))[:, None]
        self.lungs = F.interpolate(cells, size=SIDE, mode="area")[:, 0]


def fit(
    reading: DenseProbe,
    sets: Sequence[Answers],
    frozen: Sequence[Frozen],
    bank: TextBank,
    options: argparse.Namespace,
) -> DenseProbe:
    """Train `reading` on films with masks, normal ones and boxed ones, and leave it in eval mode;
    the first set's features become its scale.
    """
    known = frozen[0].grids.float()
    reading.mean.copy_(known.mean((0, 2, 3)))
    reading.std.copy_(known.std((0, 2, 3)))
    further = (options.normal_share, options.boxes_share)
    shares = [share if len(data) else 0 for data, share in zip(sets[1:], further)]
    queries = dict.fromkeys(map(Query, OPACITIES), 1.0)
    drawer = BatchSampler(
        sets, [1 - sum(shares), *shares], len(queries), plain=False, queries=queries
    )
    optimizer = torch.optim.AdamW(
        reading.parameters(), options.rate, weight_decay=options.weight_decay
    )
    reading.train()
    for step in tqdm(range(options.steps), unit="step"):
        batch = drawer.draw(options.batch_size, random.Random(f"{options.seed} {step}"))
        grid = torch.stack([frozen[place].grids[row] for place, row in batch.places])
        lungs = torch.stack([frozen[place].lungs[row] for place, row in batch.places])
        masks = F.interpolate(batch.masks.float() / 255, size=SIDE, mode="area")
        logits = reading(grid, bank(batch.prompts).unflatten(0, masks.shape[:2]))
        logits = F.interpolate(logits, size=SIDE, mode="bilinear")
        logits = torch.where(lungs[:, None] > INSIDE, logits, OUTSIDE)
        loss = dice_bce(logits.flatten(0, 1), masks.flatten(0, 1), batch.weights.flatten())
        optimizer.param_groups[0]["lr"] = options.rate * (1 - step / options.steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return reading.eval()


def data_of(options: argparse.Namespace, localizer: Localizer) -> list[Answers]:
    """Films with masks, normal ones and boxed ones, of the train splits."""
    fold = read_config(options.weights).get("training", {}).get("fold")
    (masked, _, normal, boxed), _ = load_sets(
        argparse.Namespace(**vars(options), extra=[], fold=fold),
        localizer.model.preprocess,
        options.normal_films,
    )
    if not len(masked):
        raise SystemExit(f"expected films of the train split in {options.data}; found none")
    return [masked, normal, boxed]


def main(argv: list[str] | None = None) -> None:
    options = arguments().parse_args(argv)
    if options.normal_share + options.boxes_share >= 1 or not 0 <= options.share <= 1:
        raise SystemExit(
            "expected shares of --normal and --boxes below 1 together, and --share "
            f"from 0 to 1; got {options.normal_share}, {options.boxes_share} and "
            f"{options.share}"
        )
    localizer = Localizer.load(options.weights, options.text)
    if localizer.tower is None:
        raise SystemExit("expected a localizer that reads text; train one with another --fusion")
    encoder = load_patch_encoder(options.text, options.layers, options.side).to(localizer.device)
    config = replace(
        localizer.model.config,
        grid_channels=encoder.channels,
        grid_layers=tuple(options.layers),
        grid_side=options.side,
    )
    torch.manual_seed(options.seed)
    model, clock = TextGuidedUNet(config), time.monotonic()
    unet = {
        name: value
        for name, value in localizer.model.state_dict().items()
        if not name.startswith("reading.")
    }
    model.load_state_dict({**model.state_dict(), **unet})

    sets = data_of(options, localizer)
    texts = {text for target in OPACITIES for text in wordings(Query(target))}
    frozen = [Frozen(data.films, encoder, localizer) if len(data) else None for data in sets]
    fit(model.reading, sets, frozen, TextBank(localizer.tower, texts, options.cache), options)

    about = read_config(options.weights)
    about.pop("offsets", None)  # they were fitted without this reading
    training = {
        **about.get("training", {}),
        "reading": {
            "command": command_line(COMMAND, options, arguments()),
            "steps": options.steps,
            "films": [len(data) for data in sets],
            "hardware": hardware(),
            "minutes": round((time.monotonic() - clock) / 60, 1),
            "data": list(
                dict.fromkeys(root.name for root in (options.data, *options.normal, *options.boxes))
            ),
        },
    }
    training.pop("offsets", None)
    tower = {**about["text_encoder"], "image_sha256": encoder.fingerprint}
    save_checkpoint(
        options.weights,
        model.state_dict(),
        {
            **about,
            "architecture": config.to_dict(),
            "training": training,
            "text_encoder": tower,
            "shares": dict.fromkeys(OPACITIES, options.share),
        },
    )


if __name__ == "__main__":
    main()

r"""Train a dense probe: a localizer's opacities from its text encoder's image half.

    python -m train.localizer.dense_probe --weights weights/localizer --data ROOT \\
        --normal NIH --boxes NIH --layers 5 8

The image half of a retrieval checkpoint has met thousands of images with their findings, a U-Net
that learns from a few dozen masks has not. A linear probe of its features inside the lungs takes a
minute to learn, since they are frozen and extracted once, and errs in other images than the U-Net
does: of a target's logits --share comes from the probe. --normal and --boxes are as for
train.localizer. Set the offsets anew afterwards (train.localizer.offsets).
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from cxr.anatomy import LEFT_LUNG, OPACITIES, RIGHT_LUNG
from cxr.checkpoints import load_patch_encoder, read_config, save_checkpoint
from cxr.devices import has_bf16
from cxr.localization import Localizer, Target
from cxr.models import DenseProbe, PatchEncoder, TextGuidedUNet, dice_bce
from train.common.energy import hardware
from train.common.options import command_line, option, parse_options
from train.localizer.batch_sampler import BatchSampler
from train.localizer.data import Sources, load_sets
from train.localizer.mask_data import Answers
from train.localizer.prompts import TextBank, wordings

MODULE = "train.localizer.dense_probe"
MAP_SIDE = 64  # of the maps that are compared with masks, in pixels
LUNG_SHARE, LOGIT_OUTSIDE = 0.3, -6.0  # of a cell for the probe to count; the logit elsewhere
CHUNK = 8  # images at a time


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.localizer.dense_probe."""

    weights: Path = option("localizer that the probe is added to", Path("weights/localizer"))
    text: Path = option("retrieval checkpoint, that of the localizer", Path("weights/retrieval"))
    data: Path = option("masks with a train split; or a ZIP")
    normal: list[Path] = option("images that show no opacity", [])
    normal_images: int = option("as many of them, at random", 300, aliases=["--normal-films"])
    normal_share: float = option("of the images drawn from --normal", 0.1)
    boxes: list[Path] = option("images with boxes around opacities", [])
    boxes_share: float = option("of the images drawn from --boxes", 0.2)
    layers: list[int] = option("blocks of the image encoder, from 0 on", [5, 8])
    side: int = option("to which its square is enlarged for that encoder", 392)
    share: float = option("of an opacity's logits", 0.5)
    cache: Path = option("decoded images and features", Path(".cache/packed"))
    steps: int = option("of training", 200)
    batch_size: int = option("images a step", 24)
    rate: float = option("learning rate", 1e-3)
    weight_decay: float = option("of AdamW", 0.05)
    seed: int = option("of every random draw", 0)

    def __post_init__(self) -> None:
        """Refuse shares that do not add up."""
        if self.normal_share + self.boxes_share >= 1 or not 0 <= self.share <= 1:
            raise SystemExit(
                "expected shares of --normal and --boxes below 1 together, and --share from 0 to "
                f"1, got {self.normal_share}, {self.boxes_share} and {self.share}; change them"
            )


class FrozenFeatures:
    """What the frozen encoder says of N images.

    Attributes:
        grids: float16 [N, C, h, w], the encoder's features.
        lungs: float32 [N, MAP_SIDE, MAP_SIDE], the share of each cell that the localizer takes for
            lung.
    """

    def __init__(self, images: np.ndarray, encoder: PatchEncoder, localizer: Localizer) -> None:
        """Compute them for decoded images uint8 [N, S, S]."""
        device, sides = localizer.device, [Target(RIGHT_LUNG), Target(LEFT_LUNG)]
        grids, lungs = [], []
        for first in tqdm(range(0, len(images), CHUNK), desc="features", unit=f"x{CHUNK}"):
            part = torch.from_numpy(np.array(images[first : first + CHUNK]))
            with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
                grid = encoder(part[:, None].to(device).float() / 255)
            grids.append(grid.to("cpu", torch.float16))
            lungs += [localizer._raw(image, sides).max(0) for image in part.numpy()]
        self.grids = torch.cat(grids)
        cells = torch.from_numpy(np.stack(lungs))[:, None]
        self.lungs = F.interpolate(cells, size=MAP_SIDE, mode="area")[:, 0]


def fit(
    probe: DenseProbe,
    sets: Sequence[Answers],
    frozen: Sequence[FrozenFeatures | None],
    bank: TextBank,
    options: Options,
) -> DenseProbe:
    """Train a probe; the first set's features become its scale.

    Args:
        probe: What is trained, in place.
        sets: Images with masks, normal ones and boxed ones.
        frozen: Their features, None for an empty set.
        bank: Embedded prompts.
        options: How long and at which rate.

    Returns:
        The probe, in eval mode.
    """
    known = frozen[0].grids.float()
    probe.mean.copy_(known.mean((0, 2, 3)))
    probe.std.copy_(known.std((0, 2, 3)))
    further = (options.normal_share, options.boxes_share)
    shares = [share if len(data) else 0 for data, share in zip(sets[1:], further)]
    queries = dict.fromkeys(map(Target, OPACITIES), 1.0)
    sampler = BatchSampler(
        sets, [1 - sum(shares), *shares], len(queries), plain=False, queries=queries
    )
    optimizer = torch.optim.AdamW(
        probe.parameters(), options.rate, weight_decay=options.weight_decay
    )
    probe.train()
    for step in tqdm(range(options.steps), unit="step"):
        batch = sampler.draw(options.batch_size, random.Random(f"{options.seed} {step}"))
        grid = torch.stack([frozen[which].grids[row] for which, row in batch.sources])
        lungs = torch.stack([frozen[which].lungs[row] for which, row in batch.sources])
        masks = F.interpolate(batch.masks.float() / 255, size=MAP_SIDE, mode="area")
        logits = probe(grid, bank(batch.prompts).unflatten(0, masks.shape[:2]))
        logits = F.interpolate(logits, size=MAP_SIDE, mode="bilinear")
        logits = torch.where(lungs[:, None] > LUNG_SHARE, logits, LOGIT_OUTSIDE)
        loss = dice_bce(logits.flatten(0, 1), masks.flatten(0, 1), batch.weights.flatten())
        optimizer.param_groups[0]["lr"] = options.rate * (1 - step / options.steps)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return probe.eval()


def load_data(options: Options, localizer: Localizer) -> list[Answers]:
    """Images with masks, normal ones and boxed ones, of the train splits."""
    fold = read_config(options.weights).get("training", {}).get("fold")
    sources = Sources(options.data, fold, (), options.normal, options.boxes)
    (masked, _, normal, boxed), _ = load_sets(
        sources,
        localizer.model.preprocess,
        options.cache,
        options.normal_images,
        options.seed,
    )
    if not len(masked):
        raise SystemExit(f"expected images of the train split in {options.data}, found none")
    return [masked, normal, boxed]


def with_probe(localizer: Localizer, encoder: PatchEncoder, options: Options) -> TextGuidedUNet:
    """The localizer's U-Net with a fresh probe beside it."""
    config = replace(
        localizer.model.config,
        grid_channels=encoder.channels,
        grid_layers=tuple(options.layers),
        grid_side=options.side,
    )
    torch.manual_seed(options.seed)
    model = TextGuidedUNet(config)
    unet = {
        name: value
        for name, value in localizer.model.state_dict().items()
        if not name.startswith("reading.")
    }
    model.load_state_dict({**model.state_dict(), **unet})
    return model


def save(
    model: TextGuidedUNet,
    encoder: PatchEncoder,
    sets: Sequence[Answers],
    minutes: float,
    options: Options,
) -> None:
    """Write the checkpoint in place of the one without this probe."""
    about = read_config(options.weights)
    about.pop("offsets", None)  # they were fitted without this probe
    roots = (options.data, *options.normal, *options.boxes)
    record = {
        "command": command_line(f"python -m {MODULE}", options),
        "steps": options.steps,
        "films": [len(data) for data in sets],
        "hardware": hardware(),
        "minutes": round(minutes, 1),
        "data": list(dict.fromkeys(root.name for root in roots)),
    }
    training = {**about.get("training", {}), "reading": record}
    training.pop("offsets", None)
    config = {
        **about,
        "architecture": model.config.to_dict(),
        "training": training,
        "text_encoder": {**about["text_encoder"], "image_sha256": encoder.fingerprint},
        "shares": dict.fromkeys(OPACITIES, options.share),
    }
    save_checkpoint(options.weights, model.state_dict(), config)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the probe and write it into the checkpoint."""
    options = parse_options(Options, argv, __doc__, MODULE)
    localizer = Localizer.load(options.weights, options.text)
    if localizer.text_encoder is None:
        raise SystemExit("expected a localizer that reads text; train one with another --fusion")
    encoder = load_patch_encoder(options.text, options.layers, options.side).to(localizer.device)
    began = time.monotonic()
    model = with_probe(localizer, encoder, options)
    sets = load_data(options, localizer)
    texts = {text for target in OPACITIES for text in wordings(Target(target))}
    bank = TextBank(localizer.text_encoder, texts, options.cache)
    frozen = [
        FrozenFeatures(data.images, encoder, localizer) if len(data) else None for data in sets
    ]
    fit(model.reading, sets, frozen, bank, options)
    save(model, encoder, sets, (time.monotonic() - began) / 60, options)


if __name__ == "__main__":
    main()

r"""The finding network: a convolutional network learns 14 findings from whole images.

    accelerate launch -m train.findings --data nih --experts nih_expert \
        --more adult_unlabelled nih_128 --minutes 30

It gives three log odds a finding: what five radiologists would vote, what would be outlined, and
what a label mined from the report would say (train.reporting.labels). The images that the panel
read are never trained on: heads on the network's features are fitted to its votes by
train.reporting. All sources are seen at one size and randomly blurred, since the largest comes at
128 px. A run that was killed goes on after its last saved state. Writes the network to --out and,
with --into, beside an encoder, where it ships. The recipe of the shipped weights is
train/configs/findings.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms.v2.functional import gaussian_blur

from cxr import __version__
from cxr.checkpoints import save_checkpoint, save_finding_network
from cxr.findings import NIH_FINDINGS
from cxr.images import Preprocess
from cxr.metrics import auroc
from cxr.models import FindingNetwork, FindingNetworkConfig
from train.common.augment import random_affine, random_erase, random_tone
from train.common.energy import hardware
from train.common.options import RunOptions, command_line, option, parse_options
from train.common.run import Budget, Run
from train.findings.data import FindingData, load_data
from train.reporting.labels import READERS
from train.reporting.operating_points import LEAST_POSITIVES
from train.retrieval.pretrained import read_weights

MODULE = "train.findings"
COUNT = len(NIH_FINDINGS)
PANELS = {"loss": ("loss",), "mean AUROC": ("expert", "mined")}


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """The options of train.findings."""

    data: Path = option("data set with mined labels")
    experts: Path = option("data set that a panel of radiologists read")
    more: list[Path] = option("further data sets to train on", [])
    out: Path = option("folder for the network", Path("runs/findings"))
    workdir: Path = option("state and log", Path("runs/work/findings"))
    network: str = option("a convolutional network of timm", "resnet18")
    start: Path | None = option("weights of timm's network to start from", None)
    into: Path | None = option("retrieval checkpoint to put the network into", None)
    size: int = option("side of the square in pixels", 160)
    steps: int | None = option("end after so many steps", None)
    minutes: float | None = option("end after so many minutes", None)
    batch_size: int = option("images a process and step", 64)
    rate: float = option("learning rate", 1e-3)
    weight_decay: float = option("of AdamW", 0.05)
    mixup: float = option("of mixup's beta distribution; 0: none", 0.2)
    average: float = option("decay of the weights' moving average", 0.995)
    look_every: int = option("steps between two evaluations", 200)


def augmented(images: torch.Tensor, generator: torch.Generator, view: Preprocess) -> torch.Tensor:
    """Vary place, sharpness, tone and side of images.

    Args:
        images: uint8 [B, S, S].
        generator: what is drawn from.
        view: of the network.

    Returns:
        float32 [B, 1, S, S], normalized. Half are mirrored: none of the findings has a side.
    """
    views = images.unsqueeze(1).float() / 255
    views = random_affine(views, generator, 10, (0.75, 1.1), 0.06)
    turned = torch.rand(len(views), generator=generator) < 0.5
    views = torch.where(turned[:, None, None, None].to(views.device), views.flip(-1), views)
    sigma = float(torch.rand(1, generator=generator)) * 1.2
    if sigma > 0.3:
        views = gaussian_blur(views, [5, 5], [sigma, sigma])
    views = random_erase(random_tone(views, generator), generator)
    return (views - view.mean) / view.std


def mixed(
    views: torch.Tensor, goals: torch.Tensor, weights: torch.Tensor, alpha: float, seed: list[int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mixup (Zhang et al. 2018): each image blended with another of the batch, and its answers.

    Args:
        views: float [B, 1, S, S].
        goals: float [B, K].
        weights: float [B, K]; an answer that one of both images lacks counts as much less as that
            image's share.
        alpha: of the beta distribution of the shares; 0: as they are.
        seed: of the draw.
    """
    if alpha <= 0:
        return views, goals, weights
    random = np.random.default_rng(seed)
    share = float(random.beta(alpha, alpha))
    order = torch.from_numpy(random.permutation(len(views))).to(views.device)
    total = share * weights + (1 - share) * weights[order]
    both = share * weights * goals + (1 - share) * (weights * goals)[order]
    blended = share * views + (1 - share) * views[order]
    return blended, both / total.clamp_min(1e-6), total


@torch.inference_mode()
def scores_of(network: FindingNetwork, images: np.ndarray, run: Run) -> np.ndarray:
    """The network's log odds of N images, uint8 [N, S, S] -> float32 [N, K]."""
    network.eval()
    weight, bias = network.classifier
    parts = []
    for start in range(0, len(images), 128):
        with run.autocast():
            batch = torch.from_numpy(images[start : start + 128]).to(run.device)
            found = network.read(batch[:, None] / 255)
        parts.append((found @ weight + bias).cpu().numpy())
    return np.concatenate(parts)


def evaluate(network: FindingNetwork, data: FindingData, run: Run) -> dict[str, float]:
    """Mean AUROC: the panel's majority on its held-out images, mined labels on the val split."""
    rows = {
        "expert": (np.flatnonzero(data.held), data.readings.majority, READERS.index("votes")),
        "mined": (_val_rows(data), data.readings.mined, READERS.index("mined")),
    }
    found = {}
    for name, (chosen, labels, reader) in rows.items():
        scores = scores_of(network, data.images[chosen], run)
        own = scores[:, reader * COUNT : (reader + 1) * COUNT]
        values = [
            auroc(score[known], label[known] == 1)
            for score, label in zip(own.T, labels[chosen].T)
            if ((known := ~np.isnan(label)) & (label == 1)).sum() >= LEAST_POSITIVES
        ]
        found[name] = float(np.mean(values)) if values else 0.5
    return found


def _val_rows(data: FindingData) -> np.ndarray:
    return np.flatnonzero(np.char.endswith(data.source, " val") & ~data.held)


def build(options: Options) -> FindingNetwork:
    """The network, with random weights or published ones."""
    view = Preprocess(options.size, 0.5, 0.25, 1)
    network = FindingNetwork(FindingNetworkConfig(options.network, len(READERS) * COUNT, view))
    if options.start is not None:
        state = read_weights(options.start)
        for name, own in network.model.state_dict().items():
            if name in state and state[name].shape != own.shape:  # three channels -> one
                state[name] = state[name].sum(1, keepdim=True)
        missing = network.model.load_state_dict(state, strict=False).missing_keys
        if len(missing) > 2:
            raise SystemExit(f"expected weights of {options.network}, {len(missing)} are missing")
    return network


def save(
    network: FindingNetwork,
    data: FindingData,
    scores: dict[str, float],
    options: Options,
    run: Run,
) -> None:
    """Write the network with what it reached, `scores`, as a checkpoint in one file."""
    names, counts = np.unique(data.source[data.chances > 0], return_counts=True)
    config = {
        "architecture": network.config.to_dict(),
        "findings": list(NIH_FINDINGS),
        "readers": list(READERS),
        "training": {
            "command": command_line(f"accelerate launch -m {MODULE}", options),
            "images": dict(zip(names.tolist(), counts.tolist())),
            "steps": run.step,
            "minutes": round(run.seconds / 60, 1),
            "hardware": hardware(),
            "mean_auroc": {name: round(value, 4) for name, value in scores.items()},
        },
        "code_version": __version__,
    }
    save_checkpoint(options.out, network.state_dict(), config, shard_mb=1000, dtype=torch.float32)
    if options.into is not None:
        save_finding_network(network, options.into, config)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the network and write it."""
    options = parse_options(Options, argv, __doc__, MODULE)
    budget = Budget(options.steps, options.minutes)
    run = Run(options)
    view = Preprocess(options.size, 0.5, 0.25, 1)
    with run.main_process_first():
        data = load_data(options.data, options.experts, options.more, view, options.cache)
    goals, weights = torch.from_numpy(data.goals), torch.from_numpy(data.weights)
    network: nn.Module = build(options).to(memory_format=torch.channels_last)
    average = run.moving_average(network, options.average)
    optimizer = torch.optim.AdamW(
        network.parameters(), options.rate, fused=True, weight_decay=options.weight_decay
    )
    network, optimizer = run.prepare(network, optimizer)
    run.schedule(optimizer)
    for step in run.steps(budget):
        network.train()
        random = np.random.default_rng([options.seed, run.step, run.rank])
        rows = random.choice(len(data.chances), options.batch_size, p=data.chances)
        views = augmented(torch.from_numpy(data.images[rows]).to(run.device), run.generator(), view)
        views, asked, counted = mixed(
            views,
            goals[rows].to(run.device),
            weights[rows].to(run.device),
            options.mixup,
            [options.seed, run.step, run.rank, 1],
        )
        with run.autocast():
            logits = network(views.contiguous(memory_format=torch.channels_last))
        entropy = F.binary_cross_entropy_with_logits(logits.float(), asked, reduction="none")
        loss = (entropy * counted).mean()
        run.optimize(loss, network, optimizer)
        average.update(run.unwrap(network), step + 1)
        run.advance(loss=loss)
        if run.evaluates(options.look_every) and run.is_main:
            scores = evaluate(average.module, data, run)
            run.report(scores, PANELS)
            if run.finished:
                save(average.module, data, scores, options, run)

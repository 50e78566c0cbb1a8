r"""One finding network of several: the mean of their weights (Wortsman et al. 2022, model soups).

    python -m train.findings.soup --networks runs/findings-1 runs/findings-2 \
        --data nih --experts nih_expert --into weights/retrieval

Networks that started from the same weights and saw the images in another order lie close enough for
the mean of their weights to be a network too, which errs less than each and costs no more than one.
The means and variances that its layers normalize by are measured anew on training images. Writes
the network to --out and, with --into, beside an encoder, where it ships.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cxr import __version__
from cxr.checkpoints import build_model, load_checkpoint, save_checkpoint, save_finding_network
from cxr.models import FindingNetwork, FindingNetworkConfig
from train.common.options import RunOptions, command_line, option, parse_options
from train.common.run import Run
from train.findings.data import FindingData, load_data
from train.findings.train import evaluate

MODULE = "train.findings.soup"
BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """The options of train.findings.soup."""

    networks: list[Path] = option("checkpoints of train.findings with one architecture")
    data: Path = option("data set with mined labels")
    experts: Path = option("data set that a panel of radiologists read")
    out: Path = option("folder for the network", Path("runs/findings"))
    workdir: Path = option("of the run", Path("runs/work/findings-soup"))
    into: Path | None = option("retrieval checkpoint to put the network into", None)
    images: int = option("training images that the layers' statistics are measured on", 1280)


def mean_of(states: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of networks' weights, each in float32; whole numbers as in the first."""
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0)
        if first.is_floating_point()
        else first
        for name, first in states[0].items()
    }


@torch.inference_mode()
def measure_statistics(network: FindingNetwork, images: np.ndarray, run: Run) -> None:
    """Measure anew what batch normalization normalizes by.

    Args:
        network: changed in place; in eval mode afterwards.
        images: uint8 [N, S, S].
        run: gives the precision.
    """
    network.eval()
    for layer in network.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.reset_running_stats()
            layer.momentum = None  # the mean over all batches
            layer.train()
    for start in range(0, len(images), BATCH):
        with run.autocast():
            network.read(
                torch.from_numpy(images[start : start + BATCH]).to(run.device)[:, None] / 255
            )
    network.eval()


def _members(folders: Sequence[Path]) -> tuple[list[dict], list[dict[str, torch.Tensor]]]:
    """The configs and weights of networks. Raises SystemExit where their architectures differ."""
    pairs = [load_checkpoint(folder) for folder in folders]
    configs, states = [config for config, _ in pairs], [state for _, state in pairs]
    if any(config["architecture"] != configs[0]["architecture"] for config in configs):
        raise SystemExit("expected networks of one architecture; name those of one recipe")
    return configs, states


def _scores(
    network: FindingNetwork, state: Mapping[str, torch.Tensor], data: FindingData, run: Run
) -> dict[str, float]:
    network.load_state_dict(state)
    return {name: round(value, 4) for name, value in evaluate(network, data, run).items()}


def main(argv: Sequence[str] | None = None) -> None:
    """Average the networks and write the one that they make."""
    options = parse_options(Options, argv, __doc__, MODULE)
    run = Run(options)
    configs, states = _members(options.networks)
    architecture = FindingNetworkConfig.from_dict(configs[0]["architecture"])
    data = load_data(options.data, options.experts, [], architecture.preprocess, options.cache)
    network = build_model(lambda: FindingNetwork(architecture), mean_of(states), options.out)
    network.to(run.device, memory_format=torch.channels_last)
    apart = [_scores(network, state, data, run) for state in states]
    network.load_state_dict(mean_of(states))
    trained = np.flatnonzero(data.chances > 0)
    rows = np.random.default_rng(options.seed).permutation(trained)[: options.images]
    measure_statistics(network, data.images[np.sort(rows)], run)
    config = {
        **configs[0],
        "training": {
            "command": command_line(f"python -m {MODULE}", options),
            "members": [
                config["training"] | {"mean_auroc": scores}
                for config, scores in zip(configs, apart)
            ],
            "mean_auroc": {k: round(v, 4) for k, v in evaluate(network, data, run).items()},
        },
        "code_version": __version__,
    }
    save_checkpoint(options.out, network.state_dict(), config, shard_mb=1000, dtype=torch.float32)
    if options.into is not None:
        save_finding_network(network, options.into, config)
    for name, scores in zip(
        [*options.networks, "their mean"], [*apart, config["training"]["mean_auroc"]]
    ):
        run.print(name, scores)


if __name__ == "__main__":
    main()

r"""Train the conditional generator: from data sets and a retrieval checkpoint to a generator.

    accelerate launch -m train.gan --profile embedded --data nih --extra adult_unlabelled covid \\
        hannover --normal adult_normal --minutes 35 --out weights/generator
    accelerate launch -m train.gan --profile reference ... --out runs/gan_reference/checkpoint \\
        --workdir runs/gan_reference

Profile "reference" is the field's DCGAN; "embedded" is what ships. Texts and images are encoded by
a retrieval checkpoint (--encoder) that stays as it is. A killed run goes on after its last saved
state (--workdir). Every --every steps a grid of samples with the same noise and captions is drawn,
and the moving average of the weights with the smallest Frechet distance to real images, on captions
of the validation split, becomes the checkpoint. The recipe of the shipped weights is
train/configs/generator.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cxr import __version__
from cxr.checkpoints import load_dual_encoder, load_text_encoder, save_checkpoint
from cxr.findings import FINDINGS, Study
from cxr.images import Preprocess
from cxr.models import SIDE, Discriminator, FrozenTextEncoder, Generator
from train.common.energy import hardware
from train.common.feature_cache import cached_features, module_fingerprint
from train.common.image_cache import pack
from train.common.options import RunOptions, command_line, option, parse_options
from train.common.run import Budget, Run
from train.evaluate.generator_measures import thumbnails
from train.gan.data import Step, TextBank, draw_step, draw_weights, generator_studies
from train.gan.frozen_encoder import (
    FindingScores,
    FrozenEncoder,
    embed_packed,
    typical_distances,
)
from train.gan.objective import PROFILES, AdversarialObjective, Profile
from train.gan.validation import FixedEvaluation, evaluate, generate, save_grid

MODULE = "train.gan"
PANELS = {
    "losses": ("discriminator", "adversarial", "caption", "finding", "diversity"),
    "Frechet distance": ("frechet_distance",),
    "captions": ("finding_auroc", "caption_spread"),
}
PREPROCESS = Preprocess(SIDE, 0.5, 0.5, 1)  # to [-1, 1]
IMAGINED = 2000  # captions that belong to no image
CLIP = 10.0  # largest norm of a gradient


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """The options of train.gan."""

    data: Path = option("labelled data set with train and val splits")
    extra: list[Path] = option("further data sets, to train on only", [])
    normal: list[Path] = option("data sets of images read as normal", [])
    encoder: str = option("retrieval checkpoint, beside --out", "weights/retrieval")
    profile: str = option("networks and terms", "embedded", choices=sorted(PROFILES))
    out: Path = option("checkpoint folder", Path("weights/generator"))
    workdir: Path = option("state, log and samples", Path("runs/work/generator"))
    batch_size: int = option("images a process and step", 32)
    steps: int = option("at most", 20_000)
    minutes: float | None = option("at most, those before a resume too", None)
    every: int = option("steps between two evaluations", 200)
    patience: int = option("evaluations without improvement before it stops", 8)
    looks: int = option("images generated for an evaluation", 480)
    view_size: int = option("side at which the encoder sees images, pixels", 112)
    texts: int = option("texts for each image", 3)
    imagined: float = option("share of captions that belong to no image", 0.15)
    channels: list[int] = option("of the generator, instead of the profile's", [])
    caption_weight: float | None = option(
        "of caption matching, instead of the profile's", None, aliases=["--match"]
    )
    finding_weight: float | None = option(
        "of single findings, instead of the profile's", None, aliases=["--show"]
    )
    diversity_weight: float | None = option(
        "of images of one text differing, instead of the profile's", None, aliases=["--differ"]
    )


def profile_of(options: Options, dimension: int, maps: tuple[int, ...]) -> Profile:
    """The profile with what the command line replaces, for the encoder at hand."""
    profile = PROFILES[options.profile]
    generator = replace(profile.generator, text=dimension)
    if options.channels:
        generator = replace(generator, channels=tuple(options.channels))
    features = maps if profile.projected else ()
    discriminator = replace(profile.discriminator, text=dimension, features=features)
    given = {
        name: value
        for name in ("caption_weight", "finding_weight", "diversity_weight")
        if (value := getattr(options, name)) is not None
    }
    return replace(profile, generator=generator, discriminator=discriminator, **given)


@dataclass(frozen=True, eq=False)
class Data:
    """What is trained on."""

    studies: list[Study]  # N
    images: np.ndarray  # uint8 [R, S, S], those that can be read
    weights: np.ndarray  # float64 [R], how likely each is drawn
    bank: TextBank  # texts of the R images and of imagined studies
    labelled: np.ndarray  # int64 [L], rows of the images with labels
    real: np.ndarray  # float32 [L, D], their embeddings
    val: list[Study]

    @classmethod
    def load(
        cls, options: Options, text_encoder: FrozenTextEncoder, frozen: FrozenEncoder, run: Run
    ) -> Data:
        """Read, decode and embed it. Raises SystemExit where a split is empty."""
        studies, groups, val = generator_studies(options.data, options.extra, options.normal)
        if "labelled" not in groups or not val:
            raise SystemExit(
                f"expected labelled images to train on and to validate with in {options.data}, "
                f"got {groups.count('labelled')} and {len(val)}; give a data set with both splits"
            )
        with run.main_process_first():
            images, readable = pack([study.image for study in studies], PREPROCESS, options.cache)
            kept = np.flatnonzero(readable)
            studies, groups = [studies[row] for row in kept], [groups[row] for row in kept]
            labelled = np.flatnonzero(np.array(groups) == "labelled")
            bank = TextBank.of(
                studies, text_encoder, options.texts, IMAGINED, options.seed, options.cache
            )
            key = [module_fingerprint(frozen), options.view_size, Path(images.filename).name]
            real = cached_features(
                options.cache,
                key,
                lambda: {"real": torch.from_numpy(embed_packed(frozen, images[labelled]))},
            )["real"].numpy()
        counts = ", ".join(f"{groups.count(name)} {name}" for name in dict.fromkeys(groups))
        run.print(f"{len(studies)} images to train on, {(~readable).sum()} unreadable, of {counts}")
        return cls(studies, images, draw_weights(studies, groups), bank, labelled, real, val)

    def objective(
        self,
        profile: Profile,
        frozen: FrozenEncoder,
        text_encoder: FrozenTextEncoder,
        temperature: float,
    ) -> AdversarialObjective:
        """The losses, with what real images with labels look like."""
        labels = self.bank.labels[self.labelled]
        scores = FindingScores.of(text_encoder.encode_text, self.real, labels)
        small = thumbnails(np.asarray(self.images[self.labelled]))
        distances = typical_distances(self.real, small, labels.numpy())
        device = next(frozen.parameters()).device
        return AdversarialObjective(profile, frozen, scores.to(device), temperature, distances)

    def own_rows(self) -> np.ndarray:
        """Which of the L embeddings are of the validation split's data set, bool [L]."""
        source = self.val[0].source
        return np.array([self.studies[row].source == source for row in self.labelled])


def train_step(
    objective: AdversarialObjective,
    networks: tuple[nn.Module, nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
    packed: torch.Tensor,
    batch: Step,
    run: Run,
) -> dict[str, torch.Tensor]:
    """One step of the discriminator, then one of the generator.

    Args:
        objective: The losses.
        networks: Generator and discriminator, as prepared.
        optimizers: One for each.
        packed: Real images uint8 [B, S, S].
        batch: What was drawn.
        run: What steps the optimizers.

    Returns:
        The discriminator's loss and the generator's terms, scalars by name.
    """
    generator, discriminator = networks
    rng = run.generator()
    noise = torch.randn(len(batch.rows), objective.profile.generator.noise, generator=rng)
    with run.autocast():
        made = generator(noise.to(packed.device), batch.wanted)
        fake = objective.views(made, rng, pairs=True)
        with torch.no_grad():
            real = objective.views(packed[:, None].float() / 127.5 - 1, rng)
        discriminator_loss = objective.discriminator_loss(discriminator, real, fake, batch)
    run.optimize(discriminator_loss, discriminator, optimizers[1], CLIP)
    bare = run.unwrap(discriminator).requires_grad_(False)
    with run.autocast():
        terms = objective.generator_losses(bare, made, fake, batch)
        loss = objective.total(terms)
    run.optimize(loss, generator, optimizers[0], CLIP)
    bare.requires_grad_(True)
    return {"discriminator": discriminator_loss, **terms}


def save(
    generator: Generator,
    scores: dict[str, float],
    encoder: FrozenTextEncoder,
    data: Data,
    options: Options,
    run: Run,
) -> None:
    """Write the checkpoint."""
    roots = (options.data, *options.extra, *options.normal)
    training = {
        "command": command_line(f"accelerate launch -m {MODULE}", options),
        "profile": options.profile,
        "data": [root.name for root in roots],
        "films": len(data.studies),
        "step": run.step,
        "films_seen": run.step * options.batch_size * run.processes,
        "minutes": round(run.seconds / 60),
        "hardware": hardware(),
        "validation": {name: round(value, 5) for name, value in scores.items()},
    }
    config = {
        "findings": list(FINDINGS),
        "training": training,
        "code_version": __version__,
        "text_encoder": {"weights": Path(options.encoder).name, "sha256": encoder.fingerprint},
        "architecture": generator.config.to_dict(),
    }
    save_checkpoint(options.out, generator.state_dict(), config)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the generator and write the best moment's checkpoint."""
    options = parse_options(Options, argv, __doc__, MODULE)
    run = Run(options)
    dual, _ = load_dual_encoder(options.encoder)
    text_encoder = load_text_encoder(options.encoder)
    frozen = FrozenEncoder(dual, options.view_size, run.device)
    data = Data.load(options, text_encoder, frozen, run)
    profile = profile_of(options, text_encoder.dimension, frozen.channels)
    objective = data.objective(profile, frozen, text_encoder, dual.temperature.item())
    generator, discriminator = (
        model.to(memory_format=torch.channels_last)
        for model in (Generator(profile.generator), Discriminator(profile.discriminator))
    )
    average = run.moving_average(generator, profile.average)
    optimizers = [
        torch.optim.Adam(model.parameters(), rate, profile.betas, fused=True)
        for model, rate in zip((generator, discriminator), profile.rates)
    ]
    generator, discriminator, *optimizers = run.prepare(generator, discriminator, *optimizers)
    fixed = FixedEvaluation.of(
        data.real[data.own_rows()],
        data.val,
        text_encoder.encode_text,
        objective.distances[0],
        (options.looks, profile.generator.noise),
        options.seed,
    )
    for step in run.steps(Budget(options.steps, options.minutes)):
        generator.train(), discriminator.train()
        key = (options.seed, step, run.rank)
        batch = draw_step(data.bank, data.weights, options.batch_size, options.imagined, key)
        packed = torch.from_numpy(np.array(data.images[batch.rows])).to(run.device)
        networks = (generator, discriminator)
        losses = train_step(objective, networks, optimizers, packed, batch.to(run.device), run)
        average.update(run.unwrap(generator), step + 1)
        run.advance(**losses)
        if run.evaluates(options.every) and run.is_main:
            scores = evaluate(average.module, frozen, objective.scores, fixed)
            run.report(scores, PANELS)
            sample = generate(average.module, fixed.noise[fixed.grid], fixed.text[fixed.grid])
            save_grid(sample, options.workdir / "samples" / f"{run.step:06d}.png")
            if run.improved(-scores["frechet_distance"]):
                save(average.module, scores, text_encoder, data, options, run)
            elif run.stale >= options.patience:
                run.stop()

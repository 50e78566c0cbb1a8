r"""Train the conditional generator: from data sets and a finding network to a generator.

    accelerate launch -m train.gan --profile graded --data nih --extra nih_expert nih_128 \\
        adult_unlabelled covid hannover --normal adult_normal --minutes 75 --out weights/generator
    accelerate launch -m train.gan --profile reference ... --out runs/gan_reference/checkpoint \\
        --workdir runs/gan_reference

Profile "reference" is the field's DCGAN, told by a caption what to draw; "graded" is what ships,
told by severities, heart ratio, age, sex and view. Of training images the finding network beside a
retrieval checkpoint (--encoder) grades the findings, and it watches over what is generated; the
retrieval model itself takes no part, so that it can judge. The localizer measures hearts. A killed
run goes on after its last saved state (--workdir). Every --every steps a grid of samples with the
same noise and conditions is drawn, and the moving average of the weights becomes the checkpoint:
the learning rates fall to nothing, so the last one counts. The recipe of the shipped weights is
train/configs/generator.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from cxr import __version__
from cxr.checkpoints import (
    load_checkpoint,
    load_finding_network,
    load_text_encoder,
    read_config,
    resolve,
    save_checkpoint,
)
from cxr.findings import NIH_FINDINGS, Study, caption
from cxr.generation import ConditionFormat
from cxr.images import Preprocess
from cxr.localization import Localizer
from cxr.models import SIDE, Discriminator, FrozenTextEncoder, Generator
from train.common.energy import hardware
from train.common.feature_cache import cached_features, module_fingerprint
from train.common.image_cache import pack
from train.common.options import RunOptions, command_line, option, parse_options
from train.common.run import Budget, Run
from train.evaluate.generator_measures import thumbnails
from train.gan.data import (
    Step,
    condition_format,
    draw_step,
    draw_weights,
    generator_studies,
    image_conditions,
    imagined_condition,
    mixed_severities,
    nih_labels,
    typical_severities,
)
from train.gan.guide import (
    COUNT,
    Guide,
    HeartRatioReading,
    Scale,
    look_at_packed,
    typical_distances,
)
from train.gan.objective import PROFILES, AdversarialObjective, Profile
from train.gan.validation import GRID, FixedEvaluation, evaluate, generate, save_grid
from train.reporting.measurements import measurements_of
from train.reporting.pictures import film_pictures

MODULE = "train.gan"
PANELS = {
    "losses": ("discriminator", "adversarial", "finding", "ratio", "diversity"),
    "Frechet distance": ("frechet_distance",),
    "what was asked for": ("finding_auroc", "spread"),
}
PREPROCESS = Preprocess(SIDE, 0.5, 0.5, 1)  # to [-1, 1]
STARTED_FROM = ("profile", "films", "films_seen", "minutes", "hardware")  # kept of its record
CLIP = 10.0  # largest norm of a gradient


@dataclass(frozen=True, kw_only=True)
class Options(RunOptions):
    """The options of train.gan."""

    data: Path = option("labelled data set with train and val splits")
    extra: list[Path] = option("further data sets, to train on only", [])
    normal: list[Path] = option("data sets of images read as normal", [])
    encoder: str = option("retrieval checkpoint with a finding network", "weights/retrieval")
    localizer: str = option("what measures hearts", "weights/localizer")
    measured: int = option("images whose heart the localizer measures; 0: none", 1600)
    profile: str = option("networks and terms", "graded", choices=sorted(PROFILES))
    start: Path | None = option("generator whose weights it starts from, where they fit", None)
    out: Path = option("checkpoint folder", Path("weights/generator"))
    workdir: Path = option("state, log and samples", Path("runs/work/generator"))
    batch_size: int = option("images a process and step", 32)
    steps: int = option("at most", 20_000)
    minutes: float | None = option("at most, those before a resume too", None)
    every: int = option("steps between two evaluations", 200)
    patience: int = option("evaluations without a smaller Frechet distance before it stops", 8)
    looks: int = option("images generated for an evaluation", 640)
    view_size: int = option("side at which the guide sees images, pixels", 144)
    imagined: float = option("share of generated images that no image stands behind", 0.4)
    alone: int = option("first steps, in which the discriminator learns alone", 0)
    channels: list[int] = option("of the generator, instead of the profile's", [])
    finding_weight: float | None = option(
        "of findings being shown, instead of the profile's", None, aliases=["--show"]
    )
    ratio_weight: float | None = option("of the heart ratio, instead of the profile's", None)
    diversity_weight: float | None = option(
        "of images of one condition differing, instead of the profile's", None, aliases=["--differ"]
    )


def profile_of(options: Options, length: int, maps: tuple[int, ...]) -> Profile:
    """The profile with what the command line replaces, for conditions of a length and the guide."""
    profile = PROFILES[options.profile]
    generator = replace(profile.generator, text=length)
    if options.channels:
        generator = replace(generator, channels=tuple(options.channels))
    features = maps if profile.projected else ()
    discriminator = replace(profile.discriminator, text=length, features=features)
    given = {
        name: value
        for name in ("finding_weight", "ratio_weight", "diversity_weight")
        if (value := getattr(options, name)) is not None
    }
    return replace(profile, generator=generator, discriminator=discriminator, **given)


@dataclass(frozen=True, eq=False)
class Data:
    """What is trained on, and what the guide says of it."""

    studies: list[Study]  # N, whose images can be read
    images: np.ndarray  # uint8 [N, S, S]
    weights: np.ndarray  # float64 [N], how likely each is drawn
    seen: torch.Tensor  # float32 [N, D + F], features and log odds
    labels: torch.Tensor  # float32 [N, F]
    own: np.ndarray  # int64 [L], images of the labelled data set
    scale: Scale
    ratio: HeartRatioReading
    form: ConditionFormat | None  # None for captions
    conditions: torch.Tensor  # float32 [N, C]

    @classmethod
    def load(cls, options: Options, guide: Guide, run: Run) -> Data:
        """Read, decode, grade and measure it. Raises SystemExit where a split is empty."""
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
            key = [module_fingerprint(guide), guide.size, Path(images.filename).name]
            seen = cached_features(
                options.cache, key, lambda: {"seen": look_at_packed(guide, images)}
            )["seen"]
            ratios = _measured(options, studies)
            texts = None
            if not PROFILES[options.profile].projected:
                texts = _captions(studies, load_text_encoder(options.encoder), options.cache)
        labels = nih_labels(studies)
        features, logits = seen[:, :-COUNT], seen[:, -COUNT:]
        scale, ratio = Scale(logits, labels), HeartRatioReading(features, ratios)
        form, conditions, words = None, texts, "told by captions"
        if conditions is None:
            read = np.where(np.isfinite(ratios), ratios, ratio(features).numpy())
            mixed = mixed_severities(scale(logits), labels)
            form = condition_format(studies, read, typical_severities(mixed, labels))
            conditions = image_conditions(form, studies, mixed, read)
            words = f"heart ratio read within {ratio.error:.3f}"
        counts = ", ".join(f"{groups.count(name)} {name}" for name in dict.fromkeys(groups))
        run.print(
            f"{len(studies)} images to train on, {(~readable).sum()} unreadable, of {counts}; "
            f"{words}"
        )
        own = np.flatnonzero([options.data in study.image.parents for study in studies])
        weights = draw_weights(studies, groups)
        return cls(studies, images, weights, seen, labels, own, scale, ratio, form, conditions)

    def objective(self, profile: Profile, guide: Guide) -> AdversarialObjective:
        """The losses, with what real images with labels look like."""
        small = thumbnails(np.asarray(self.images[self.own]))
        features = self.seen[self.own, :-COUNT].numpy()
        distances = typical_distances(features, small, self.labels[self.own].numpy())
        device = guide.weight.device
        return AdversarialObjective(
            profile, guide, self.scale.to(device), self.ratio.to(device), self.form, distances
        )

    def evaluation(self, looks: int, noise: int, seed: int) -> FixedEvaluation:
        """What is generated at each evaluation: conditions of images of the labelled data set."""
        rows = np.random.default_rng(seed).choice(self.own, looks)
        wanted, asked = self.conditions[rows], None
        if self.form is not None:
            mean, deviation = self.form.heart_ratio
            asked = wanted[:, :COUNT].numpy(), (wanted[:, COUNT] * deviation + mean).numpy()
        return FixedEvaluation.of(self.seen[self.own, :-COUNT].numpy(), wanted, asked, noise, seed)


def _measured(options: Options, studies: Sequence[Study]) -> np.ndarray:
    """Heart ratios of some images, float64 [N]; NaN elsewhere, and where no heart is found."""
    rows = np.random.default_rng(options.seed).permutation(len(studies))[: options.measured]
    ratios = np.full(len(studies), np.nan)
    if not len(rows):
        return ratios
    pictures = film_pictures([studies[row] for row in rows], "frontal")
    found = measurements_of(Localizer.load(options.localizer), pictures, options.cache, "hearts")
    for row, one in zip(rows, found):
        if one.heart is not None:
            ratios[row] = one.heart.value
    return ratios


def _captions(studies: Sequence[Study], encoder: FrozenTextEncoder, cache: Path) -> torch.Tensor:
    """Embeddings of the canonical captions, float32 [N, D]."""
    texts = [caption(study) for study in studies]
    unique = sorted(set(texts), key=lambda text: (len(text), text))
    found = cached_features(
        cache, [encoder.fingerprint, *unique], lambda: {"texts": encoder.encode_text(unique)}
    )["texts"]
    places = {text: place for place, text in enumerate(unique)}
    return found[[places[text] for text in texts]].float()


def train_step(
    objective: AdversarialObjective,
    networks: tuple[nn.Module, nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
    packed: torch.Tensor,
    batch: Step,
    run: Run,
    alone: bool,
) -> dict[str, torch.Tensor]:
    """One step of the discriminator, then one of the generator.

    Args:
        objective: The losses.
        networks: Generator and discriminator, as prepared.
        optimizers: One for each.
        packed: Real images uint8 [B, S, S].
        batch: What was drawn.
        run: What steps the optimizers.
        alone: Whether the generator stays as it is.

    Returns:
        The discriminator's loss and the generator's terms, scalars by name.
    """
    generator, discriminator = networks
    rng = run.generator()
    noise = torch.randn(len(batch.rows), objective.profile.generator.noise, generator=rng)
    with run.autocast():
        with torch.set_grad_enabled(not alone):
            made = generator(noise.to(packed.device), batch.wanted)
            fake = objective.views(made, rng, pairs=True)
        with torch.no_grad():
            real = objective.views(packed[:, None].float() / 127.5 - 1, rng)
        discriminator_loss = objective.discriminator_loss(discriminator, real, fake, batch)
    run.optimize(discriminator_loss, discriminator, optimizers[1], CLIP)
    if alone:
        return {"discriminator": discriminator_loss}
    bare = run.unwrap(discriminator).requires_grad_(False)
    with run.autocast():
        terms = objective.generator_losses(bare, made, fake, batch)
        loss = objective.total(terms)
    run.optimize(loss, generator, optimizers[0], CLIP)
    bare.requires_grad_(True)
    return {"discriminator": discriminator_loss, **terms}


def begin(generator: Generator, start: Path) -> int:
    """Take over the weights of another generator where name and shape agree; how many did.

    Raises:
        SystemExit: Fewer than half do.
    """
    _, state = load_checkpoint(resolve(start))
    own = generator.state_dict()
    same = {
        name: value
        for name, value in state.items()
        if name in own and own[name].shape == value.shape and "standardise" not in name
    }
    if 2 * len(same) < len(own):
        raise SystemExit(
            f"expected a generator of the same build in {start}, {len(same)} of {len(own)} tensors "
            "fit; leave out --start"
        )
    generator.load_state_dict({**own, **same})
    return len(same)


def save(
    generator: Generator, scores: dict[str, float], data: Data, options: Options, run: Run
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
    if options.start is not None:
        before = read_config(resolve(options.start)).get("training", {})
        training["start"] = {name: before[name] for name in STARTED_FROM if name in before}
    if np.isfinite(data.ratio.error):
        training["heart_ratio_read_within"] = round(data.ratio.error, 4)
    config = {
        "findings": list(NIH_FINDINGS),
        "training": training,
        "code_version": __version__,
        "architecture": generator.config.to_dict(),
    }
    if data.form is not None:
        config["condition"] = data.form.to_dict()
    else:
        encoder = load_text_encoder(options.encoder)
        config["text_encoder"] = {
            "weights": Path(options.encoder).name,
            "sha256": encoder.fingerprint,
        }
    save_checkpoint(options.out, generator.state_dict(), config)


def guide_of(options: Options, device: torch.device) -> Guide:
    """The finding network beside the retrieval checkpoint; raises SystemExit without one."""
    network = load_finding_network(resolve(options.encoder))
    if network is None:
        raise SystemExit(
            f"expected a finding network in {options.encoder}, found none; "
            "train one: python -m train.findings --into"
        )
    return Guide(network, options.view_size, device)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the generator and write its checkpoint."""
    options = parse_options(Options, argv, __doc__, MODULE)
    run = Run(options)
    guide = guide_of(options, run.device)
    data = Data.load(options, guide, run)
    profile = profile_of(options, data.conditions.shape[1], guide.channels)
    objective = data.objective(profile, guide)
    imagine: Callable | None = data.form and partial(imagined_condition, data.form)
    generator, discriminator = (
        model.to(memory_format=torch.channels_last)
        for model in (Generator(profile.generator), Discriminator(profile.discriminator))
    )
    if options.start is not None:
        run.print(f"{begin(generator, options.start)} tensors from {options.start}")
    average = run.moving_average(generator, profile.average)
    optimizers = [
        torch.optim.Adam(model.parameters(), rate, profile.betas, fused=True)
        for model, rate in zip((generator, discriminator), profile.rates)
    ]
    generator, discriminator, *optimizers = run.prepare(generator, discriminator, *optimizers)
    for optimizer in optimizers:
        run.schedule(optimizer)
    fixed = data.evaluation(options.looks, profile.generator.noise, options.seed)
    for step in run.steps(Budget(options.steps, options.minutes)):
        generator.train(), discriminator.train()
        key = (options.seed, step, run.rank)
        batch = draw_step(
            data.conditions, data.weights, options.batch_size, options.imagined, imagine, key
        )
        packed = torch.from_numpy(np.array(data.images[batch.rows])).to(run.device)
        losses = train_step(
            objective,
            (generator, discriminator),
            optimizers,
            packed,
            batch.to(run.device),
            run,
            step < options.alone,
        )
        average.update(run.unwrap(generator), step + 1)
        run.advance(**losses)
        if run.evaluates(options.every) and run.is_main:
            scores = evaluate(average.module, guide, data.scale, data.ratio, fixed)
            run.report(scores, PANELS)
            sample = generate(average.module, fixed.noise[:GRID], fixed.wanted[:GRID])
            save_grid(sample, options.workdir / "samples" / f"{run.step:06d}.png")
            save(average.module, scores, data, options, run)
            run.improved(-scores["frechet_distance"])
            if run.stale >= options.patience:
                run.stop()

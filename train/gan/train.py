r"""Train the conditional generator: from data sets and a retrieval checkpoint to a generator.

    accelerate launch -m train.gan --profile embedded --data nih --extra adult_unlabelled covid \\
        hannover --normal adult_normal --minutes 35 --out weights/generator
    accelerate launch -m train.gan --profile reference ... --out runs/gan_reference/checkpoint \\
        --workdir runs/gan_reference

Profile "reference" is the field's DCGAN; "embedded" is what ships. Text is encoded, and films are
looked at, by a retrieval checkpoint (--encoder) that stays as it is. A killed run goes on where its
last saved state lies (--workdir). Every --every steps a grid of samples with the same noise and
captions is drawn, and the moving average of the weights with the smallest Frechet distance to real
films, on captions of the validation split, becomes the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, set_seed
from tqdm import tqdm

from cxr import __version__
from cxr.checkpoints import load_dual_encoder, load_text_encoder, save_checkpoint
from cxr.files import replace_folder
from cxr.findings import FINDINGS, caption
from cxr.images import Preprocess
from cxr.models import SIDE, Discriminator, Generator
from train.common.energy import hardware
from train.common.image_cache import pack
from train.common.options import command_line, precision
from train.common.record import Record
from train.common.studies import labels_of
from train.evaluate.generator_measures import thumbnails
from train.gan.data import TextBank, draw_step, draw_weights, generator_studies
from train.gan.frozen_encoder import Findings, FrozenEncoder, embed_once, typical_distances
from train.gan.objective import PROFILES, AdversarialObjective, moving_average
from train.gan.validation import FixedEvaluation, generate, look, save_grid

COMMAND = "accelerate launch -m train.gan"
PANELS = {
    "losses": ("discriminator", "fool", "match", "show", "differ"),
    "Frechet distance": ("frechet_distance",),
    "captions": ("finding_auroc", "caption_spread"),
}
VIEW = Preprocess(SIDE, 0.5, 0.5, 1)  # [-1, 1]


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, help="labelled data set with train and val splits")
    add("--extra", type=Path, nargs="*", default=[], help="further data sets, to train on only")
    add("--normal", type=Path, nargs="*", default=[], help="data sets of films read as normal")
    add("--encoder", default="weights/retrieval", help="retrieval checkpoint, beside --out")
    add("--profile", choices=sorted(PROFILES), default="embedded")
    add("--out", type=Path, default=Path("weights/generator"), help="checkpoint folder")
    add("--workdir", type=Path, default=Path("runs/work/generator"), help="state, log, samples")
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--batch-size", type=int, default=32, help="films a process and step")
    add("--steps", type=int, default=20_000, help="at most")
    add("--minutes", type=float, default=float("inf"), help="at most, those before a resume too")
    add("--every", type=int, default=200, help="steps between looks at the samples")
    add("--patience", type=int, default=8, help="looks without improvement before it stops")
    add("--looks", type=int, default=480, help="films generated for a look")
    add("--view-size", type=int, default=112, help="side at which the encoder looks, pixels")
    add("--texts", type=int, default=3, help="texts for each film")
    add("--imagined", type=float, default=0.15, help="share of captions that belong to no film")
    add("--channels", type=int, nargs="*", help="of the generator, instead of the profile's")
    add("--match", type=float, help="weight of caption matching, instead of the profile's")
    add("--show", type=float, help="weight of single findings, instead of the profile's")
    add("--differ", type=float, help="weight of films of one text differing, likewise")
    add("--full-precision", action="store_true", help="float32 also where bfloat16 is faster")
    add("--save-minutes", type=float, default=5.0)
    add("--seed", type=int, default=0)
    return parser


def profile_of(options: argparse.Namespace, dimension: int, maps: tuple[int, ...]):
    """The profile with what the command line replaces, for the encoder at hand."""
    profile = PROFILES[options.profile]
    generator = replace(profile.generator, text=dimension)
    if options.channels:
        generator = replace(generator, channels=tuple(options.channels))
    features = maps if profile.projected else ()
    discriminator = replace(profile.discriminator, text=dimension, features=features)
    given = {
        name: value
        for name in ("match", "show", "differ")
        if (value := getattr(options, name)) is not None
    }
    return replace(profile, generator=generator, discriminator=discriminator, **given)


def main(argv: list[str] | None = None) -> None:
    options = arguments().parse_args(argv)
    set_seed(options.seed)
    accelerator = Accelerator(mixed_precision=precision(options.full_precision))
    device, rank, main_process = (
        accelerator.device,
        accelerator.process_index,
        accelerator.is_main_process,
    )
    studies, groups, val = generator_studies(options.data, options.extra, options.normal)
    if "labelled" not in groups or not val:
        raise SystemExit(
            f"expected labelled films to train on and to validate with in "
            f"{options.data}; found {groups.count('labelled')} and {len(val)}"
        )
    dual, _ = load_dual_encoder(options.encoder)
    tower, temperature = load_text_encoder(options.encoder), dual.temperature.item()
    eye = FrozenEncoder(dual, options.view_size, device)
    labelled = np.flatnonzero(np.array(groups) == "labelled")
    with accelerator.main_process_first():
        films, readable = pack([s.image for s in studies], VIEW, options.cache)
        bank = TextBank.of(studies, tower, options.texts, 2000, options.seed, options.cache)
        real = embed_once(eye, films[labelled], options.workdir / "real.npy")
    weights = draw_weights(studies, groups) * readable
    weights /= weights.sum()
    accelerator.print(
        f"{len(studies)} films to train on, {(~readable).sum()} unreadable, of "
        + ", ".join(f"{groups.count(g)} {g}" for g in dict.fromkeys(groups))
    )

    profile = profile_of(options, tower.dimension, eye.channels)
    findings = Findings.of(tower.encode_text, real, bank.labels[labelled]).to(device)
    small = thumbnails(np.asarray(films[labelled]))
    apart = typical_distances(real, small, bank.labels[labelled].numpy())
    game = AdversarialObjective(profile, eye, findings, temperature, apart)
    generator, discriminator = Generator(profile.generator), Discriminator(profile.discriminator)
    average = moving_average(generator, profile.average).to(device)
    generator, discriminator = (
        model.to(memory_format=torch.channels_last) for model in (generator, discriminator)
    )
    optimizers = [
        torch.optim.Adam(model.parameters(), rate, profile.betas, fused=True)
        for model, rate in zip((generator, discriminator), profile.rates)
    ]
    generator, discriminator, *optimizers = accelerator.prepare(
        generator, discriminator, *optimizers
    )
    bare = accelerator.unwrap_model(discriminator)
    accelerator.register_for_checkpointing(average)

    own = [row for row in labelled if studies[row].source == val[0].source]
    fixed = torch.Generator().manual_seed(options.seed)
    asked = [val[place % len(val)] for place in range(options.looks)]
    yardstick = FixedEvaluation(
        real[np.isin(labelled, own)],
        tower.encode_text([caption(study) for study in asked]),
        torch.randn(options.looks, profile.generator.noise, generator=fixed),
        labels_of(asked).numpy(),
        len(val),
        apart[0],
    )
    random.Random(options.seed).shuffle(order := list(range(options.looks)))
    grid = order[:32]

    state, done, best, stale, spent = options.workdir / "state", 0, float("inf"), 0, 0.0
    if (state / "position.json").exists():
        accelerator.load_state(str(state))
        position = json.loads((state / "position.json").read_text())
        done, best, stale, spent = (position[k] for k in ("step", "best", "stale", "seconds"))
        accelerator.print(f"going on after step {done} of {options.steps}")
    record = Record(options.workdir) if main_process else None
    began = saved = time.time()

    def save_position(step: int) -> None:
        """The state appears whole or not at all."""
        new = options.workdir / "state.new"
        if main_process:
            shutil.rmtree(new, ignore_errors=True)
        accelerator.wait_for_everyone()
        accelerator.save_state(str(new))
        accelerator.wait_for_everyone()
        if main_process:
            position = {
                "step": step,
                "best": best,
                "stale": stale,
                "seconds": spent + time.time() - began,
            }
            (new / "position.json").write_text(json.dumps(position))
            replace_folder(new, state)
        accelerator.wait_for_everyone()

    def save_best(step: int, scores: dict[str, float]) -> None:
        training = {
            "command": command_line(COMMAND, options, arguments()),
            "profile": options.profile,
            "data": [root.name for root in (options.data, *options.extra, *options.normal)],
            "films": len(studies),
            "step": step,
            "films_seen": step * options.batch_size * accelerator.num_processes,
            "minutes": round((spent + time.time() - began) / 60),
            "hardware": hardware(),
            "validation": {name: round(value, 5) for name, value in scores.items()},
        }
        text = {"weights": Path(options.encoder).name, "sha256": tower.fingerprint}
        save_checkpoint(
            options.out,
            average.module.state_dict(),
            {
                "findings": list(FINDINGS),
                "training": training,
                "code_version": __version__,
                "text_encoder": text,
                "architecture": profile.generator.to_dict(),
            },
        )

    bar = tqdm(total=options.steps, initial=done, disable=not main_process, unit="step")
    for step in range(done, options.steps):
        generator.train(), discriminator.train()
        key = (options.seed, step, rank)
        batch = draw_step(bank, weights, options.batch_size, options.imagined, key).to(device)
        rng = torch.Generator().manual_seed(hash(key) % 2**62)
        noise = torch.randn(options.batch_size, profile.generator.noise, generator=rng).to(device)
        packed = torch.from_numpy(np.array(films[batch.rows])).to(device)
        with accelerator.autocast():
            made = generator(noise, batch.wanted)
            fake = game.views(made, rng, pairs=True)
            with torch.no_grad():
                truth = game.views(packed[:, None].float() / 127.5 - 1, rng)
            discriminator_loss = game.discriminator_loss(discriminator, truth, fake, batch)
        accelerator.backward(discriminator_loss)
        accelerator.clip_grad_norm_(discriminator.parameters(), 10.0)
        optimizers[1].step()
        optimizers[1].zero_grad()
        bare.requires_grad_(False)
        with accelerator.autocast():
            terms = game.generator_losses(bare, made, fake, batch)
            loss = game.total(terms)
        accelerator.backward(loss)
        bare.requires_grad_(True)
        if not torch.isfinite(loss + discriminator_loss):
            raise SystemExit(f"loss is not finite at step {step}; try --full-precision")
        accelerator.clip_grad_norm_(generator.parameters(), 10.0)
        optimizers[0].step()
        optimizers[0].zero_grad()
        average.update_parameters(accelerator.unwrap_model(generator))
        bar.update()
        if record and step % 10 == 0:
            record.add(
                step,
                discriminator=discriminator_loss.item(),
                **{name: value.item() for name, value in terms.items()},
            )
        # The first process's clock decides for all.
        clock = torch.tensor(
            [
                spent + time.time() - began > 60 * options.minutes,
                time.time() - saved > 60 * options.save_minutes,
            ]
        ).float()
        late, due = broadcast(clock.to(device)).bool().tolist()
        last = late or step + 1 == options.steps
        if last or (step + 1) % options.every == 0:
            scores = look(average.module, eye, findings, yardstick)
            better = scores["frechet_distance"] < best
            best, stale = (scores["frechet_distance"], 0) if better else (best, stale + 1)
            if main_process:
                sample = generate(average.module, yardstick.noise[grid], yardstick.text[grid])
                save_grid(sample, options.workdir / "samples" / f"{step + 1:06d}.png")
                if better:
                    save_best(step + 1, scores)
                record.add(step, seconds=spent + time.time() - began, **scores)
                record.plot(PANELS)
                bar.write(
                    f"step {step + 1}: "
                    + json.dumps({name: round(value, 4) for name, value in scores.items()})
                )
            last = last or stale >= options.patience
        if last or due:
            save_position(step + 1)
            saved = time.time()
        if last:
            break
    accelerator.end_training()

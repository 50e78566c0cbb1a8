r"""Phase 2 of the localizer: a U-Net learns to mark what a text names (Dice + BCE).

    accelerate launch -m train.localizer --data ROOT --out weights/localizer --minutes 25

--data has masks with train and val splits; --extra further masks (train split only); --normal films
read as normal, where every opacity is absent; --boxes films with boxes around opacities (weak
supervision, train split only); --taught films whose masks an earlier localizer draws. A target that
a film does not show is learned as an empty mask. Prompts are worded anew at every draw, for sides
and zones too; films are mirrored only when what is asked has no side (--mirrored-share). The text
encoder is frozen: all prompts are encoded once. The validation split chooses the moment whose
averaged weights become the checkpoint. A run that was killed goes on where its last saved state
lies (--workdir).

The shipped weights, from the films below ../shared/data and phase 1's encoder: an earlier localizer
draws the anatomy of films without masks, from which this one learns beside those drawn by hand. Its
card names every run before it. A reading of the frozen image encoder comes beside the U-Net, and a
second run with a fold left out helps to say where the maps cross 0.5.

    M="--data ../shared/data/anatomy --extra ../shared/data/lungs --extra-share 0.08 \\
       --normal ../shared/data/nih ../shared/data/adult_normal --encoder runs/autoencoder \\
       --boxes ../shared/data/nih ../shared/data/tuberculosis --boxes-share 0.08 --average 0.99 \\
       --taught ../shared/data/covid ../shared/data/hannover --taught-anatomy --taught-share 0.2 \\
       --teacher runs/earlier --mirrored-share 0.4 --train-sizes 192 192 256"
    R="--normal ../shared/data/nih ../shared/data/adult_normal \\
       --boxes ../shared/data/nih ../shared/data/tuberculosis --data ../shared/data/anatomy"
    accelerate launch -m train.localizer $M --minutes 42
    accelerate launch -m train.localizer $M --minutes 22 --fold 4/4 --out runs/four \\
        --workdir runs/work/four
    python -m train.localizer.dense_probe $R
    python -m train.localizer.dense_probe $R --weights runs/four
    python -m train.localizer.offsets --data ../shared/data/anatomy --text weights/retrieval \\
        --folds runs/four

`--train-sizes 192 192 256` begins with small films, twice as fast a step as with large ones, and
ends with the size that is served. The card's table compares short runs (--steps 200): with
`--encoder none`, with `--shuffle-text`, and with every --fusion, of which `none` is the plain U-Net
with one output a target.
"""

from __future__ import annotations

import json
import random

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from cxr.anatomy import TARGETS
from cxr.checkpoints import load_text_encoder
from cxr.images import Preprocess
from cxr.models import LocalizerConfig, TextGuidedUNet, dice_bce
from train.common.augment import random_affine, random_tone
from train.common.launch import start_processes
from train.common.options import command_line, precision
from train.common.record import Record
from train.common.schedule import Budget, Clock, warm_average
from train.common.state import POSITION, decided, save_state
from train.localizer.batch_sampler import Batch, BatchSampler
from train.localizer.options import arguments
from train.localizer.prompts import TextBank, weighted_queries, wordings
from train.localizer.saving import (
    about_run,
    load_encoder,
    load_sets,
    load_taught,
    save_localizer,
)
from train.localizer.validation import judge, predict, save_samples

COMMAND = "accelerate launch -m train.localizer"
PANELS = {
    "loss": ("loss",),
    "validation": ("score", "false_marks"),
    "validation, Dice": tuple(f"dice {target}" for target in TARGETS),
}


def varied(
    batch: Batch, generator: torch.Generator, device: torch.device, size: int | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Films and masks moved together, films varied in tone: float [B, 1, s, s] and [B, P, s, s] in
    [0, 1]; never mirrored here.
    """
    layers = torch.cat([batch.films[:, None], batch.masks], 1).to(device).float() / 255
    layers = random_affine(layers, generator, 15, (0.75, 1.2), 0.08)
    if size and size != layers.shape[-1]:
        layers = F.interpolate(layers, size=size, mode="bilinear", antialias=True)
    films = random_tone(layers[:, :1], generator, 0.35, 0.15, 0.4, 0.03)
    return films, layers[:, 1:]


def size_at(used: float, sizes: list[int]) -> int | None:
    """The side to train at when a share `used` of the budget is used; None: that of the films."""
    return sizes[min(int(used * len(sizes)), len(sizes) - 1)] if sizes else None


def main(argv: list[str] | None = None) -> None:
    start_processes("train.localizer")
    options = arguments().parse_args(argv)
    budget = Budget(options.steps, options.minutes)
    if any(size < 64 or size % 32 for size in options.train_sizes):
        raise SystemExit(f"expected --train-sizes that 32 divides; got {options.train_sizes}")
    set_seed(options.seed)
    accelerator = Accelerator(mixed_precision=precision(options.full_precision))
    device, rank = accelerator.device, accelerator.process_index
    plain = options.fusion == "none"
    if plain and options.mirrored_share:
        raise SystemExit(
            "expected no --mirrored-share with --fusion none, which is always asked "
            "for sides; leave it out"
        )
    if bool(options.taught) != bool(options.teacher) or (plain and options.taught):
        raise SystemExit("expected --taught and --teacher together, and a fusion that reads text")
    view = Preprocess(options.size, 0.5, 0.25, 1)
    tower = bank = None
    with accelerator.main_process_first():
        sets, val = load_sets(options, view)
        if not plain:
            tower = load_text_encoder(options.text)
            texts = {text for query in weighted_queries() for text in wordings(query)}
            bank = TextBank(tower, texts, options.cache)
        if options.taught:
            sets.append(load_taught(options, view, bank, device))
    if not len(sets[0]) or not len(val):
        raise SystemExit(
            f"expected films to train on and to validate with in {options.data}; "
            f"found {len(sets[0])} and {len(val)}"
        )
    accelerator.print(
        f"{' + '.join(str(len(part)) for part in sets)} films to train on, "
        f"{len(val)} to validate with"
    )
    further = [
        share if len(part) else 0
        for part, share in zip(
            sets[1:],
            (options.extra_share, options.normal_share, options.boxes_share, options.taught_share),
        )
    ]
    shares = [1 - sum(further), *further]
    drawer = BatchSampler(sets, shares, options.prompts, plain, options.mirrored_share)

    config = LocalizerConfig(
        options.backbone,
        view,
        options.fusion,
        TARGETS if plain else (),
        tower.dimension if tower else 512,
    )
    model = TextGuidedUNet(config)
    if options.encoder != "none":
        load_encoder(model, options.encoder)
    model = model.to(memory_format=torch.channels_last)
    average = AveragedModel(model, multi_avg_fn=warm_average(options.average), use_buffers=True).to(
        device
    )
    encoder = list(model.encoder.parameters())
    rest = [p for name, p in model.named_parameters() if not name.startswith("encoder.")]
    rates = (options.encoder_rate, options.rate)
    optimizer = torch.optim.AdamW(
        [{"params": encoder}, {"params": rest}],
        options.rate,
        weight_decay=options.weight_decay,
        fused=True,
    )
    model, optimizer = accelerator.prepare(model, optimizer)
    accelerator.register_for_checkpointing(average)
    unwrapped = accelerator.unwrap_model(model)

    state, step, best, spent = options.workdir / "state", 0, -1.0, 0.0
    if (state / POSITION).exists():
        accelerator.load_state(str(state))
        position = json.loads((state / POSITION).read_text())
        step, best, spent = position["step"], position["best"], position["seconds"]
        accelerator.print(f"going on after step {step}")
    record = Record(options.workdir) if accelerator.is_main_process else None
    clock, saved = Clock(spent), spent

    def look(seconds: float) -> float:
        """Judge the averaged weights at the size that they are trained at; at the last of
        --train-sizes the best so far become the checkpoint, and at the served size they are
        judged.
        """
        size = size_at(budget.used(step, seconds), options.train_sizes)
        last = not size or size == options.train_sizes[-1]
        with accelerator.autocast():
            maps = predict(average.module, val.films, bank, device, None if last else size)
        scores = judge(maps, val)
        record.add(step, seconds=seconds, **scores)
        record.plot(PANELS)
        bar.write(f"step {step}: " + json.dumps({k: round(v, 3) for k, v in scores.items()}))
        if last and scores["score"] > best:
            save_samples(maps, val, options.workdir / "samples.png")
            command = command_line(COMMAND, options, arguments())
            training = about_run(command, options, step, seconds, sets, scores["score"])
            save_localizer(average.module, options.out, options.text, tower, training)
        return max(best, scores["score"]) if last else best

    bar = tqdm(disable=not accelerator.is_main_process, unit="step", initial=step)
    while (used := budget.used(step, seconds := clock.seconds(accelerator))) < 1:
        model.train()
        generator = torch.Generator().manual_seed(hash((options.seed, step, rank)) % 2**62)
        batch = drawer.draw(options.batch_size, random.Random(f"{options.seed} {step} {rank}"))
        films, masks = varied(batch, generator, device, size_at(used, options.train_sizes))
        pixels = ((films - view.mean) / view.std).contiguous(memory_format=torch.channels_last)
        text = torch.empty(len(films), masks.shape[1], 0, device=device)
        if bank is not None:
            rows = bank(batch.prompts)
            if options.shuffle_text:
                rows = bank.rows[torch.randint(len(bank.rows), (len(rows),), generator=generator)]
            text = rows.unflatten(0, tuple(masks.shape[:2])).to(device)
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate * budget.rate(used)
        with accelerator.autocast():
            logits = model(pixels, text)
        loss = dice_bce(
            logits.float().flatten(0, 1), masks.flatten(0, 1), batch.weights.flatten().to(device)
        )
        if not torch.isfinite(loss):
            raise SystemExit(f"loss is {loss.item()} at step {step}; lower the learning rates")
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.update_parameters(unwrapped)
        step += 1
        bar.update()
        if record and step % 10 == 0:
            record.add(step, loss=loss.item(), seconds=seconds)
        if record and step % options.look_every == 0:
            best = look(seconds)
        if decided(accelerator, seconds - saved > 60 * options.save_minutes):
            save_state(accelerator, state, {"step": step, "best": best, "seconds": seconds})
            saved = seconds

    if record and step % options.look_every:
        best = look(seconds)
    save_state(accelerator, state, {"step": step, "best": best, "seconds": seconds})
    accelerator.end_training()

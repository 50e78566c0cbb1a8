"""Train an image backbone without labels: two views of one film are a pair (SimCLR).

    accelerate launch -m train.experiments.selfsupervised --data ROOT [ROOT ...] --out runs/resnet50

Source: Chen et al. 2020, "A Simple Framework for Contrastive Learning". Resumes from the
last epoch in --out; writes backbone.safetensors, log.csv and progress to the terminal.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

from cxr.images import Preprocess
from cxr.models import ImageConfig, ImageEncoder, contrastive_loss
from train.common.augment import augment
from train.common.image_cache import pack
from train.common.options import precision

SUFFIXES = {".jpg", ".jpeg", ".png"}


def films_below(roots: list[Path]) -> list[Path]:
    """Every picture below the roots, masks left out, in a stable order."""
    found = {
        path
        for root in roots
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES and "masks" not in path.parts
    }
    if not found:
        raise SystemExit(f"expected pictures below {[str(root) for root in roots]}; found none")
    return sorted(found)


def held_out(roots: list[Path], listed: Path | None) -> set[str]:
    """Stems of the films that must not be trained on: those that a root's split.csv does not put
    into train, and the file names in `listed`, one a line.
    """
    names = listed.read_text().split() if listed else []
    for root in roots:
        if (root / "split.csv").exists():
            with open(root / "split.csv", newline="", encoding="utf-8") as file:
                names += [
                    row["Image Index"] for row in csv.DictReader(file) if row["split"] != "train"
                ]
    return {Path(name).stem for name in names}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--exclude", type=Path, help="file with names of films to leave out")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--backbone", default="resnet50")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch-size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--temperature", type=float, default=0.1)
    parser.add_argument("--cache", type=Path, default=Path(".cache/packed"))
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    set_seed(options.seed)
    accelerator = Accelerator(mixed_precision=precision(False))
    preprocess = Preprocess(options.size, 0.5, 0.25, 3)
    excluded = held_out(options.data, options.exclude)
    paths = [path for path in films_below(options.data) if path.stem not in excluded]
    films, readable = pack(paths, preprocess, options.cache)
    rows = torch.arange(len(films))
    accelerator.print(f"{len(rows)} films, {(~readable).sum()} unreadable")

    encoder = ImageEncoder(ImageConfig(options.backbone, preprocess))
    head = nn.Sequential(nn.Linear(encoder.width, 512), nn.ReLU(), nn.Linear(512, 128))
    model = nn.Sequential(encoder, head).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), options.learning_rate, weight_decay=1e-4)
    loader = DataLoader(TensorDataset(rows), options.batch_size, shuffle=True, drop_last=True)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    generator = torch.Generator().manual_seed(options.seed + accelerator.process_index)
    total = options.epochs * len(loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, total)
    state, first = options.out / "state", 0
    if (state / "epoch.txt").exists():
        accelerator.load_state(str(state))
        first = int((state / "epoch.txt").read_text())
        for _ in range(first * len(loader)):
            schedule.step()

    start, step, losses = time.time(), first * len(loader), []
    for epoch in range(first, options.epochs):
        for (batch,) in tqdm(loader, f"epoch {epoch + 1}", disable=not accelerator.is_main_process):
            packed = torch.from_numpy(films[batch.cpu().numpy()]).to(accelerator.device)
            pair = torch.cat([augment(packed, generator, 1.8), augment(packed, generator, 1.8)])
            pixels = (pair.expand(-1, 3, -1, -1) - preprocess.mean) / preprocess.std
            with accelerator.autocast():
                out = model(pixels.contiguous(memory_format=torch.channels_last))
            one, other = F.normalize(out.float(), dim=1).chunk(2)
            loss = contrastive_loss(one, other, options.temperature)
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            step += 1
            losses.append([step, round(time.time() - start, 1), round(loss.item(), 4)])
            if time.time() - start > 60 * options.minutes:
                break
        if accelerator.is_main_process:
            options.out.mkdir(parents=True, exist_ok=True)
            weights = accelerator.unwrap_model(model)[0].backbone.state_dict()
            save_file(
                {name: value.contiguous() for name, value in weights.items()},
                str(options.out / "backbone.safetensors"),
            )
            with open(options.out / "log.csv", "a", newline="") as file:
                csv.writer(file).writerows(losses)
            losses.clear()
        accelerator.save_state(str(state))
        (state / "epoch.txt").write_text(str(epoch + 1))
        if time.time() - start > 60 * options.minutes:
            break


if __name__ == "__main__":
    main()

r"""Starting points side by side: frozen image features, one recipe for the heads, one table.

    python -m train.experiments.compare --data ROOT --out runs/trials.json \\
        --image dinov2=vit_small_patch14_dinov2:runs/start/dinov2-small ... \\
        --text minilm=runs/start/minilm ...

The first --text goes with every --image, further texts with the first --image. Rows are appended
to --out as they are measured on the validation split; a row that is there already is not redone.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from cxr.checkpoints import load_dual_encoder
from cxr.images import Preprocess
from cxr.models import ImageConfig
from train.common.image_cache import pack_studies
from train.common.studies import Attributes, training_studies
from train.retrieval import profiles as building
from train.retrieval.frozen_features import image_features
from train.retrieval.objective import TrainingModel, Weights, terms
from train.retrieval.texts import draw
from train.retrieval.validation import judge, validate


class Features(nn.Module):
    """Stands in the place of an image encoder whose features were extracted beforehand."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[B, width], unchanged."""
        return features


def image_start(entry: str, text_model: str, size: int) -> tuple[str, building.Start]:
    """ "name=backbone:weights" -> (name, Start); transformers pool their class token too."""
    name, _, rest = entry.partition("=")
    backbone, _, weights = rest.partition(":")
    pooling = ("cls", "mean", "max") if "vit" in backbone else ("mean", "max")
    layers = (8, 11) if "vit" in backbone else ()
    image = ImageConfig(backbone, Preprocess(size, 0.449, 0.226, 3), pooling, layers)
    return name, building.Start(image, weights, text_model, "mean", 96)


def trial(start: building.Start, train, val, cache: Path, steps: int, seed: int) -> dict:
    """Features once, then heads and the upper text layers: scores on val, and the seconds."""
    torch.manual_seed(seed)
    begun = time.time()
    model = building.build(start, dropout=0.1, learn_temperature=True).eval()
    building.freeze_below(model, 0, 3)
    preprocess = start.image.preprocess
    (train, films, _), (val, val_films, _) = (
        pack_studies(part, preprocess, cache) for part in (train, val)
    )
    features, val_features = (image_features(model, part) for part in (films, val_films))
    model.image_encoder = Features(model.image_encoder.width)
    training = TrainingModel(model).train()
    known, weights = Attributes.of(train), asdict(Weights())
    slow = [p for p in model.text_encoder.parameters() if p.requires_grad]
    fast = [p for n, p in training.named_parameters() if "text_encoder" not in n]
    optimizer = torch.optim.AdamW(
        [{"params": slow, "lr": 5e-5}, {"params": fast, "lr": 1e-3}], weight_decay=0.05
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [5e-5, 1e-3], steps)
    generator, rng = torch.Generator().manual_seed(seed), random.Random(seed)
    for _ in tqdm(range(steps), "heads"):
        rows = torch.randperm(len(train), generator=generator)[:64]
        chosen = [train[row] for row in rows.tolist()]
        with torch.autocast("cpu", torch.bfloat16):
            parts = terms(
                training,
                model.text_encoder.tokenize,
                features[rows],
                chosen,
                known.rows(rows),
                draw(chosen, 16, rng),
            )
        loss = sum(weights[name] * value for name, value in parts.items())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        images = model.encode_image(val_features).numpy()
    return {**judge(model, images, val), "minutes": (time.time() - begun) / 60}


def keep(rows: list[dict], row: dict, out: Path) -> None:
    """Append a row and write the table."""
    rows.append(row)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    print(json.dumps(row))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--image", nargs="+", required=True, metavar="NAME=BACKBONE:WEIGHTS")
    parser.add_argument("--text", nargs="+", required=True, metavar="NAME=MODEL")
    parser.add_argument(
        "--trained",
        nargs="*",
        default=[],
        metavar="NAME=HOW=CHECKPOINT",
        help="checkpoints to put beside them",
    )
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--cache", type=Path, default=Path(".cache/packed"))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = json.loads(options.out.read_text("utf-8")) if options.out.exists() else []
    train, val, _ = training_studies(options.data, [])
    for entry in options.trained:
        name, how, weights = entry.split("=")
        model, config = load_dual_encoder(weights)
        read, films, _ = pack_studies(val, model.preprocess, options.cache)
        scores = validate(model, films, read, torch.device("cpu"))
        rows = [row for row in rows if row["name"] != name]
        keep(
            rows,
            {"name": name, "how": how, **scores, "minutes": config["training"]["minutes"]},
            options.out,
        )
    texts = [entry.partition("=")[::2] for entry in options.text]
    pairs = [(image, texts[0]) for image in options.image]
    pairs += [(options.image[0], text) for text in texts[1:]]
    for entry, (text_name, text_model) in pairs:
        image_name, start = image_start(entry, text_model, options.size)
        name = f"{image_name} + {text_name}"
        if name in [row["name"] for row in rows]:
            continue
        scores = trial(start, train, val, options.cache, options.steps, options.seed)
        how = f"frozen, heads for {options.steps} steps"
        keep(rows, {"name": name, "how": how, **scores}, options.out)


if __name__ == "__main__":
    main()

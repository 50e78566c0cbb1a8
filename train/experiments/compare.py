r"""Starting points side by side: frozen image features, one recipe for the heads, one table.

    python -m train.experiments.compare --data ROOT --out runs/trials.json \\
        --image dinov2=vit_small_patch14_dinov2:runs/start/dinov2-small ... \\
        --text minilm=runs/start/minilm ...

The first --text goes with every --image, further texts with the first --image. Rows are appended
to --out as they are measured on the validation split; a row that is there already is not redone.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from tqdm import tqdm

from cxr.checkpoints import load_dual_encoder
from cxr.findings import Study
from cxr.images import Preprocess
from cxr.models import ImageConfig
from train.common.image_cache import pack_studies
from train.common.options import option, parse_options
from train.common.studies import Attributes, training_studies
from train.retrieval import profiles
from train.retrieval.frozen_features import image_features
from train.retrieval.objective import LossWeights, TrainingModel, loss_terms
from train.retrieval.texts import draw_texts
from train.retrieval.validation import score_embeddings, validate

MODULE = "train.experiments.compare"


class Features(nn.Module):
    """Takes the place of an image encoder whose features were extracted beforehand."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features [B, width], unchanged."""
        return features


def image_start(entry: str, text_model: str, size: int) -> tuple[str, profiles.Start]:
    """Read "name=backbone:weights"; transformers pool their class token too."""
    name, _, rest = entry.partition("=")
    backbone, _, weights = rest.partition(":")
    pooling = ("cls", "mean", "max") if "vit" in backbone else ("mean", "max")
    layers = (8, 11) if "vit" in backbone else ()
    image = ImageConfig(backbone, Preprocess(size, 0.449, 0.226, 3), pooling, layers)
    return name, profiles.Start(image, weights, text_model, "mean", 96)


def trial(start: profiles.Start, train, val, cache: Path, steps: int, seed: int) -> dict:
    """Features once, then heads and the upper text layers: scores on val, and the seconds."""
    torch.manual_seed(seed)
    begun = time.time()
    model = profiles.build(start, dropout=0.1, learn_temperature=True).eval()
    profiles.freeze_below(model, 0, 3)
    preprocess = start.image.preprocess
    (train, images, _), (val, val_images, _) = (
        pack_studies(part, preprocess, cache) for part in (train, val)
    )
    features, val_features = (image_features(model, part) for part in (images, val_images))
    model.image_encoder = Features(model.image_encoder.width)
    training = TrainingModel(model).train()
    known, weights = Attributes.of(train), asdict(LossWeights())
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
            parts = loss_terms(
                training,
                model.text_encoder.tokenize,
                features[rows],
                chosen,
                known.rows(rows),
                draw_texts(chosen, 16, rng),
            )
        loss = sum(weights[name] * value for name, value in parts.items())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        embeddings = model.encode_image(val_features).numpy()
    return {**score_embeddings(model, embeddings, val), "minutes": (time.time() - begun) / 60}


def keep(rows: list[dict], row: dict, out: Path) -> None:
    """Append a row and write the table."""
    rows.append(row)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    print(json.dumps(row))


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.experiments.compare."""

    data: Path = option("data set with train and val splits")
    out: Path = option("table, as JSON")
    image: list[str] = option("NAME=BACKBONE:WEIGHTS")
    text: list[str] = option("NAME=MODEL")
    trained: list[str] = option("NAME=HOW=CHECKPOINT, to put beside them", [])
    size: int = option("side of the square in pixels", 224)
    steps: int = option("of training", 200)
    cache: Path = option("decoded images", Path(".cache/packed"))
    seed: int = option("of every random draw", 0)


def add_trained(rows: list[dict], val: list[Study], options: Options) -> list[dict]:
    """The rows, with those of --trained in place of former ones."""
    for entry in options.trained:
        name, how, weights = entry.split("=")
        model, config = load_dual_encoder(weights)
        read, images, _ = pack_studies(val, model.preprocess, options.cache)
        scores = validate(model, images, read, torch.device("cpu"))
        rows = [row for row in rows if row["name"] != name]
        row = {"name": name, "how": how, **scores, "minutes": config["training"]["minutes"]}
        keep(rows, row, options.out)
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every starting point that is not in the table."""
    options = parse_options(Options, argv, __doc__, MODULE)
    rows = json.loads(options.out.read_text("utf-8")) if options.out.exists() else []
    train, val, _ = training_studies(options.data, [])
    rows = add_trained(rows, val, options)
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

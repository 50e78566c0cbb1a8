r"""Second stage: the projection heads alone, on features extracted once, with large batches.

    python -m train.retrieval.finetune_heads --data ROOT --weights runs/first/checkpoint \\
        --out weights/retrieval

A batch of 32 holds few studies of like age and findings; features that were extracted once make
batches of hundreds cheap, so that the heads learn to tell those apart. The encoders stay as they
are. The validation split chooses the step.
"""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from timm.utils import ModelEmaV3
from torch import nn
from tqdm import tqdm

from cxr import __version__
from cxr.checkpoints import load_dual_encoder, save_dual_encoder
from cxr.devices import best_device
from cxr.findings import FINDINGS, Study, caption, demographics
from cxr.models import DualEncoder, contrastive_loss, masked_bce
from train.common.feature_cache import cached_features, module_fingerprint
from train.common.image_cache import pack, pack_studies
from train.common.options import command_line, option, parse_options
from train.common.studies import labels_of, training_studies
from train.retrieval.frozen_features import image_features, study_text_features, text_features
from train.retrieval.objective import equal_keys, findings_key, prompt_texts
from train.retrieval.paraphrases import text_pair
from train.retrieval.profiles import copy_text
from train.retrieval.validation import score_embeddings, search_settings

MODULE = "train.retrieval.finetune_heads"
PAIRS = 3000  # imagined studies, each with a paraphrase


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.retrieval.finetune_heads."""

    data: Path = option("data set with train and val splits")
    extra: list[Path] = option("further data sets, for age, sex and view", [])
    weights: str = option("checkpoint whose heads are trained further")
    out: Path = option("checkpoint folder")
    cache: Path = option("decoded images and features", Path(".cache/packed"))
    lock_text: bool = option("train the images' projection alone", False)
    views: int = option("of each image: plain and augmented", 2)
    texts: int = option("canonical and other texts of each study", 8)
    batch_size: int = option("studies a step", 384)
    steps: int = option("of training", 400)
    rate: float = option("highest learning rate", 3e-4)
    weight_decay: float = option("of AdamW", 0.05)
    prompt: float = option('weight of "X" against "no X"', 1.0)
    person: float = option("weight of age, sex and view alone", 0.5)
    average: float = option("decay of the weights' moving average", 0.98)
    every: int = option("steps between two evaluations", 100)
    seed: int = option("of every random draw", 0)


@dataclass(frozen=True)
class Corpus:
    """Features of N studies with V views and K texts each, and which are no negatives."""

    views: torch.Tensor  # [V, N, image width]
    texts: torch.Tensor  # [K, N, text width]; the first is canonical
    keys: Sequence[str | None]  # equal keys are no negatives
    labels: torch.Tensor | None  # [N, F]

    def draw(self, rows: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Draw a view of each study, and half the time its canonical text, else another.

        Args:
            rows: int64 [B].
            generator: What is drawn from.

        Returns:
            Views float32 [B, image width] and texts float32 [B, text width].
        """
        views = torch.randint(len(self.views), (len(rows),), generator=generator)
        texts = torch.randint(len(self.texts), (len(rows),), generator=generator)
        texts[torch.rand(len(rows), generator=generator) < 0.5] = 0
        return self.views[views, rows], self.texts[texts, rows]


def without_labels(study: Study) -> Study:
    """The same study as if nobody had read it: age, sex and view are left."""
    return replace(study, findings={}, report=None)


def heads_loss(
    model: DualEncoder,
    parts: list[tuple[Corpus, torch.Tensor, float]],
    features: dict,
    pairs: torch.Tensor,
    scale: nn.Parameter,
    generator: torch.Generator,
    prompt: float = 1.0,
) -> torch.Tensor:
    """The objective of a step.

    Each corpus' contrastive term by its weight, "X" against "no X" where labels are known, and
    captions against paraphrases of imagined studies.

    Args:
        model: Whose projections are trained.
        parts: Each corpus with its rows int64 [B] and its weight.
        features: What `extract` returned.
        pairs: Rows of the imagined studies, int64 [B].
        scale: [1 + F], log scale and biases of the prompts.
        generator: What views and texts are drawn from.
        prompt: Weight of the prompts' term.

    Returns:
        Scalar.
    """

    def unit(head: nn.Module, rows: torch.Tensor) -> torch.Tensor:
        return F.normalize(head(rows), dim=1)

    one, other = (
        unit(model.text_projection, features[side][pairs]) for side in ("imagined", "reworded")
    )
    keys = [features["imagined_texts"][row] for row in pairs.tolist()]
    alike = equal_keys(keys).to(one.device)
    loss = 0.25 * contrastive_loss(one, other, model.temperature, alike)
    yes, also, no, none = unit(model.text_projection, features["prompts"]).chunk(4)
    for corpus, rows, weight in parts:
        views, texts = corpus.draw(rows, generator)
        image, text = unit(model.image_projection, views), unit(model.text_projection, texts)
        same = equal_keys([corpus.keys[row] for row in rows.tolist()]).to(image.device)
        loss = loss + weight * contrastive_loss(image, text, model.temperature, same)
        if corpus.labels is not None:
            logits = image @ (yes + also - no - none).T / 2
            known = masked_bce(logits * scale[0].exp() + scale[1:], corpus.labels[rows])
            loss = loss + prompt * known
    return loss


def extract(
    model: DualEncoder,
    options: Options,
    train: list[Study],
    val: list[Study],
    further: list[Study],
) -> dict:
    """Compute all features that the heads are trained on.

    Those of an earlier run of the same encoders, images and texts are taken from `--cache`.

    Returns:
        Tensors by name on the model's device, and the imagined studies' texts.
    """
    images, val_images, more = (
        pack([study.image for study in part], model.preprocess, options.cache)[0]
        for part in (train, val, further)
    )
    people = [without_labels(study) for study in (*train, *further)]
    rng = random.Random(options.seed)
    imagined, reworded = zip(*(text_pair(rng) for _ in range(PAIRS)))
    folder, device = options.cache / "features", model.logit_scale.device
    looker, reader = map(module_fingerprint, (model.image_encoder, model.text_encoder))

    def cached(key: list, make) -> torch.Tensor:
        found = cached_features(folder, key, lambda: {"features": make()})
        return found["features"].to(device)

    def view(packed: np.ndarray, number: int = 0) -> torch.Tensor:
        strength = 0.7 * (number > 0)
        return cached(
            [looker, Path(packed.filename).name if len(packed) else "", strength, number],
            lambda: image_features(model, packed, strength, number),
        )

    def written(canonical: Sequence[str], studies: Sequence[Study], count: int) -> torch.Tensor:
        return cached(
            [reader, *canonical, count, options.seed],
            lambda: study_text_features(model, canonical, studies, count, options.seed),
        )

    def encoded(texts: Sequence[str]) -> torch.Tensor:
        return cached([reader, *texts], lambda: text_features(model, texts))

    views = [view(images, number) for number in range(options.views)]
    return {
        "views": torch.stack(views),
        "texts": written([*map(caption, train)], train, options.texts),
        "people": torch.cat([views[0], *([view(more)] if len(more) else [])])[None],
        "people_texts": written([demographics(s) or "chest x-ray" for s in people], people, 3),
        "prompts": encoded(prompt_texts()),
        "imagined": encoded(imagined),
        "reworded": encoded(reworded),
        "imagined_texts": list(imagined),
        "val": view(val_images),
    }


def corpora_of(
    features: dict, train: list[Study], further: list[Study], options: Options
) -> list[tuple[Corpus, float]]:
    """Labeled studies, and all of them as if nobody had read them, with their weights."""
    people = [demographics(without_labels(study)) for study in (*train, *further)]
    keys = [findings_key(study) for study in train]
    known = labels_of(train).to(features["views"].device)
    return [
        (Corpus(features["views"], features["texts"], keys, known), 1.0),
        (Corpus(features["people"], features["people_texts"], people, None), options.person),
    ]


def trainable(model: DualEncoder, options: Options) -> list[nn.Parameter]:
    """The projections' parameters, all others frozen."""
    model.requires_grad_(False)
    parameters = [*model.image_projection.parameters()]
    if not options.lock_text:
        parameters += model.text_projection.parameters()
    for parameter in parameters:
        parameter.requires_grad_(True)
    return parameters


@torch.no_grad()
def embed(model: DualEncoder, features: torch.Tensor) -> np.ndarray:
    """Image features [N, width] -> float32 [N, D], unit rows."""
    return F.normalize(model.image_projection(features), dim=1).cpu().numpy()


def save(
    model: DualEncoder, images: np.ndarray, val: list[Study], training: dict, options: Options
) -> None:
    """Write the checkpoint, with the settings of a search that the validation split gives."""
    config = {
        "findings": list(FINDINGS),
        "training": training,
        "code_version": __version__,
        **search_settings(model, images, val),
    }
    save_dual_encoder(model, options.out, config)


def main(argv: Sequence[str] | None = None) -> None:
    """Train the projection heads and write the best step's checkpoint."""
    options = parse_options(Options, argv, __doc__, MODULE)
    torch.manual_seed(options.seed)
    began = time.time()
    model, config = load_dual_encoder(options.weights)
    model = model.to(best_device())
    train, val, further = (
        pack_studies(part, model.preprocess, options.cache)[0]
        for part in training_studies(options.data, options.extra)
    )
    features = extract(model, options, train, val, further)
    corpora = corpora_of(features, train, further, options)
    scale = nn.Parameter(torch.full((1 + corpora[0][0].labels.shape[1],), -2.0).to(best_device()))
    with torch.no_grad():
        scale[0] = 2.3
    parameters = [*trainable(model, options), scale]
    optimizer = torch.optim.AdamW(parameters, options.rate, weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, options.steps)
    average = ModelEmaV3(model, options.average)
    generator = torch.Generator().manual_seed(options.seed)

    chosen = copy.deepcopy(average.module)
    first = score_embeddings(chosen, embed(chosen, features["val"]), val)
    best, log = first["score"], [{"step": 0, **first}]
    for step in tqdm(range(1, options.steps + 1), "heads"):
        model.train()
        parts = [
            (corpus, torch.randperm(len(corpus.keys), generator=generator)[: options.batch_size], w)
            for corpus, w in corpora
        ]
        pairs = torch.randperm(PAIRS, generator=generator)[: options.batch_size]
        loss = heads_loss(model, parts, features, pairs, scale, generator, options.prompt)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update(model, step)
        if step % options.every == 0 or step == options.steps:
            scores = score_embeddings(average.module, embed(average.module, features["val"]), val)
            log.append({"step": step, "loss": loss.item(), **scores})
            if scores["score"] > best:
                best, chosen = scores["score"], copy.deepcopy(average.module)
    for entry in log:
        print(json.dumps({name: round(value, 4) for name, value in entry.items()}))
    if options.lock_text:
        copy_text(model, chosen)
    training = dict(config["training"])
    training["minutes"] += round((time.time() - began) / 60)
    training["command"] += "\n" + command_line(f"python -m {MODULE}", options)
    save(chosen, embed(chosen, features["val"]), val, training, options)


if __name__ == "__main__":
    main()

r"""Second stage: the projection heads alone, on features extracted once, with large batches.

    python -m train.retrieval.finetune_heads --data ROOT --weights runs/first/checkpoint \\
        --out weights/retrieval

A batch of 32 shows few films of like age and findings together; features that were extracted once
make batches of hundreds cheap, so that the heads learn to tell those apart. The encoders stay as
they are. The validation split chooses the step.
"""

from __future__ import annotations

import argparse
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
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from cxr import __version__
from cxr.checkpoints import load_dual_encoder, save_dual_encoder
from cxr.devices import best_device
from cxr.findings import FINDINGS, Study, caption, demographics
from cxr.models import DualEncoder, contrastive_loss, masked_bce
from train.common.image_cache import pack, pack_studies
from train.common.options import command_line
from train.common.studies import labels_of, training_studies
from train.retrieval.frozen_features import Cached, image_features, read_texts, text_features
from train.retrieval.objective import equal_keys, findings_key, prompt_texts
from train.retrieval.paraphrases import text_pair
from train.retrieval.profiles import copy_text
from train.retrieval.validation import judge, search_settings


@dataclass(frozen=True)
class Corpus:
    """Films of one kind with V views and K texts each, as features, and what they may not be
    negatives of.
    """

    views: torch.Tensor  # [V, N, image width]
    texts: torch.Tensor  # [K, N, text width]; the first is canonical
    keys: Sequence[str | None]  # equal keys are no negatives
    labels: torch.Tensor | None  # [N, F]

    def draw(self, rows: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """A random view of each film, and half the time its canonical text, else another."""
        views = torch.randint(len(self.views), (len(rows),), generator=generator)
        texts = torch.randint(len(self.texts), (len(rows),), generator=generator)
        texts[torch.rand(len(rows), generator=generator) < 0.5] = 0
        return self.views[views, rows], self.texts[texts, rows]


def unread(study: Study) -> Study:
    """The same film as if nobody had read it: age, sex and view are left."""
    return replace(study, findings={}, report=None)


def heads_loss(
    model: DualEncoder,
    parts: list[tuple[Corpus, torch.Tensor, float]],
    found: dict,
    pairs: torch.Tensor,
    scale: nn.Parameter,
    generator: torch.Generator,
    prompt: float = 1.0,
) -> torch.Tensor:
    """Scalar objective of a step: each corpus' contrastive term by its weight, "X" against "no X"
    where labels are known, and captions against paraphrases of imagined studies.

    parts: (corpus, rows int64 [B], weight). pairs: rows of the imagined studies. scale [1 + F]:
    log scale and biases of the prompts, whose term weighs `prompt`.
    """

    def unit(head: nn.Module, features: torch.Tensor) -> torch.Tensor:
        return F.normalize(head(features), dim=1)

    said, meant = (unit(model.text_projection, found[side][pairs]) for side in ("said", "meant"))
    alike = equal_keys([found["said_keys"][row] for row in pairs.tolist()]).to(said.device)
    loss = 0.25 * contrastive_loss(said, meant, model.temperature, alike)
    yes, also, no, none = unit(model.text_projection, found["prompts"]).chunk(4)
    for films, rows, weight in parts:
        features, texts = films.draw(rows, generator)
        image, text = unit(model.image_projection, features), unit(model.text_projection, texts)
        same = equal_keys([films.keys[row] for row in rows.tolist()]).to(image.device)
        loss = loss + weight * contrastive_loss(image, text, model.temperature, same)
        if films.labels is not None:
            logits = image @ (yes + also - no - none).T / 2
            known = masked_bce(logits * scale[0].exp() + scale[1:], films.labels[rows])
            loss = loss + prompt * known
    return loss


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, required=True)
    add("--extra", type=Path, nargs="*", default=[], help="further films, for age, sex and view")
    add("--weights", required=True)
    add("--out", type=Path, required=True)
    add("--cache", type=Path, default=Path(".cache/packed"))
    add("--lock-text", action="store_true", help="train the films' projection alone")
    add("--views", type=int, default=2, help="of each film: plain and augmented")
    add("--texts", type=int, default=8, help="canonical and other texts of each film")
    add("--batch-size", type=int, default=384)
    add("--steps", type=int, default=400)
    add("--rate", type=float, default=3e-4)
    add("--weight-decay", type=float, default=0.05)
    add("--prompt", type=float, default=1.0, help='weight of "X" against "no X"')
    add("--person", type=float, default=0.5, help="weight of age, sex and view alone")
    add("--average", type=float, default=0.98, help="decay of the weights' moving average")
    add("--every", type=int, default=100, help="steps between two looks at the validation split")
    add("--seed", type=int, default=0)
    return parser


def extract(model: DualEncoder, options: argparse.Namespace, train, val, further) -> dict:
    """All features that the heads are trained on; those of an earlier run of the same encoders,
    films and texts are taken from `--cache`.
    """
    films, val_films, more = (
        pack([s.image for s in part], model.preprocess, options.cache)[0]
        for part in (train, val, further)
    )
    people = [unread(study) for study in (*train, *further)]
    rng = random.Random(options.seed)
    said, meant = zip(*(text_pair(rng) for _ in range(3000)))
    look = Cached(options.cache / "features", model.image_encoder)
    read = Cached(options.cache / "features", model.text_encoder)

    def view(packed: np.ndarray, number: int = 0) -> torch.Tensor:
        strength = 0.7 * (number > 0)
        return look(
            [Path(packed.filename).name, strength, number],
            lambda: image_features(model, packed, strength, number),
        )

    def written(canonical: Sequence[str], studies: Sequence[Study], count: int) -> torch.Tensor:
        return read(
            [*canonical, count, options.seed],
            lambda: read_texts(model, canonical, studies, count, options.seed),
        )

    def encoded(texts: Sequence[str]) -> torch.Tensor:
        return read(list(texts), lambda: text_features(model, texts))

    views = [view(films, number) for number in range(options.views)]
    return {
        "views": torch.stack(views),
        "texts": written([*map(caption, train)], train, options.texts),
        "people": torch.cat([views[0], *([view(more)] if len(more) else [])])[None],
        "people_texts": written([demographics(s) or "chest x-ray" for s in people], people, 3),
        "prompts": encoded(prompt_texts()),
        "said": encoded(said),
        "meant": encoded(meant),
        "said_keys": list(said),
        "val": view(val_films),
    }


def main(argv: list[str] | None = None) -> None:
    options = arguments().parse_args(argv)
    torch.manual_seed(options.seed)
    began = time.time()
    model, config = load_dual_encoder(options.weights)
    model = model.to(best_device())
    train, val, further = (
        pack_studies(part, model.preprocess, options.cache)[0]
        for part in training_studies(options.data, options.extra)
    )
    device = model.logit_scale.device
    found = {
        name: value.to(device) if torch.is_tensor(value) else value
        for name, value in extract(model, options, train, val, further).items()
    }
    people = [demographics(unread(study)) for study in (*train, *further)]
    known = labels_of(train).to(found["views"].device)
    corpora = [
        (Corpus(found["views"], found["texts"], [findings_key(s) for s in train], known), 1.0),
        (Corpus(found["people"], found["people_texts"], people, None), options.person),
    ]
    scale = nn.Parameter(torch.full((1 + known.shape[1],), -2.0, device=known.device))
    with torch.no_grad():
        scale[0] = 2.3
    model.requires_grad_(False)
    trained = [*model.image_projection.parameters()]
    if not options.lock_text:
        trained += model.text_projection.parameters()
    for parameter in trained:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(
        [*trained, scale], options.rate, weight_decay=options.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.rate, options.steps)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(options.average))
    generator = torch.Generator().manual_seed(options.seed)

    def score() -> tuple[dict[str, float], np.ndarray]:
        with torch.no_grad():
            images = F.normalize(average.module.image_projection(found["val"]), dim=1)
        return judge(average.module.eval(), images.cpu().numpy(), val), images.cpu().numpy()

    first, images = score()
    best, log, chosen = first["score"], [{"step": 0, **first}], copy.deepcopy(average.module)
    for step in tqdm(range(1, options.steps + 1), "heads"):
        model.train()
        parts = [
            (
                films,
                torch.randperm(films.views.shape[1], generator=generator)[: options.batch_size],
                weight,
            )
            for films, weight in corpora
        ]
        pairs = torch.randperm(len(found["said"]), generator=generator)[: options.batch_size]
        loss = heads_loss(model, parts, found, pairs, scale, generator, options.prompt)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        average.update_parameters(model)
        if step % options.every == 0 or step == options.steps:
            scores, now = score()
            log.append({"step": step, "loss": loss.item(), **scores})
            if scores["score"] > best:
                best, images, chosen = scores["score"], now, copy.deepcopy(average.module)
    for entry in log:
        print(json.dumps({name: round(value, 4) for name, value in entry.items()}))
    if options.lock_text:
        copy_text(model, chosen)
    training = dict(config["training"])
    training["minutes"] = training["minutes"] + round((time.time() - began) / 60)
    training["command"] += "\n" + command_line(
        "python -m train.retrieval.finetune_heads", options, arguments()
    )
    save_dual_encoder(
        chosen,
        options.out,
        {
            "findings": list(FINDINGS),
            "training": training,
            "code_version": __version__,
            **search_settings(chosen, images, val),
        },
    )


if __name__ == "__main__":
    main()

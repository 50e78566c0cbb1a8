"""Measure on the validation split what a search needs beside the weights, and write it into them.

    python -m train.retrieval.search_settings --data ROOT --weights weights/retrieval

Training writes these settings too; this is for weights that are older than a setting.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cxr.checkpoints import load_dual_encoder
from cxr.devices import best_device
from cxr.files import read_json, write_json
from train.common.image_cache import pack_studies
from train.common.options import option, parse_options
from train.common.studies import training_studies
from train.retrieval.validation import embed_images, search_settings


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of train.retrieval.search_settings."""

    data: Path = option("data set with a val split")
    weights: Path = option("checkpoint to write into", Path("weights/retrieval"))
    cache: Path = option("decoded images", Path(".cache/packed"))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the settings and write them into the checkpoint's config.json."""
    options = parse_options(Options, argv, __doc__, "train.retrieval.search_settings")
    model, _ = load_dual_encoder(options.weights)
    device = best_device()
    model = model.eval().to(device)
    val, images, _ = pack_studies(
        training_studies(options.data, [])[1], model.preprocess, options.cache
    )
    settings = search_settings(model, embed_images(model, images, device), val)
    file = options.weights / "config.json"
    write_json(file, {**read_json(file, "a checkpoint's config.json"), **settings})
    print(json.dumps(settings))


if __name__ == "__main__":
    main()

"""Features of many pictures, extracted once for an encoder and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm, trange

from cxr.devices import has_bf16
from cxr.models import FindingNetwork
from cxr.reporting import FRONTAL, FilmFeatures, film_features
from cxr.retrieval import Retriever
from train.common.feature_cache import cached_features, cached_parts, module_fingerprint
from train.reporting.heads import Images, folds_of
from train.reporting.labels import Readings, goals, read_labels, studies_of
from train.reporting.pictures import Picture, film_pictures

BATCH = 32
# The parts of what is computed, each kept for as long as what it depends on stays: what heads read
# of the image encoder and of the finding network, and embeddings with thumbnails.
HEADS, NETWORK, LOOK = "heads", "network", "look"


def features_of(
    retriever: Retriever, pictures: Sequence[Picture], cache: Path, title: str = "films"
) -> FilmFeatures:
    """Features of N pictures; from `cache` where this encoder has seen this list before.

    What linear heads read is kept in half precision.

    Raises ValueError for a picture that cannot be read.
    """
    parts = _parts_of(retriever, pictures, cache, title)
    look = parts[LOOK]
    return FilmFeatures(look["embeddings"].numpy(), look["thumbnails"].numpy(), _joined(parts))


def head_features(
    retriever: Retriever, pictures: Sequence[Picture], cache: Path, title: str = "films"
) -> np.ndarray:
    """What linear heads read of N pictures, float16 [N, W]; kept in `cache` as by features_of.

    It depends on the image encoder and on the finding network, which has a file of its own, but not
    on the projection into the shared space.
    """
    return _joined(_parts_of(retriever, pictures, cache, title, look=False))


def _joined(parts: Mapping[str, Mapping[str, torch.Tensor]]) -> np.ndarray:
    """What heads read: features of the encoder, then those of the network; float16 [N, W]."""
    read = [parts[part]["features"].numpy() for part in (HEADS, NETWORK) if part in parts]
    return np.concatenate(read, 1) if len(read) > 1 else read[0]


def _parts_of(
    retriever: Retriever,
    pictures: Sequence[Picture],
    cache: Path,
    title: str,
    look: bool = True,
) -> dict[str, dict[str, torch.Tensor]]:
    """The parts of the features, each from a file of its own; what is missing in one pass.

    A pass keeps all parts, so that no later question decodes the pictures again. look: whether LOOK
    is asked for.
    """
    network, names = retriever.model.finding_network, [picture.name for picture in pictures]
    keys = {HEADS: [image_key(retriever), "heads", *names]}
    if network is not None:
        keys[NETWORK] = [module_fingerprint(network), "network", *names]
    seen = [retriever.encoder, LOOK, *names]

    def make(missing: frozenset[str]) -> Mapping[str, dict[str, torch.Tensor]]:
        if network is not None and missing == {NETWORK}:
            return {NETWORK: _network_features(network, retriever, pictures, title)}
        made = _extract(retriever, pictures, title)
        if not look:
            cached_features(cache, seen, lambda: made[LOOK])
        return made

    return cached_parts(cache, keys | ({LOOK: seen} if look else {}), make)


def _network_features(
    network: FindingNetwork, retriever: Retriever, pictures: Sequence[Picture], title: str
) -> dict[str, torch.Tensor]:
    """Features of the finding network alone, float16 [N, D]; it sees what the encoder sees."""
    parts, device = [], retriever.device
    with ThreadPoolExecutor(2) as pool, torch.inference_mode():
        for start in trange(0, len(pictures), BATCH, desc=title):
            batch = pictures[start : start + BATCH]
            squares = pool.map(lambda picture: retriever.prepare(picture.open()), batch)
            levels = torch.from_numpy(np.stack(list(squares))).to(device)[:, None] / 255
            with torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device)):
                parts.append(network.read(levels).half().cpu())
    return {"features": torch.cat(parts)}


def encoder_key(retriever: Retriever) -> str:
    """The sha256 of the encoder, with that of the finding network where there is one."""
    network = retriever.model.finding_network
    return retriever.encoder + ("" if network is None else module_fingerprint(network))


def image_key(retriever: Retriever) -> str:
    """The sha256 over the image encoder's weights, without the projection."""
    return module_fingerprint(retriever.model.image_encoder)


def _extract(
    retriever: Retriever, pictures: Sequence[Picture], title: str
) -> dict[str, dict[str, torch.Tensor]]:
    """Every part of the features, in one pass over the pictures."""
    parts, width = [], retriever.model.image_encoder.feature_width
    with ThreadPoolExecutor(2) as pool, tqdm(total=len(pictures), desc=title, unit="film") as bar:
        for start in range(0, len(pictures), BATCH):
            batch = pictures[start : start + BATCH]
            films = list(pool.map(lambda picture: picture.open(), batch))
            found = film_features(retriever, films)
            parts.append(replace(found, features=found.features.astype(np.float16)))
            bar.update(len(batch))
    whole = FilmFeatures.joined(parts)
    features = torch.from_numpy(whole.features)
    return {
        HEADS: {"features": features[:, :width]},
        NETWORK: {"features": features[:, width:]},
        LOOK: {
            "embeddings": torch.from_numpy(whole.embeddings),
            "thumbnails": torch.from_numpy(whole.thumbnails),
        },
    }


@dataclass(frozen=True, eq=False)
class Collection:
    """Images of several data sets, what is said of them, and where each comes from.

    Attributes:
        images: with goals and folds for the heads.
        readings: everyone's labels of them.
        source: str [N], the data set's name and the split: "nih val".
    """

    images: Images
    readings: Readings
    source: np.ndarray

    def rows(self, *sources: str) -> np.ndarray:
        """The images of these sources that are no blurred copies: int64 [n]."""
        return np.flatnonzero(np.isin(self.source, sources) & ~self.images.copies)


def collect(
    retriever: Retriever,
    data: Path,
    experts: Path | None,
    more: Sequence[Path],
    names: Sequence[str],
    cache: Path,
) -> Collection:
    """Read the train and val splits of the data sets.

    Args:
        retriever: whose features are read.
        data: a data set with mined labels.
        experts: one that a panel of radiologists read; its training images come blurred as well,
            as sharp as those of the larger collections.
        more: further data sets to train on.
        names: the findings.
        cache: where features are kept.

    Raises:
        ValueError: a data set or an image cannot be read.
    """
    panel = [experts] if experts is not None else []
    wanted = [(root, "train", FRONTAL) for root in (data, *panel)]
    wanted += [(root, "train", "blurred") for root in panel]
    wanted += [(root, "train", FRONTAL) for root in more]
    wanted += [(root, "val", FRONTAL) for root in (data, *panel)]
    parts, features, folds, source = [], [], [], []
    for root, split, kind in wanted:
        studies = studies_of(root, split)
        parts.append(read_labels(root, studies, names))
        pictures = film_pictures(studies, kind)
        features.append(head_features(retriever, pictures, cache, f"{root.name} {split}"))
        trained = split == "train"
        folds.append(folds_of(parts[-1].patients) if trained else np.full(len(studies), -1))
        source += [f"{root.resolve().name} {split}"] * len(studies)
    readings, fold = Readings.joined(parts), np.concatenate(folds)
    kinds = [kind for (_, _, kind), part in zip(wanted, parts) for _ in range(len(part))]
    copies = np.array(kinds) == "blurred"
    asked, weights = goals(readings, fold >= 0)
    doubled = np.isin(source, [f"{root.resolve().name} train" for root in panel])
    weights[doubled] /= 2  # an image with a copy counts as one
    images = Images(np.concatenate(features), asked, weights, fold, copies)
    return Collection(images, readings, np.array(source))

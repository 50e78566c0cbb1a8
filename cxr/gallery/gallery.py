"""A searchable collection of studies on disk. Its files are described in cxr.gallery.format."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cxr.data import Annotation, read_studies
from cxr.findings import FINDINGS, Study
from cxr.gallery.annotations import read_annotations
from cxr.gallery.build import Encode, Origin, Prepare, write_gallery
from cxr.gallery.filter import Attributes, Where
from cxr.gallery.format import DIMENSIONS, INDEX, read_embeddings, read_header, read_places
from cxr.gallery.index import NearestVectors
from cxr.gallery.logits import FindingLogits, read_logits
from cxr.gallery.map import map_positions, read_map

_BLOCK = 16_384  # embeddings converted to float32 at a time


@dataclass(frozen=True, eq=False)
class Gallery:
    """An open gallery; searching it is safe from any number of threads.

    studies: in the order of the embeddings, each with the absolute path of its image.
    embeddings: float16 [N, 512], unit rows, memory-mapped and read-only.
    places: float16 [N, P, D], features of P places of each image by rows, memory-mapped and
        read-only; None where the gallery was built without them.
    logits: how much each image shows each finding; None where the gallery was built without it.
    """

    folder: Path
    header: dict
    studies: list[Study]
    embeddings: np.ndarray
    _nearest: NearestVectors
    _attributes: Attributes
    places: np.ndarray | None = None
    logits: FindingLogits | None = None

    @classmethod
    def open(
        cls, folder: str | Path, encoder: str | None = None, weights: str | Path = ""
    ) -> Gallery:
        """Open a gallery.

        Args:
            folder: that holds gallery.json.
            encoder: sha256 of the encoder that will search it (None: not checked).
            weights: where that encoder lies, for the command in the error message.

        Returns:
            The gallery; its embeddings stay on the disk until they are read.

        Raises:
            ValueError: no gallery, a damaged one, a newer format, or another encoder's.
        """
        folder = Path(folder).expanduser().absolute()
        header = read_header(folder)
        if encoder is not None and header.get("encoder") != encoder:
            raise ValueError(
                f"expected a gallery made by encoder {encoder[:12]}, {folder} was made by "
                f"{str(header.get('encoder'))[:12]}; rebuild it: {rebuild_command(folder, weights)}"
            )
        studies, embeddings = read_studies(folder), read_embeddings(folder)
        if len(studies) != len(embeddings):
            raise ValueError(
                f"expected as many embeddings as studies in {folder}, got {len(embeddings)} and "
                f"{len(studies)}; rebuild it: {rebuild_command(folder, weights)}"
            )
        nearest = NearestVectors.open(folder / INDEX, embeddings)
        places = read_places(folder, len(studies))
        logits = read_logits(folder, len(studies))
        return cls(
            folder, header, studies, embeddings, nearest, Attributes(studies), places, logits
        )

    @cached_property
    def annotations(self) -> dict[int, Annotation]:
        """Row -> what radiologists said and drew; empty for a gallery that carries none.

        Raises:
            ValueError: the file is damaged.
        """
        return read_annotations(self.folder, len(self.studies))

    def search(
        self, vector: np.ndarray, k: int, where: Where | Mapping[str, Any] | None = None
    ) -> list[tuple[int, float]]:
        """Find the k studies most similar to a vector.

        Args:
            vector: real [512], of any length but zero.
            k: at least 1; fewer come back only when fewer studies pass `where`.
            where: a Where, or a dict with its fields as keys.

        Returns:
            [(row, cosine in [-1, 1])], best first.

        Raises:
            ValueError: another shape, NaN, k < 1, or an unknown filter.
        """
        query = np.asarray(vector, dtype=np.float32)
        length = float(np.linalg.norm(query))
        if query.shape != (DIMENSIONS,) or not np.isfinite(length) or length == 0:
            raise ValueError(
                f"expected a finite vector [{DIMENSIONS}] other than zero, got shape "
                f"{list(query.shape)} and length {length}"
            )
        return self._nearest.search(query / length, checked_count(k), self.passing(where))

    def passing(self, where: Where | Mapping[str, Any] | None) -> np.ndarray | None:
        """Rows of the studies that pass a filter, ascending int64 [M]; None when all do.

        Raises:
            ValueError: an unknown filter.
        """
        return self._attributes.passing(Where.of(where))

    def cosines(self, vector: np.ndarray) -> np.ndarray:
        """Cosines between a unit vector, float32 [512], and every image: float32 [N]."""
        scores = np.empty(len(self.embeddings), np.float32)
        for start in range(0, len(scores), _BLOCK):
            rows = np.asarray(self.embeddings[start : start + _BLOCK], np.float32)
            scores[start : start + _BLOCK] = rows @ vector
        return scores.clip(-1, 1)

    @cached_property
    def positions(self) -> np.ndarray:
        """Places of the images on a map: float32 [N, 2] in [0, 1].

        They are read from the gallery; one without a map gets principal components.

        Raises:
            ValueError: a damaged map.
        """
        positions = read_map(self.folder, len(self.studies))
        return map_positions(self.embeddings, "pca") if positions is None else positions

    def info(self) -> dict:
        """JSON-able summary: the header, and how many studies have which view, sex and finding."""
        views = [study.view or "unknown" for study in self.studies]
        sexes = [study.sex or "unknown" for study in self.studies]
        present = [name for study in self.studies for name, v in study.findings.items() if v == 1]
        header = {k: v for k, v in self.header.items() if k not in ("build", "unreadable_ids")}
        return {
            "folder": str(self.folder),
            **header,
            "patients": len({(study.source, study.patient) for study in self.studies}),
            "labelled": sum(study.labelled for study in self.studies),
            "annotated": len(self.annotations),
            "places": self.places is not None,
            "finding_logits": self.logits is not None,
            "views": {name: views.count(name) for name in sorted(set(views))},
            "sexes": {name: sexes.count(name) for name in sorted(set(sexes))},
            "findings": {name: present.count(name) for name in FINDINGS if name in present},
        }


def checked_count(k: object) -> int:
    """Return k, a number of results.

    Raises:
        ValueError: no whole number, or less than 1.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"expected k, the number of results, to be 1 or more, got {k!r}")
    return int(k)


def rebuild_command(folder: Path, weights: str | Path = "") -> str:
    """The command that embeds a gallery's own images anew with another encoder.

    A gallery in the Hub's cache is left as it is: the new one goes elsewhere.
    """
    place = shlex.quote(str(folder))
    encoder = f" --weights {shlex.quote(str(weights))}" if weights else ""
    out = "gallery" if folder.parent.name == "snapshots" else f"{place} --overwrite"
    return f"python -m cxr gallery build {place} --out {out}{encoder}"


def build_gallery(
    studies: Sequence[Study],
    encode: Encode,
    out: str | Path,
    encoder: str,
    source: str = "",
    licence: str = "",
    batch_size: int = 32,
    progress: bool = True,
    overwrite: bool = False,
    prepare: Prepare | None = None,
    annotations: Mapping[str, Annotation] | None = None,
    logits: FindingLogits | None = None,
) -> Gallery:
    """Embed studies and write them as a gallery; it appears whole or not at all.

    The work is kept in `.NAME.building` beside `out` and renamed at the end. After a kill the same
    call goes on where it stopped; a finished gallery of the same images and encoder is opened as it
    is. Images that cannot be read are counted, logged and left out.

    Args:
        studies: in the order that the gallery keeps.
        encode: a batch of images (mode "L", or what `prepare` makes of them) -> real [N, 512], or
            a tuple of these, of real [N, P, D], features of P places of each image, and, where
            `logits` is given, of real [N, F].
        out: folder of the gallery.
        encoder: sha256 of the checkpoint behind `encode`.
        source: where the collection comes from, in words.
        licence: of the whole collection, in words.
        batch_size: images that `encode` is given at once.
        progress: show a bar on stderr.
        overwrite: replace another gallery at `out`.
        prepare: what to do to each image in the decoding threads, such as scaling it.
        annotations: id of a study -> what radiologists said and drew, for the gallery to carry.
        logits: of no image, for the names of the F findings that `encode` reads and its heads.

    Returns:
        The gallery, open.

    Raises:
        ValueError: no study, no readable image, `out` is taken, NaN from the encoder.
    """
    write_gallery(
        list(studies),
        encode,
        Path(out),
        Origin(encoder, source, licence),
        batch_size=batch_size,
        progress=progress,
        overwrite=overwrite,
        prepare=prepare,
        annotations=annotations,
        logits=logits,
    )
    return Gallery.open(out, encoder)

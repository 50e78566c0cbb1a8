"""Text or image -> the studies of a gallery that match it best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from cxr.checkpoints import fingerprint, resolve, shared_dual_encoder
from cxr.defaults import GALLERY, RETRIEVAL, find_shipped
from cxr.devices import best_device, has_bf16
from cxr.findings import Study
from cxr.gallery import GALLERY_FILES, Gallery, Where, checked_count
from cxr.hub import is_hub_address
from cxr.images import load_image
from cxr.models import DualEncoder
from cxr.retrieval.encoded import EncodedQuery, ImageEncoding
from cxr.retrieval.finding_space import FindingSpace
from cxr.retrieval.query_encoder import QueryEncoder
from cxr.retrieval.ranking import Evidence, Ranking, RankingWeights
from cxr.retrieval.similarity import (
    DEFAULT_BANDS,
    DEFAULT_IMAGE_BANDS,
    WORDS,
    Scale,
    checked_bands,
    scale_of,
)
from cxr.retrieval.understanding import QueryReader, Understanding, checked_query

EVIDENCE = ("all", "image")
_BATCH = 32


@dataclass(frozen=True)
class Match:
    """A study found.

    Attributes:
        study: the study. score: cosine similarity of its image to the query vector, in [-1, 1].
        similarity: the score in words. evidence: why it is among the matches, the strongest first.
    """

    study: Study
    score: float
    similarity: str = WORDS[-1]
    evidence: tuple[Evidence, ...] = ()


class Retriever:
    """A dual encoder with a gallery; safe to call from several threads.

    Attributes:
        model: in eval mode, on `device`.
        gallery: None for encoding only.
        bands: three falling cosines that divide similarity.WORDS for a text as query, where the
            gallery has too few labels for its own.
        image_bands: the same for an image as query.
        encoder: sha256 of the checkpoint.
        encode_query: N texts -> float32 [N, 512], unit rows, the vectors that `search` ranks by
            (cxr.retrieval.query_encoder).
    """

    def __init__(
        self,
        model: DualEncoder,
        gallery: Gallery | None = None,
        bands: Sequence[float] = DEFAULT_BANDS,
        encoder: str = "",
        device: torch.device | None = None,
        image_bands: Sequence[float] = DEFAULT_IMAGE_BANDS,
        query_contrast: float = 0.0,
        ranking_weights: RankingWeights | None = None,
        finding_space: FindingSpace | None = None,
    ) -> None:
        self.device = device or best_device()
        self.model = model.eval().requires_grad_(False).to(self.device)
        self.gallery = gallery
        self.bands, self.image_bands = checked_bands(bands), checked_bands(image_bands)
        self.encoder = encoder
        self.encode_query = QueryEncoder(self.encode_text, query_contrast)
        self._read_query = QueryReader(self.encode_text)
        self.finding_space = finding_space
        self._ranking_weights = ranking_weights or RankingWeights()
        self._bf16 = has_bf16(self.device)

    @classmethod
    def load(
        cls,
        weights: str | Path = RETRIEVAL,
        gallery: str | Path | None = GALLERY,
    ) -> Retriever:
        """Load an encoder, and the gallery that it made.

        Args:
            weights: a folder, or "hf://owner/name[@revision]".
            gallery: a folder, "hf://datasets/owner/name", or None for encoding only.

        Returns:
            The retriever, in eval mode, safe to call from several threads.

        Raises:
            ValueError: either is missing or damaged, or the gallery is another encoder's.
        """
        if str(gallery).startswith("milvus:"):
            raise ValueError(
                f"expected a gallery's folder, got {gallery!r}: this version has no Milvus "
                "support; build a folder with: python -m cxr gallery build ROOT --out DIR"
            )
        folder = resolve(weights)
        model, config = shared_dual_encoder(folder)
        encoder = fingerprint(folder)
        opened = None
        if gallery is not None:
            fetched = resolve(gallery, GALLERY_FILES) if is_hub_address(gallery) else gallery
            opened = Gallery.open(find_shipped(fetched), encoder, weights)
        return cls(
            model,
            opened,
            config.get("similarity_bands", DEFAULT_BANDS),
            encoder,
            image_bands=config.get("film_bands", DEFAULT_IMAGE_BANDS),
            query_contrast=config.get("query_contrast", 0.0),
            ranking_weights=RankingWeights.from_dict(config.get("ranking")),
            finding_space=FindingSpace.load(folder, model.config.dimension),
        )

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts.

        Args:
            texts: N of them, in any language.

        Returns:
            float32 [N, 512], unit rows.

        Raises:
            ValueError: something other than texts, or an empty one.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise ValueError(f"expected a list of texts, got {_kinds(texts)}; wrap it in a list")
        if not all(text.strip() for text in texts):
            raise ValueError("expected texts, got an empty one; leave it out")
        # Half of a surrogate pair, as a cut emoji leaves it, is no text that a tokenizer takes.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        dimension = self.model.config.dimension
        return self._batches(clean, lambda batch: [self.model.encode_text(batch)], dimension)[0]

    def encode_images(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Encode images.

        Args:
            images: N of them, of any size and mode.

        Returns:
            float32 [N, 512], unit rows.

        Raises:
            ValueError: something other than PIL images, or an unreadable one.
        """
        return self.encode_images_with_features(images).embeddings

    def encode_images_with_features(self, images: Sequence[Image.Image]) -> ImageEncoding:
        """Encode images as `encode_images` does, with the features of the same pass."""
        if isinstance(images, Image.Image) or not all(
            isinstance(image, Image.Image) for image in images
        ):
            raise ValueError(
                f"expected a list of PIL images, got {_kinds(images)}; "
                "open each with cxr.load_image and put them into a list"
            )
        return self.encode_with_features([self.prepare(load_image(image)) for image in images])

    def prepare(self, image: Image.Image) -> np.ndarray:
        """A mode "L" image -> uint8 [S, S], what encode_prepared takes; cheap, for any thread."""
        return self.model.preprocess.square(image)

    def encode_prepared(self, squares: Sequence[np.ndarray]) -> np.ndarray:
        """N squares uint8 [S, S] from `prepare` -> float32 [N, 512], unit rows."""
        return self.encode_with_features(squares).embeddings

    def encode_with_features(self, squares: Sequence[np.ndarray]) -> ImageEncoding:
        """Encode N squares uint8 [S, S] from `prepare` in one pass, with their features."""
        widths = self.model.config.dimension, self.model.image_encoder.feature_width
        encode = self.model.encode_image_with_features
        parts = self._batches(squares, lambda batch: encode(self._pixels(batch)), *widths)
        return ImageEncoding(*parts)

    def encode(self, query: str | Image.Image) -> EncodedQuery:
        """Encode a query, so that several searches and checks need one pass of the network.

        Args:
            query: text of at most 2,000 characters, or a PIL image.

        Raises:
            ValueError: an empty or overlong text, an unreadable image, or another type.
        """
        return self._encode(query)

    def _encode(self, query: str | Image.Image) -> EncodedQuery:
        if isinstance(query, Image.Image):
            found = self.encode_images_with_features([query])
            return EncodedQuery(found.embeddings[0], features=found.features[0])
        text = checked_query(query)
        return EncodedQuery(self.encode_query([text])[0], text)

    def understand(self, text: str) -> Understanding:
        """Say how a query is read: by rules, else by the finding that is nearest in meaning.

        Raises:
            ValueError: an empty or overlong text, or one in which nothing was understood.
        """
        return self._read_query(text)

    def search(
        self,
        query: str | Image.Image | EncodedQuery,
        k: int = 12,
        where: Where | Mapping[str, Any] | None = None,
        evidence: str = "all",
    ) -> list[Match]:
        """Find the k studies that match `query` best, best first.

        Args:
            query: text of at most 2,000 characters, a PIL image, or either from `encode`.
            k: at least 1; fewer come back when fewer studies pass `where`, or, for a text with all
                evidence, when fewer hold nothing contrary to it.
            where: a Where, or a dict with its fields as keys.
            evidence: for a text, "all" joins labels, reports and images (cxr.retrieval.ranking);
                for an image it compares the findings that the images seem to show
                (cxr.retrieval.finding_space). "image" ranks by the cosine of embeddings alone.

        Returns:
            Matches whose `evidence` says why each is among them; where no study holds what was
            asked, the nearest ones, which say so.

        Raises:
            ValueError: no gallery, an empty, overlong or not understood text, another type, k < 1,
                a bad filter, or unknown evidence.
        """
        gallery = self._open_gallery()
        if evidence not in EVIDENCE:
            raise ValueError(f"expected evidence out of {', '.join(EVIDENCE)}; got {evidence!r}")
        encoded = query if isinstance(query, EncodedQuery) else self._encode(query)
        if encoded.text is None:
            return self._like_image(encoded.vector, k, where, evidence)
        understood = self._read_query(encoded.text) if evidence == "all" else None
        if understood is None or understood.by_look:
            return self._by_image(encoded.vector, k, where)
        cosines = gallery.cosines(encoded.vector)
        rows = gallery.passing(where)
        ranked = self.ranking.order(understood.query, cosines, checked_count(k), rows)
        return [
            Match(
                gallery.studies[one.row],
                float(cosines[one.row]),
                self.scale.text_word(float(cosines[one.row]), encoded.vector),
                one.evidence,
            )
            for one in ranked
        ]

    def _like_image(
        self,
        vector: np.ndarray,
        k: int,
        where: Where | Mapping[str, Any] | None,
        evidence: str,
    ) -> list[Match]:
        """The k studies most like an image with this vector, float32 [512], by their findings."""
        gallery = self._open_gallery()
        if self.finding_space is None or evidence == "image":
            return self.matches(gallery.search(vector, k, where))
        own = self.finding_space.probabilities(vector[None])[0]
        alike = self._coordinates @ self.finding_space.coordinates(vector[None])[0]
        rows = gallery.passing(where)
        rows = np.arange(len(alike)) if rows is None else rows
        best = rows[np.lexsort((rows, -alike[rows]))][: checked_count(k)]
        chances = self.finding_space.probabilities(gallery.embeddings[best])
        cosines = np.asarray(gallery.embeddings[best], np.float32) @ vector
        return [
            Match(
                gallery.studies[row],
                float(cosine),
                self.scale.image_word(float(cosine)),
                _shared_evidence(self.finding_space.shared(own, chance)),
            )
            for row, cosine, chance in zip(best, cosines.clip(-1, 1), chances)
        ]

    @cached_property
    def _coordinates(self) -> np.ndarray:
        """The gallery's images by their findings: float32 [N, 2F]."""
        assert self.finding_space is not None
        return self.finding_space.coordinates(self._open_gallery().embeddings)

    def _by_image(
        self, vector: np.ndarray, k: int, where: Where | Mapping[str, Any] | None
    ) -> list[Match]:
        """The k studies whose images are nearest to a text's vector, float32 [512]."""
        gallery = self._open_gallery()
        looks = (Evidence("image", "looks like it"),)
        return [
            Match(gallery.studies[row], score, self.scale.text_word(score, vector), looks)
            for row, score in gallery.search(vector, k, where)
        ]

    def cosines(self, text: str) -> np.ndarray:
        """Cosines between a text's query vector and every image of the gallery: float32 [N].

        Raises:
            ValueError: no gallery.
        """
        return self._open_gallery().cosines(self.encode_query([text])[0])

    def _open_gallery(self) -> Gallery:
        if self.gallery is None:
            raise ValueError(
                "expected a gallery to search in, this retriever was loaded with gallery=None; "
                "build one with: python -m cxr gallery build ROOT --out DIR"
            )
        return self.gallery

    @cached_property
    def ranking(self) -> Ranking:
        """The order of this gallery's studies by all evidence. Raises ValueError without one."""
        return Ranking(self._open_gallery().studies, self._ranking_weights)

    def matches(self, found: Sequence[tuple[int, float]]) -> list[Match]:
        """Rows of the gallery with their cosines to an image -> the same with their words."""
        studies = self._open_gallery().studies
        return [Match(studies[row], score, self.scale.image_word(score)) for row, score in found]

    @cached_property
    def scale(self) -> Scale:
        """How similar is similar in this gallery."""
        return scale_of(self._open_gallery(), self.encode_query, self.bands, self.image_bands)

    def heat_map(self, image: Image.Image, query: str) -> np.ndarray:
        """Where `image` speaks for `query` -> float32 [H, W] in [0, 1] at the image's own size.

        1 is the place that adds most to the similarity; places that add nothing or speak against
        it are 0, and all are where none speaks for it.

        Raises:
            ValueError: an unreadable image, an empty or overlong text.
        """
        image = load_image(image)
        text = torch.from_numpy(self.encode_query([checked_query(query)])[0]).to(self.device)
        cells = self.model.patch_similarity(self._pixels([self.prepare(image)]), text)
        square = cells[0].float().cpu().numpy()
        heat = self.model.preprocess.unsquare(square, image.size).clip(min=0)
        peak = float(heat.max())
        return heat / peak if peak > 0 else heat

    def _pixels(self, squares: Sequence[np.ndarray]) -> torch.Tensor:
        batch = torch.from_numpy(np.stack(squares)).to(self.device)
        return self.model.preprocess.normalize(batch)

    def _batches(
        self, items: Sequence, encode: Callable[[Sequence], Iterable[torch.Tensor]], *widths: int
    ) -> list[np.ndarray]:
        """What `encode` gives for the items, batch by batch: float32 [N, width] each."""
        rows = [np.empty((len(items), width), np.float32) for width in widths]
        for start in range(0, len(items), _BATCH):
            batch = items[start : start + _BATCH]
            with self._inference():
                for part, found in zip(rows, encode(batch)):
                    part[start : start + len(batch)] = found.float().cpu().numpy()
        if not all(np.isfinite(part).all() for part in rows):
            raise ValueError("expected finite embeddings, got NaN; check the checkpoint")
        return rows

    @contextmanager
    def _inference(self) -> Iterator[None]:
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self._bf16),
        ):
            yield


def _shared_evidence(names: Sequence[str]) -> tuple[Evidence, ...]:
    said = f"both seem to show: {', '.join(names[:3])}" if names else "looks alike"
    return (Evidence("image", said),)


def _kinds(values: Any) -> str:
    if isinstance(values, (str, Image.Image)):
        return f"one {type(values).__name__}"
    return f"a list with {', '.join(sorted({type(value).__name__ for value in values}))}"

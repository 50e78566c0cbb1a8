"""Text or image -> the studies of a gallery that match it best."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from cxr.checkpoints import FindingClassifier, fingerprint, resolve, shared_dual_encoder
from cxr.defaults import GALLERY, RETRIEVAL, find_shipped
from cxr.findings import Study
from cxr.gallery import GALLERY_FILES, FindingLogits, Gallery, Where, checked_count
from cxr.hub import is_hub_address
from cxr.models import DualEncoder
from cxr.retrieval.encoded import EncodedQuery
from cxr.retrieval.encoder import Encoder
from cxr.retrieval.finding_space import FindingSpace
from cxr.retrieval.look import Look
from cxr.retrieval.ranking import Evidence, Ranking, RankingWeights
from cxr.retrieval.similar_images import Alike, SimilarImages
from cxr.retrieval.similarity import (
    DEFAULT_BANDS,
    DEFAULT_IMAGE_BANDS,
    WORDS,
    Scale,
    checked_bands,
    scale_of,
)
from cxr.retrieval.understanding import QueryReader, Understanding

EVIDENCE = ("all", "image")

log = logging.getLogger(__name__)


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


class Retriever(Encoder):
    """A dual encoder with a gallery; safe to call from several threads.

    Attributes:
        gallery: None for encoding only.
        bands: three falling cosines that divide similarity.WORDS for a text as query, where the
            gallery has too few labels for its own.
        image_bands: the same for an image as query.
        encoder: sha256 of the checkpoint.
        finding_space: the findings that images seem to show; None compares embeddings alone.
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
        super().__init__(model, device, query_contrast)
        self.gallery = gallery
        self.bands, self.image_bands = checked_bands(bands), checked_bands(image_bands)
        self.encoder = encoder
        self._read_query = QueryReader(self.encode_text)
        self.finding_space = finding_space
        self._ranking_weights = ranking_weights or RankingWeights()

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
                (cxr.retrieval.finding_space). "image" leaves labels and reports aside: for a text
                it ranks by what the pixels say (cxr.retrieval.look), for an image by the cosine of
                embeddings.

        Returns:
            Matches whose `evidence` says why each is among them; where no study holds what was
            asked, the nearest ones, which say so.

        Raises:
            ValueError: no gallery, an empty, overlong or not understood text, another type, k < 1,
                a bad filter, or unknown evidence.
        """
        gallery = self._open_gallery()
        encoded = query if isinstance(query, EncodedQuery) else self.encode(query)
        if encoded.text is None:
            return self.similar(encoded, k, where, evidence)
        if _checked_evidence(evidence) == "image":
            return self._by_look(encoded, checked_count(k), where)
        understood = self._read_query(encoded.text)
        if understood.by_look:
            return self._by_cosine(encoded.vector, k, where)
        cosines = gallery.cosines(encoded.vector)
        rows, read = gallery.passing(where), self._look.findings(understood.query)
        ranked = self.ranking.order(understood.query, cosines, checked_count(k), rows, read)
        return [
            Match(
                gallery.studies[one.row],
                float(cosines[one.row]),
                self.scale.text_word(float(cosines[one.row]), encoded.vector),
                one.evidence,
            )
            for one in ranked
        ]

    def similar(
        self,
        query: Study | Image.Image | EncodedQuery,
        k: int = 12,
        where: Where | Mapping[str, Any] | None = None,
        evidence: str = "all",
        matched: Sequence[str] = (),
        region: str = "",
    ) -> list[Match]:
        """Find the k images most like an image, best first.

        Args:
            query: a study of the gallery, which is left out, or an image, or what `encode` made
                of one.
            k: at least 1; fewer come back when fewer studies pass `where` and match.
            where: a Where, or a dict with its fields as keys.
            evidence: "all" compares the findings that images seem to show
                (cxr.retrieval.finding_space), "image" their embeddings.
            matched: for a study, of "view", "sex" and "age" what the others must have in common
                with it; ages match within ten years.
            region: compare this region alone: a name out of cxr.retrieval.REGIONS, or "x,y,w,h" in
                shares of the image padded to a square; "" compares whole images.

        Returns:
            Matches whose `evidence` says what both images share.

        Raises:
            ValueError: no gallery, another gallery's study, k < 1, a bad filter, unknown evidence,
                or something to match that is not known of the image.
        """
        study = query if isinstance(query, Study) else None
        places = None
        if isinstance(query, Study):
            vector = self._similar.vector(query)
        else:
            query = self.encode(query) if isinstance(query, Image.Image) else query
            vector = query.vector
            if region and query.features is not None:
                places = self.places_of(query.features[None])[0]
        by_findings = _checked_evidence(evidence) == "all"
        found = self._similar.find(
            vector,
            checked_count(k),
            where,
            by_findings,
            study,
            matched,
            region,
            places,
            None if study is not None else self._heads_of(query),
        )
        return [self._alike(one) for one in found]

    def contrast(self, study: Study, k: int = 2) -> list[Match]:
        """Find studies of the same view, sex and age band that show something else.

        Args:
            study: a labeled study of the gallery.
            k: how many at most.

        Returns:
            The most alike by look, each with an Evidence of kind "contrast"; [] where the study is
            not labeled, or none contrasts.

        Raises:
            ValueError: no gallery, another gallery's study, or k < 1.
        """
        return [self._alike(one) for one in self._similar.contrast(study, checked_count(k))]

    def _alike(self, one: Alike) -> Match:
        word = self.scale.image_word(one.score)
        return Match(self._open_gallery().studies[one.row], one.score, word, one.evidence)

    @cached_property
    def _similar(self) -> SimilarImages:
        read = self._finding_logits
        values = None if read is None else read.values
        return SimilarImages(self._open_gallery(), self.ranking.table, self.finding_space, values)

    @cached_property
    def _look(self) -> Look:
        gallery = self._open_gallery()
        return Look(gallery.embeddings, self._finding_logits, self.encode_text)

    @cached_property
    def _finding_logits(self) -> FindingLogits | None:
        """What this checkpoint's heads read of the gallery's images, where the gallery holds it."""
        gallery, heads = self._open_gallery(), self.heads
        if heads is None:
            return None
        if gallery.logits is None or gallery.logits.heads != heads.sha256:
            log.warning(
                "%s holds no finding logits of these weights: typed findings are compared by the "
                "cosine alone; make them: python -m cxr gallery findings %s",
                gallery.folder,
                gallery.folder,
            )
            return None
        return gallery.logits

    @property
    def reads_findings(self) -> bool:
        """Whether heads have read the gallery's images, so that findings count by look too."""
        return self._finding_logits is not None

    @property
    def heads(self) -> FindingClassifier | None:
        """The heads on features that this checkpoint has."""
        return None if self.finding_space is None else self.finding_space.heads

    def no_logits(self) -> FindingLogits | None:
        """What `build_gallery` needs to know of the heads; None without heads."""
        heads = self.heads
        return None if heads is None else FindingLogits.empty(heads.findings, heads.sha256)

    def encode_for_gallery(self, squares: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Encode N squares uint8 [S, S] from `prepare` for a gallery.

        Returns:
            Embeddings float32 [N, 512], unit rows; features of places, float32 [N, P, D]; where
            the checkpoint has heads, their log odds, float32 [N, F].
        """
        found = self.encode_with_features(squares)
        parts = found.embeddings, self.places_of(found.features)
        return parts if self.heads is None else (*parts, self.heads.logits(found.features))

    def _heads_of(self, query: object) -> np.ndarray | None:
        """What the heads read of an encoded image, float32 [H]; None where they cannot."""
        features = query.features if isinstance(query, EncodedQuery) else None
        if self.heads is None or features is None:
            return None
        return self.heads.logits(features[None])[0]

    def _by_look(
        self, encoded: EncodedQuery, k: int, where: Where | Mapping[str, Any] | None
    ) -> list[Match]:
        """The k studies whose images show most of what a text asks for, labels left aside."""
        assert encoded.text is not None
        try:
            query = self._read_query(encoded.text).query
        except ValueError:  # nothing was understood: the cosine still says something
            return self._by_cosine(encoded.vector, k, where)
        gallery = self._open_gallery()
        cosines = gallery.cosines(encoded.vector)
        score = self._look.scores(query, cosines, self._ranking_weights)
        rows = gallery.passing(where)
        rows = np.arange(len(score)) if rows is None else rows
        looks = (Evidence("image", "looks like it"),)
        return [
            Match(
                gallery.studies[row],
                float(cosines[row]),
                self.scale.text_word(float(cosines[row]), encoded.vector),
                looks,
            )
            for row in rows[np.lexsort((rows, -score[rows]))][:k]
        ]

    def _by_cosine(
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


def _checked_evidence(evidence: str) -> str:
    if evidence not in EVIDENCE:
        raise ValueError(f"expected evidence out of {', '.join(EVIDENCE)}; got {evidence!r}")
    return evidence

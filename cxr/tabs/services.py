"""What every tab shares: the models, loaded once for all visitors, and the films as PNG."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cxr.defaults import GALLERY, GENERATOR, LOCALIZER, REPORTING, RETRIEVAL
from cxr.findings import FINDINGS, VIEWS, Study
from cxr.images import straighten
from cxr.tabs.localize.reference_masks import ReferenceMasks
from cxr.tabs.shared.image_urls import ImageUrls
from cxr.tabs.shared.models import Model, absent, loaded
from cxr.tabs.shared.zerogpu import with_gpu

log = logging.getLogger(__name__)

PHOTOGRAPH = "photograph"  # a kind of the gate's result: readable once it is straightened
PHOTOGRAPHED = (
    "This seems to be a photograph of a film with its surroundings: straighten it, so that the "
    "film alone is read"
)

BUILD_GALLERY = (
    "build one with python -m cxr gallery build ROOT --out DIR, or fetch one from the Hub "
    "(hf://datasets/OWNER/NAME); start again with CXR_GALLERY set to it"
)
FETCH_WEIGHTS = (
    "train one with accelerate launch -m train.retrieval, or set CXR_WEIGHTS to a folder or to "
    "hf://OWNER/NAME; then start again"
)
FETCH_LOCALIZER = (
    "train one with accelerate launch -m train.localizer, or set CXR_LOCALIZER to a folder or to "
    "hf://OWNER/NAME; then start again"
)
FETCH_GENERATOR = (
    "train one with accelerate launch -m train.gan, or set CXR_GENERATOR to a folder or to "
    "hf://OWNER/NAME; then start again"
)
FIT_REPORTING = (
    "fit it with python -m train.reporting --data ROOT, or set CXR_REPORTING to a folder or to "
    "hf://OWNER/NAME; then start again"
)


@dataclass(frozen=True)
class Facts:
    """What the gallery holds, counted once."""

    total: int
    findings: tuple[tuple[str, int], ...]  # present at least once, most frequent first
    views: tuple[str, ...]  # in VIEWS order
    examples: Mapping[str, Study]  # finding -> a film that shows it, alone where there is one

    @classmethod
    def of(cls, studies: list[Study]) -> Facts:
        """Count the studies of a gallery."""
        counts = Counter(finding for study in studies for finding in study.positive)
        views = {study.view for study in studies}
        examples: dict[str, Study] = {}
        for study in sorted(studies, key=lambda study: len(study.positive)):
            for finding in study.positive:
                examples.setdefault(finding, study)
        return cls(
            total=len(studies),
            findings=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
            views=tuple(view for view in VIEWS if view in views),
            examples=examples,
        )


class Services:
    """The models, each loaded on first use behind a lock, and the films that visitors may see.

    gallery, weights: as in Retriever.load. load(weights=, gallery=) makes the retriever; localizer
    and generator are two others. masks: a data set with outlines of the gallery's films, or "".
    suggester: makes reports; reporting, reports: as in ReportSuggester.load. Tests hand in theirs.
    """

    def __init__(
        self,
        gallery: str = GALLERY,
        weights: str = RETRIEVAL,
        load: Callable | None = None,
        localizer: Model | None = None,
        generator: Model | None = None,
        masks: str = "",
        suggester: Model | None = None,
        reporting: str = REPORTING,
        reports: str | None = None,
    ):
        self.gallery, self.weights = gallery, weights
        self.images = ImageUrls()
        self.reference_masks = ReferenceMasks(masks)
        self.localizer = localizer or Model(LOCALIZER, _load_localizer, FETCH_LOCALIZER)
        self.generator = generator or Model(GENERATOR, _load_generator, FETCH_GENERATOR)
        self.suggester = suggester or Model(reporting, self._load_suggester, FIT_REPORTING)
        self.reports = reports
        self._load = load or _load_retriever
        self._lock = threading.Lock()
        self._retriever = None
        self._facts: Facts | None = None

    @classmethod
    def from_environment(cls) -> Services:
        """Return services over what the environment names, else over what ships with the project.

        CXR_GALLERY, CXR_WEIGHTS, CXR_LOCALIZER, CXR_GENERATOR and CXR_REPORTING name folders or
        addresses; CXR_MASKS outlines to compare with; CXR_REPORTS a corpus of sentences.
        """
        place = os.environ.get
        return cls(
            gallery=place("CXR_GALLERY") or GALLERY,
            weights=place("CXR_WEIGHTS") or RETRIEVAL,
            localizer=Model(place("CXR_LOCALIZER") or LOCALIZER, _load_localizer, FETCH_LOCALIZER),
            generator=Model(place("CXR_GENERATOR") or GENERATOR, _load_generator, FETCH_GENERATOR),
            masks=place("CXR_MASKS") or "",
            reporting=place("CXR_REPORTING") or REPORTING,
            reports=place("CXR_REPORTS") or None,
        )

    @property
    def ready(self) -> bool:
        """Whether the models are in memory, so that a search answers at once."""
        return self._retriever is not None

    def missing(self) -> str:
        """One line on what to build or fetch before a search can work; "" when both are there."""
        if absent(self.gallery, "gallery.json"):
            return f"No gallery at {self.gallery} yet: {BUILD_GALLERY}."
        return self._untrained()

    def unreadable(self) -> str:
        """One line on what to train or fetch before a film can be read, which needs no gallery."""
        return self._untrained() or self.suggester.missing()

    def _untrained(self) -> str:
        if absent(self.weights, "config.json"):
            return f"No model at {self.weights} yet: {FETCH_WEIGHTS}."
        return ""

    def retriever(self):
        """The one Retriever of this process. Raises ValueError, with the remedy."""
        with self._lock:
            if self._retriever is None:
                if problem := self.missing():
                    raise ValueError(problem)
                retriever = loaded(lambda: self._load(weights=self.weights, gallery=self.gallery))
                self._facts = Facts.of(retriever.gallery.studies)
                retriever.scale  # noqa: B018 - kept here; what a call on a GPU keeps is lost with it
                self._retriever = with_gpu(retriever)
        return self._retriever

    def _load_suggester(self, weights: str):
        """Around the retriever that is there already; without studies where there is no gallery."""
        from cxr.reporting import ReportSuggester

        if absent(self.gallery, "gallery.json"):
            if problem := self._untrained():
                raise ValueError(problem)
            retriever = with_gpu(self._load(weights=self.weights, gallery=None))
        else:
            retriever = self.retriever()
        return ReportSuggester.with_retriever(retriever, weights, self.reports, self.weights)

    def ood_warning(self, film, encoded=None) -> str:
        """Return why a PIL image hardly is a frontal chest X-ray, in words.

        "" where it may be one, or where the gate that could tell is missing. encoded: as for
        ReportSuggester.judge.
        """
        try:
            return self.suggester.get().judge(film, encoded).warning
        except ValueError as error:
            log.info("no film is doubted: %s", error)
            return ""

    def suggest(self, image, force: bool = False, setting: str = "ward"):
        """As ReportSuggester.suggest, of a PIL image that is measured first.

        It warns where the image seems to be mirrored.
        """
        measured = self.measure(image)
        suggester = self.suggester.get()
        suggestion = suggester.suggest(image, force, measured=measured, setting=setting)
        if not (suggestion.in_domain or force) and self._readable_once_straightened(image):
            verdict = replace(suggestion.verdict, kind=PHOTOGRAPH, warning=PHOTOGRAPHED)
            return replace(suggestion, verdict=verdict, warnings=[PHOTOGRAPHED])
        return suggestion

    def read_findings(self, image):
        """The findings of `suggest`, of a PIL image that is taken for a chest X-ray; no report."""
        suggester = self.suggester.get()
        features = suggester.retriever.encode(image).features
        return suggester.findings(features, self.measure(image))

    def _readable_once_straightened(self, image) -> bool:
        """Whether a PIL image is a photograph of a frontal chest X-ray, cut out by straighten."""
        straightened = straighten(image)
        return straightened is not None and self.suggester.get().judge(straightened).in_domain

    def measure(self, image):
        """Return the Measurements of a PIL image; None where nothing can be measured."""
        from cxr.reporting import measure_image

        try:
            return measure_image(self.localizer.get(), image)
        except ValueError as error:
            log.info("nothing is measured: %s", error)
            return None

    def mirror_warning(self, image) -> str:
        """Return a warning where a PIL image seems to be mirrored; "" elsewhere, or untold."""
        from cxr.localization import mirror_warning

        try:
            return mirror_warning(self.localizer.get(), image)
        except ValueError as error:
            log.info("no image is checked for being mirrored: %s", error)
            return ""

    def similarity(self, match) -> tuple[str, int]:
        """A Match's similarity in words, and its place: 1 for the weakest, 4 for the strongest."""
        from cxr.retrieval import WORDS

        return match.similarity, len(WORDS) - WORDS.index(match.similarity)

    def facts(self) -> Facts:
        """Counts over the gallery; loads it when need be. Raises ValueError as retriever does."""
        self.retriever()
        assert self._facts is not None, "counted when the retriever is loaded"
        return self._facts

    def load(self, progress: Callable[[str], None]) -> None:
        """Load all that is there, so that every first answer is quick.

        Args:
            progress: is given one line a step.
        """
        models = {"Read": self.suggester, "Localize": self.localizer, "Generate": self.generator}
        parts = {"Search": self.facts} | {tab: model.get for tab, model in models.items()}
        for tab, load in parts.items():
            progress(f"{tab}: loading")
            try:
                load()
            except ValueError as error:
                progress(f"{tab}: {error}")
            else:
                progress(f"{tab}: ready")


def finding_choices(facts: Facts | None) -> list[tuple[str, str]]:
    """(words, name) of each finding to filter on; with counts once the gallery is known."""
    if facts is None:
        return [(name, name) for name in FINDINGS]
    counts = dict(facts.findings)
    return [(f"{name} ({counts[name]:,})", name) for name in FINDINGS if name in counts]


def _load_retriever(weights: str, gallery: str | None):
    from cxr.retrieval import Retriever

    return Retriever.load(weights=weights, gallery=gallery)


def _load_localizer(weights: str):
    from cxr.localization import Localizer

    return Localizer.load(weights=weights)


def _load_generator(weights: str):
    from cxr.generation import Sampler

    return Sampler.load(weights=weights)

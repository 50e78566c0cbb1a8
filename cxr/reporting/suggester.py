"""A film -> findings with probabilities, a suggested report, and the evidence for each sentence.

Sentence-level retrieval as in CXR-RePaiR (Endo et al. 2021) and X-REM (Jeong et al. 2023), bounded
by calibrated findings: a sentence may say only what the findings bear out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.checkpoints import load_checkpoint
from cxr.defaults import GALLERY, REPORTING, RETRIEVAL
from cxr.findings import Study
from cxr.images import load_image
from cxr.language import affirmative
from cxr.reporting.calibration import Calibration
from cxr.reporting.claims import ABSENT
from cxr.reporting.compose import Sentence, compose_report, report_text
from cxr.reporting.corpus import load_corpus
from cxr.reporting.features import THUMBNAIL, FilmFeatures, film_features
from cxr.reporting.ood_gate import OODGate, OODResult
from cxr.reporting.phrases import Phrase, phrase_bank
from cxr.retrieval import Match, Retriever

SIMILAR = 12  # studies shown as evidence
CANDIDATES = 60  # similar studies among which a finding's support is looked for
SUPPORT = 3  # studies a sentence
ALTERNATIVES = 4  # further sentences a sentence


@dataclass(frozen=True)
class Finding:
    """A finding's probability in [0, 1], its 95% interval, a word ("likely", "possible",
    "not sure", "unlikely"), and the prompts that its score rests on: "X", and "no X".
    """

    name: str
    probability: float
    low: float
    high: float
    word: str = ""
    prompt: str = ""


@dataclass(frozen=True)
class Suggestion:
    """What a film suggests.

    findings: the most probable first. report: "Findings: ..." and "Impression: ..."; "" for a
    picture that was refused, as then findings are empty too. evidence: similar studies, best
    first. sentences: the report's, each with its evidence. verdict: what the gate said.
    """

    findings: list[Finding]
    report: str
    evidence: list[Match]
    in_domain: bool
    warnings: list[str]
    sentences: list[Sentence]
    verdict: OODResult


class ReportSuggester:
    """Retriever, calibration, gate and sentences; safe to call from several threads.

    Attributes:
        retriever: its gallery, if any, is where evidence comes from.
        calibration, gate: fitted for this retriever's encoder.
    """

    def __init__(
        self,
        retriever: Retriever,
        calibration: Calibration,
        gate: OODGate,
        phrases: Sequence[Phrase] | None = None,
    ) -> None:
        self.retriever, self.calibration, self.gate = retriever, calibration, gate
        self._phrases = tuple(phrase_bank() if phrases is None else phrases)
        self._vectors = retriever.encode_text([phrase.text for phrase in self._phrases])
        self._by_claims: dict[frozenset, list[int]] = {}
        for row, phrase in enumerate(self._phrases):
            self._by_claims.setdefault(frozenset(phrase.claims), []).append(row)

    @classmethod
    def load(
        cls,
        weights: str | Path = RETRIEVAL,
        gallery: str | Path | None = GALLERY,
        reporting: str | Path = REPORTING,
        reports: str | Path | None = None,
    ) -> ReportSuggester:
        """Load everything.

        Args:
            weights: as for Retriever.load.
            gallery: as for Retriever.load; None: suggestions without studies.
            reporting: folder or "hf://owner/name" with the calibration and the gate.
            reports: folder of a report corpus (python -m cxr reports build); None: own phrases.

        Returns:
            The suggester, safe to call from several threads.

        Raises:
            ValueError: something is missing or damaged, or was fitted for another encoder.
        """
        return cls.with_retriever(Retriever.load(weights, gallery), reporting, reports, weights)

    @classmethod
    def with_retriever(
        cls,
        retriever: Retriever,
        reporting: str | Path = REPORTING,
        reports: str | Path | None = None,
        weights: str | Path = RETRIEVAL,
    ) -> ReportSuggester:
        """The same around a retriever that is loaded already. Raises ValueError as `load`."""
        calibration, gate = load_reporting(reporting, retriever.encoder, weights)
        phrases = phrase_bank() + (load_corpus(reports) if reports is not None else ())
        return cls(retriever, calibration, gate, phrases)

    def suggest(
        self, image: Image.Image, force: bool = False, embedding: np.ndarray | None = None
    ) -> Suggestion:
        """Suggest findings and a report for an image.

        Args:
            image: any PIL image.
            force: read a picture that the gate refuses all the same; the warning stays.
            embedding: the image's, float32 [512] as Retriever.encode gives it; None: computed.

        Returns:
            Findings, report, evidence and warnings; findings and report are empty for an image
            that the gate refuses, unless `force`.

        Raises:
            ValueError: an unreadable image.
        """
        features = self._features(image, embedding)
        verdict = self.gate.judge(features)
        warnings = [] if verdict.in_domain else [verdict.warning]
        vector = features.embeddings[0]
        near = self._nearest(vector)
        if not (verdict.in_domain or force):
            return Suggestion([], "", near[:SIMILAR], False, warnings, [], verdict)
        findings = self.findings(vector)
        told = self._sentences(vector, findings, near)
        return Suggestion(
            findings, report_text(told), near[:SIMILAR], verdict.in_domain, warnings, told, verdict
        )

    def judge(self, image: Image.Image, embedding: np.ndarray | None = None) -> OODResult:
        """Whether an image looks like a frontal chest X-ray.

        Args:
            image: any PIL image.
            embedding: as for `suggest`.

        Raises:
            ValueError: an unreadable image.
        """
        return self.gate.judge(self._features(image, embedding))

    def _features(self, image: Image.Image, embedding: np.ndarray | None) -> FilmFeatures:
        film = load_image(image)
        if embedding is None:
            return film_features(self.retriever, [film])
        return FilmFeatures(embedding[None], THUMBNAIL.square(film)[None])

    def findings(self, embedding: np.ndarray) -> list[Finding]:
        """Every finding of a film, the most probable first. embedding: float [512], unit."""
        row = embedding[None]
        chances = self.calibration.probabilities(row)[0]
        low, high = (bound[0] for bound in self.calibration.intervals(row))
        found = [
            Finding(
                name,
                float(chances[i]),
                float(low[i]),
                float(high[i]),
                self.calibration.bands.word(float(chances[i])),
                affirmative(name)[0],
            )
            for i, name in enumerate(self.calibration.findings)
        ]
        return sorted(found, key=lambda finding: -finding.probability)

    def sentences_for(self, embedding: np.ndarray, findings: Sequence[Finding]) -> list[Sentence]:
        """The report's sentences for a film's embedding, float [512], without studies."""
        return self._sentences(embedding, findings, [])

    def _sentences(
        self, vector: np.ndarray, findings: Sequence[Finding], near: Sequence[Match]
    ) -> list[Sentence]:
        fits = self._vectors @ vector
        told = compose_report(
            {one.name: one.word for one in findings}, lambda claims: self._choose(claims, fits)
        )
        by_name = {one.name: one for one in findings}
        return [self._with_evidence(one, by_name, near, fits) for one in told]

    def _choose(self, claims: Mapping[str, str], fits: np.ndarray) -> tuple[Phrase, float] | None:
        rows = [
            row
            for row in self._by_claims.get(frozenset(claims.items()), ())
            if self._phrases[row].neutral
        ]
        if not rows:
            return None
        best = max(rows, key=lambda row: fits[row])
        return self._phrases[best], float(fits[best])

    def _with_evidence(
        self,
        sentence: Sentence,
        findings: Mapping[str, Finding],
        near: Sequence[Match],
        fits: np.ndarray,
    ) -> Sentence:
        """A sentence that raises one finding gets that finding's evidence; one that denies some,
        the chance of the likeliest and studies labelled as without any of them.
        """
        if not sentence.claims:
            return sentence
        if ABSENT in sentence.claims.values():
            without = [match for match in near if _lacks(match.study, sentence.claims)]
            chance = max(findings[name].probability for name in sentence.claims)
            return replace(sentence, probability=chance, support=tuple(without[:SUPPORT]))
        (name,) = sentence.claims
        carried = [match for match in near if match.study.findings.get(name) == 1]
        rows = [
            row
            for row in self._by_claims.get(frozenset(sentence.claims.items()), ())
            if not self._phrases[row].neutral
        ]
        best = sorted(rows, key=lambda row: -fits[row])[:ALTERNATIVES]
        return replace(
            sentence,
            probability=findings[name].probability,
            support=tuple(carried[:SUPPORT]),
            prompt=findings[name].prompt,
            alternatives=tuple(self._phrases[row].text for row in best),
        )

    def _nearest(self, vector: np.ndarray) -> list[Match]:
        gallery = self.retriever.gallery
        if gallery is None:
            return []
        return self.retriever.matches(gallery.search(vector, CANDIDATES))


def _lacks(study: Study, names: Iterable[str]) -> bool:
    """Whether a study is labelled as without any of these findings."""
    healthy = study.findings.get("no finding") == 1
    return all(study.findings.get(name, 0 if healthy else None) == 0 for name in names)


def load_reporting(
    folder: str | Path, encoder: str, weights: str | Path = RETRIEVAL
) -> tuple[Calibration, OODGate]:
    """Calibration and gate of a checkpoint that train.reporting.train wrote.

    Args:
        folder: or "hf://owner/name". encoder: sha256 of the encoder that they must belong to.
        weights: where that encoder lies, for the command in the error.

    Raises:
        ValueError: missing, damaged, or fitted for another encoder.
    """
    refit = f"python -m train.reporting --weights {weights} --data ROOT --out {folder}"
    try:
        config, state = load_checkpoint(folder)
    except ValueError as error:
        raise ValueError(f"{error}; or fit it: {refit}") from error
    if config.get("encoder") != encoder:
        raise ValueError(
            f"expected a calibration of encoder {encoder[:12]}, {folder} was fitted for "
            f"{str(config.get('encoder'))[:12]}; fit it again: {refit}"
        )
    arrays = {name: value.numpy() for name, value in state.items()}
    try:
        parts = config["calibration"], config["gate"]
    except KeyError as error:
        raise ValueError(
            f"expected a calibration and a gate in {folder}, it has no {error}; fit them: {refit}"
        ) from error
    return Calibration.read(parts[0], arrays), OODGate.read(parts[1], arrays)

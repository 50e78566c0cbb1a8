"""An image -> findings with probabilities, a suggested report, and the evidence for each sentence.

Sentence-level retrieval as in CXR-RePaiR (Endo et al. 2021) and X-REM (Jeong et al. 2023), bounded
by calibrated findings: a sentence may say only what the findings bear out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr.checkpoints import load_checkpoint
from cxr.defaults import GALLERY, REPORTING, RETRIEVAL
from cxr.findings import Study, caption
from cxr.images import load_image
from cxr.language import affirmative
from cxr.reporting.calibration import LIKELY, NOT_ASSESSED, Calibration, OperatingPoint
from cxr.reporting.claims import ABSENT
from cxr.reporting.compose import Sentence, compose_report, report_text
from cxr.reporting.corpus import load_corpus
from cxr.reporting.ood_gate import THUMBNAIL, FilmFeatures, OODGate, OODResult, film_features
from cxr.reporting.phrases import Phrase, phrase_bank
from cxr.retrieval import Match, Retriever

SIMILAR = 12  # studies shown as evidence
CANDIDATES = 60  # similar studies among which a finding's support is looked for
SUPPORT = 3  # studies a sentence
ALTERNATIVES = 4  # further sentences a sentence


LARGEST_NORMAL_RATIO = 0.5  # of heart and chest on a PA image (Danzer 1919)


@dataclass(frozen=True)
class Finding:
    """What an image says about a finding.

    Attributes:
        name: of the finding.
        probability: in [0, 1].
        low, high: its 95% interval.
        word: "likely", "possible", "not sure", "unlikely" or "not assessed".
        prompt: the prompt that its score rests on, against which "no X" is held.
        assessed: False where the model sees the finding too rarely to raise or deny it.
        operating_point: what was measured on validation images; None where nothing was.
    """

    name: str
    probability: float
    low: float
    high: float
    word: str = ""
    prompt: str = ""
    assessed: bool = True
    operating_point: OperatingPoint | None = None


@dataclass(frozen=True)
class Suggestion:
    """What an image suggests.

    Attributes:
        findings: the most probable first, those that are not assessed last; empty for an image that
            was refused.
        report: "Findings: ..." and "Impression: ..."; "" for an image that was refused.
        evidence: similar studies, best first.
        in_domain: whether the gate took it for a frontal chest X-ray.
        warnings: what the reader must know, in sentences.
        sentences: the report's, each with its evidence.
        verdict: what the gate said.
    """

    findings: list[Finding]
    report: str
    evidence: list[Match]
    in_domain: bool
    warnings: list[str]
    sentences: list[Sentence]
    verdict: OODResult

    @property
    def not_assessed(self) -> tuple[str, ...]:
        """The findings that the model sees too rarely to raise or deny them."""
        return tuple(one.name for one in self.findings if not one.assessed)


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
        self._rows: dict[tuple[frozenset, bool], list[int]] = {}  # by claims, and whether likely
        for row, phrase in enumerate(self._phrases):
            self._rows.setdefault((frozenset(phrase.claims), phrase.likely), []).append(row)

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
        """Do as `load` does, around a retriever that is loaded already."""
        calibration, gate = load_reporting(reporting, retriever.encoder, weights)
        phrases = phrase_bank() + (load_corpus(reports) if reports is not None else ())
        return cls(retriever, calibration, gate, phrases)

    def suggest(
        self,
        image: Image.Image,
        force: bool = False,
        embedding: np.ndarray | None = None,
        heart_ratio: float | None = None,
    ) -> Suggestion:
        """Suggest findings and a report for an image.

        Args:
            image: any PIL image.
            force: read an image that the gate refuses all the same; the warning stays.
            embedding: the image's, float32 [512] as Retriever.encode gives it; None: computed.
            heart_ratio: the measured cardiothoracic ratio; the heart is called normal only beside
                one of at most LARGEST_NORMAL_RATIO.

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
        composed = self._sentences(vector, findings, near, heart_ratio)
        text, similar = report_text(composed), near[:SIMILAR]
        return Suggestion(findings, text, similar, verdict.in_domain, warnings, composed, verdict)

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
        loaded = load_image(image)
        if embedding is None:
            return film_features(self.retriever, [loaded])
        return FilmFeatures(embedding[None], THUMBNAIL.square(loaded)[None])

    def findings(self, embedding: np.ndarray) -> list[Finding]:
        """Read every finding from an embedding.

        Args:
            embedding: float [512], a unit vector.

        Returns:
            The findings, the most probable first, those that are not assessed last.
        """
        row = embedding[None]
        chances = self.calibration.probabilities(row)[0]
        low, high = (bound[0] for bound in self.calibration.intervals(row))
        found = [
            self._finding(name, float(chances[i]), float(low[i]), float(high[i]))
            for i, name in enumerate(self.calibration.findings)
        ]
        return sorted(found, key=lambda finding: (not finding.assessed, -finding.probability))

    def _finding(self, name: str, probability: float, low: float, high: float) -> Finding:
        word, prompt = self.calibration.word(name, probability), affirmative(name)[0]
        point = self.calibration.operating_points.get(name)
        return Finding(name, probability, low, high, word, prompt, word != NOT_ASSESSED, point)

    def sentences_for(self, embedding: np.ndarray, findings: Sequence[Finding]) -> list[Sentence]:
        """The report's sentences for an image's embedding, float [512], without studies."""
        return self._sentences(embedding, findings, [], None)

    def _sentences(
        self,
        vector: np.ndarray,
        findings: Sequence[Finding],
        near: Sequence[Match],
        heart_ratio: float | None,
    ) -> list[Sentence]:
        fits = self._vectors @ vector
        deniable = {
            one.name for one in findings if self.calibration.may_deny(one.name, one.probability)
        }
        if heart_ratio is None or heart_ratio > LARGEST_NORMAL_RATIO:
            deniable.discard("cardiomegaly")
        composed = compose_report(
            {one.name: one.word for one in findings},
            lambda claims, word: self._choose(claims, word, fits),
            deniable,
            {one.name: one.probability / self.calibration.prior(one.name) for one in findings},
        )
        by_name = {one.name: one for one in findings}
        return [self._with_evidence(one, by_name, near, fits) for one in composed]

    def _choose(
        self, claims: Mapping[str, str], word: str, fits: np.ndarray
    ) -> tuple[Phrase, float] | None:
        rows = [
            row
            for row in self._rows.get((frozenset(claims.items()), word == LIKELY), ())
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
        """Add what a sentence rests on.

        One that raises a finding gets that finding's evidence; one that denies some, the
        probability of the likeliest, the least negative predictive value, and studies labelled as
        without any of them.
        """
        if not sentence.claims:
            return sentence
        if ABSENT in sentence.claims.values():
            without = [match for match in near if _lacks(match.study, sentence.claims)]
            points = (findings[name].operating_point for name in sentence.claims)
            return replace(
                sentence,
                probability=max(findings[name].probability for name in sentence.claims),
                support=tuple(without[:SUPPORT]),
                npv=min(one.npv for one in points if one is not None and one.npv is not None),
            )
        (name,) = sentence.claims
        carried = [match for match in near if match.study.findings.get(name) == 1]
        claims = frozenset(sentence.claims.items())
        rows = [
            row
            for row in self._rows.get((claims, findings[name].word == LIKELY), ())
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
        folder: or "hf://owner/name".
        encoder: sha256 of the encoder that they must belong to.
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
        points = config.get("operating_points", {})
        parts = config["calibration"] | {"operating_points": points}, config["gate"]
    except KeyError as error:
        raise ValueError(
            f"expected a calibration and a gate in {folder}, it has no {error}; fit them: {refit}"
        ) from error
    return Calibration.read(parts[0], arrays), OODGate.read(parts[1], arrays)


def as_document(suggestion: Suggestion) -> dict[str, Any]:
    """A suggestion as JSON-able values, for the command line and for programs.

    A number that is not known is null. Holds no path of this machine.
    """
    return {
        "in_domain": suggestion.in_domain,
        "warnings": suggestion.warnings,
        "gate": asdict(suggestion.verdict),
        "report": suggestion.report,
        "findings": [asdict(one) for one in suggestion.findings],
        "not_assessed": list(suggestion.not_assessed),
        "sentences": [_sentence_document(one) for one in suggestion.sentences],
        "evidence": [_match_document(one) for one in suggestion.evidence],
        "note": "for education, not for diagnosis",
    }


def _sentence_document(sentence: Sentence) -> dict[str, Any]:
    return {
        "text": sentence.text,
        "section": sentence.section,
        "claims": dict(sentence.claims),
        "probability": _number(sentence.probability),
        "npv": _number(sentence.npv),
        "similarity": _number(sentence.similarity),
        "source": sentence.source,
        "origin": sentence.origin,
        "prompt": sentence.prompt,
        "support": [_match_document(match) for match in sentence.support],
        "alternatives": list(sentence.alternatives),
    }


def _match_document(match: Match) -> dict[str, Any]:
    return {
        "id": match.study.id,
        "source": match.study.source,
        "score": round(match.score, 4),
        "similarity": match.similarity,
        "caption": caption(match.study),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)

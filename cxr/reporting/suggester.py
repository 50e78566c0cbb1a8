"""An image -> findings with probabilities, a suggested report, and the evidence for each sentence.

Sentence-level retrieval as in CXR-RePaiR (Endo et al. 2021) and X-REM (Jeong et al. 2023), bounded
by calibrated findings: a sentence may say only what the findings bear out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from cxr.checkpoints import load_checkpoint
from cxr.defaults import GALLERY, REPORTING, RETRIEVAL
from cxr.findings import Study
from cxr.images import load_image
from cxr.reporting.calibration import LIKELY, Calibration, Finding
from cxr.reporting.claims import ABSENT
from cxr.reporting.compose import Sentence, compose_report, report_text
from cxr.reporting.corpus import load_corpus
from cxr.reporting.measured import Measurements
from cxr.reporting.ood_gate import THUMBNAIL, FilmFeatures, OODGate, OODResult, film_features
from cxr.reporting.overall import Overall
from cxr.reporting.phrases import Phrase, phrase_bank
from cxr.retrieval import EncodedQuery, Match, Retriever

SIMILAR = 12  # studies shown as evidence
CANDIDATES = 60  # similar studies among which a finding's support is looked for
SUPPORT = 3  # studies a sentence
ALTERNATIVES = 4  # further sentences a sentence


WARD = "ward"  # the setting that probabilities were fitted in


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
        measurements: what was measured on the image; None where nothing was, or it was refused.
        overall: whether the image looks abnormal as a whole; None where nothing says so, or it was
            refused.
    """

    findings: list[Finding]
    report: str
    evidence: list[Match]
    in_domain: bool
    warnings: list[str]
    sentences: list[Sentence]
    verdict: OODResult
    measurements: Measurements | None = None
    overall: Overall | None = None

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
        self._rows: dict[tuple[frozenset, bool], list[int]] = {}  # by claims, and whether likely
        for row, phrase in enumerate(self._phrases):
            self._rows.setdefault((frozenset(phrase.claims), phrase.likely), []).append(row)

    @cached_property
    def _vectors(self) -> np.ndarray:
        """The phrases' embeddings, float32 [P, 512]; encoded when the first report is written."""
        return self.retriever.encode_text([phrase.text for phrase in self._phrases])

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
        encoded: EncodedQuery | None = None,
        measured: Measurements | None = None,
        setting: str = WARD,
    ) -> Suggestion:
        """Suggest findings and a report for an image.

        Args:
            image: any PIL image.
            force: read an image that the gate refuses all the same; the warning stays.
            encoded: the image as Retriever.encode gives it; None: encoded here.
            measured: what measure_image says of the image. It enters the probabilities, the heart
                is called normal only beside a cardiothoracic ratio that is surely not enlarged, and
                the report names that and the places of findings.
            setting: where the image comes from, one of SETTINGS; it changes the probabilities.

        Returns:
            Findings, report, evidence and warnings; findings and report are empty for an image
            that the gate refuses, unless `force`.

        Raises:
            ValueError: an unreadable image, or an unknown setting.
        """
        calibration = self._calibration(measured).in_setting(setting)
        features = self._features(image, encoded)
        verdict = self.gate.judge(features)
        warnings = [] if verdict.in_domain else [verdict.warning]
        if verdict.in_domain and measured is not None and measured.mirrored:
            warnings.append(measured.mirrored)
        vector = features.embeddings[0]
        near = self._nearest(vector)
        if not (verdict.in_domain or force):
            return Suggestion([], "", near[:SIMILAR], False, warnings, [], verdict)
        findings = calibration.findings_of(features.features[0])
        overall = _overall(calibration, features.features[0], findings)
        composed = self._sentences(vector, findings, near, measured, calibration, overall)
        return Suggestion(
            findings,
            report_text(composed),
            near[:SIMILAR],
            verdict.in_domain,
            warnings,
            composed,
            verdict,
            measured,
            overall,
        )

    def _calibration(self, measured: Measurements | None) -> Calibration:
        return self.calibration.with_measured({} if measured is None else measured.values)

    def judge(self, image: Image.Image, encoded: EncodedQuery | None = None) -> OODResult:
        """Whether an image looks like a frontal chest X-ray.

        Args:
            image: any PIL image.
            encoded: as for `suggest`.

        Raises:
            ValueError: an unreadable image.
        """
        return self.gate.judge(self._features(image, encoded))

    def _features(self, image: Image.Image, encoded: EncodedQuery | None) -> FilmFeatures:
        loaded = load_image(image)
        if encoded is None or encoded.features is None:
            return film_features(self.retriever, [loaded])
        thumbnail = THUMBNAIL.square(loaded)[None]
        return FilmFeatures(encoded.vector[None], thumbnail, encoded.features[None])

    def findings(self, features: np.ndarray, measured: Measurements | None = None) -> list[Finding]:
        """Read every finding from an image's features.

        Args:
            features: float [W], as Retriever.encode gives them.
            measured: as for `suggest`.

        Returns:
            The findings, the most probable first, those that are not assessed last.
        """
        return self._calibration(measured).findings_of(features)

    def overall(self, features: np.ndarray, findings: Sequence[Finding]) -> Overall | None:
        """Judge an image as a whole.

        Args:
            features: float [W], as Retriever.encode gives them.
            findings: of the image, as `findings` reads them.

        Returns:
            The judgement; None where the checkpoint holds none.
        """
        return _overall(self.calibration, features, findings)

    def sentences_for(
        self,
        embedding: np.ndarray,
        findings: Sequence[Finding],
        measured: Measurements | None = None,
        overall: Overall | None = None,
    ) -> list[Sentence]:
        """The report's sentences for an image's embedding, float [512], without studies."""
        calibration = self._calibration(measured)
        return self._sentences(embedding, findings, [], measured, calibration, overall)

    def _sentences(
        self,
        vector: np.ndarray,
        findings: Sequence[Finding],
        near: Sequence[Match],
        measured: Measurements | None,
        calibration: Calibration,
        overall: Overall | None,
    ) -> list[Sentence]:
        fits = self._vectors @ vector
        deniable = {one.name for one in findings if calibration.may_deny(one.name, one.probability)}
        heart = None if measured is None else measured.heart
        if heart is None or heart.enlarged or heart.borderline:
            deniable.discard("cardiomegaly")
        composed = compose_report(
            {one.name: one.word for one in findings},
            lambda claims, word: self._choose(claims, word, fits),
            deniable,
            {one.name: one.probability / calibration.prior(one.name) for one in findings},
            measured,
            "" if overall is None else overall.word,
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


def _overall(
    calibration: Calibration, features: np.ndarray, findings: Sequence[Finding]
) -> Overall | None:
    judged = calibration.overall(features)
    return judged and judged.beside(any(one.suggested for one in findings))


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

"""The report suggester: what it suggests, on what evidence, and what it refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from gallery_helpers import make_studies, telling_dual_encoder
from PIL import Image
from reporting_parts import FEATURES, save_reporting

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.checkpoints.io import load_checkpoint, save_checkpoint
from cxr.findings import NIH_FINDINGS
from cxr.gallery.gallery import build_gallery
from cxr.reporting.calibration import Calibration, Finding, MeasuredTerm, OperatingPoint
from cxr.reporting.claims import ABSENT, POSSIBLE, contradictions, labels_of_text
from cxr.reporting.document import as_document
from cxr.reporting.measured import HeartRatio, Measurements
from cxr.reporting.ood_gate import WARNING
from cxr.reporting.overall import (
    LOOKS_ABNORMAL,
    LOOKS_NORMAL,
    Abnormality,
    OverallPoint,
)
from cxr.reporting.phrases import BANK
from cxr.reporting.suggester import ReportSuggester
from cxr.retrieval.retriever import Retriever

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights(film, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "tiny"
    return save_dual_encoder(telling_dual_encoder(film), folder)


@pytest.fixture(scope="module")
def reporting(weights, tmp_path_factory):
    return save_reporting(tmp_path_factory.mktemp("reporting") / "own", fingerprint(weights))


@pytest.fixture(scope="module")
def suggester(weights, reporting, film, tmp_path_factory) -> ReportSuggester:
    folder = tmp_path_factory.mktemp("gallery")
    encoder = Retriever.load(weights, gallery=None)
    studies = [
        replace(study, findings={**dict.fromkeys(NIH_FINDINGS, 0), **study.findings})
        for study in make_studies(folder / "films", 12, film)
    ]
    build_gallery(
        studies,
        encoder.encode_prepared,
        folder / "gallery",
        encoder.encoder,
        progress=False,
        prepare=encoder.prepare,
    )
    return ReportSuggester.load(weights, folder / "gallery", reporting)


SEEN = OperatingPoint(True, 0.2, 0.8, 0.9, 0.98, 0.1, 20, "expert")
UNSEEN = replace(SEEN, assessed=False, sensitivity=0.2)


def with_points(suggester: ReportSuggester, **points: OperatingPoint) -> ReportSuggester:
    """The same suggester; every finding is assessed but those given."""
    every = dict.fromkeys(NIH_FINDINGS, SEEN) | points
    calibration = replace(suggester.calibration, operating_points=every)
    return ReportSuggester(suggester.retriever, calibration, suggester.gate)


def without_scores(suggester: ReportSuggester, *names: str, offset: float = 0) -> Calibration:
    """A calibration whose scores of these findings are the same for every image."""
    calibration = suggester.calibration
    directions, offsets = calibration.directions.copy(), calibration.offsets.copy()
    for name in names:
        directions[:, NIH_FINDINGS.index(name)], offsets[NIH_FINDINGS.index(name)] = 0, offset
    return replace(calibration, directions=directions, offsets=offsets)


def denied_in(suggestion) -> set[str]:
    return {
        name
        for one in suggestion.sentences
        for name, state in one.claims.items()
        if state == ABSENT
    }


def test_without_operating_points_nothing_is_denied(suggester, film):
    for seed in range(6):
        suggestion = suggester.suggest(film(seed))
        assert denied_in(suggestion) == set() and suggestion.not_assessed == ()
        assert "clear" not in suggestion.report and "heart" not in suggestion.report.lower()


def test_what_is_not_assessed_comes_last_and_is_neither_raised_nor_denied(suggester, film):
    fewer = with_points(suggester, edema=UNSEEN, mass=UNSEEN)
    for seed in range(6):
        suggestion = fewer.suggest(film(seed))
        assert set(suggestion.not_assessed) == {"edema", "mass"}
        last = suggestion.findings[-2:]
        assert [one.word for one in last] == ["not assessed"] * 2
        assert not any(one.assessed for one in last)
        assert not any({"edema", "mass"} & set(one.claims) for one in suggestion.sentences)
        assert "Not assessed by this model: " in suggestion.report
        document = as_document(suggestion)
        assert set(document["not_assessed"]) == {"edema", "mass"}
        assert [one["assessed"] for one in document["findings"]].count(False) == 2


def test_a_denial_says_its_negative_predictive_value(suggester, film):
    every = with_points(suggester, edema=replace(SEEN, npv=0.91), hernia=replace(SEEN, npv=None))
    denials = [
        one
        for seed in range(6)
        for one in every.suggest(film(seed)).sentences
        if ABSENT in one.claims.values()
    ]
    assert denials
    for one in denials:
        assert one.npv == (0.91 if "edema" in one.claims else 0.98)
        assert "hernia" not in one.claims


@pytest.mark.parametrize(
    ("ratio", "denied"),
    [(None, False), (HeartRatio(0.59), False), (HeartRatio(0.45), True)]
    + [(HeartRatio(0.45, 0.41, 0.49), True), (HeartRatio(0.48, 0.44, 0.52), False)],
)
def test_the_heart_is_called_normal_only_beside_a_normal_measured_ratio(
    suggester, film, ratio, denied
):
    shift = np.zeros(len(NIH_FINDINGS), np.float32)
    shift[NIH_FINDINGS.index("cardiomegaly")] = 40  # far below any threshold
    calibration = replace(suggester.calibration, offsets=suggester.calibration.offsets - shift)
    every = with_points(ReportSuggester(suggester.retriever, calibration, suggester.gate))
    measured = None if ratio is None else Measurements(ratio)
    suggestion = every.suggest(film(2), measured=measured)
    assert ("cardiomegaly" in denied_in(suggestion)) is denied
    assert ("ardiothoracic ratio" in suggestion.report) is (ratio is not None)
    assert ("cardiomegaly" in labels_of_text(suggestion.report)) is denied


def test_a_measured_ratio_enters_the_probability_of_cardiomegaly_alone(suggester, film):
    count = 1 + len(suggester.calibration.refits)
    weights = np.tile(np.array([1.0, 20.0, -10.0], np.float32), (count, 1))
    point = replace(SEEN, threshold=0.3)
    terms = {"cardiomegaly": MeasuredTerm(weights, point)}
    calibration = replace(without_scores(suggester, "cardiomegaly"), terms=terms)
    joined = ReportSuggester(suggester.retriever, calibration, suggester.gate)

    def read(ratio: float | None, setting: str = "ward") -> dict[str, Finding]:
        measured = None if ratio is None else Measurements(HeartRatio(ratio))
        suggestion = joined.suggest(film(2), measured=measured, setting=setting)
        assert suggestion.measurements == measured
        return {one.name: one for one in suggestion.findings}

    def odds(finding: Finding) -> float:
        return finding.probability / (1 - finding.probability)

    without, small, large = read(None), read(0.45), read(0.55)
    name = "cardiomegaly"
    assert odds(large[name]) == pytest.approx(np.exp(2) * odds(small[name]), rel=1e-3)
    assert odds(large[name]) == pytest.approx(np.exp(1) * odds(without[name]), rel=1e-3)
    assert large[name].low < large[name].probability < large[name].high
    assert large[name].operating_point == point and without[name].operating_point is None
    for other in set(without) - {name}:
        assert large[other] == without[other]
    screened = read(0.55, "screening")[name]
    assert odds(screened) == pytest.approx(0.1 * odds(large[name]), rel=1e-3)
    assert screened.operating_point.threshold == pytest.approx(0.03 / 0.73)


def test_a_report_says_where_a_finding_lies_and_how_large_the_heart_is(suggester, film):
    places = {"pleural effusion": "on the left", "mass": "in the right lung"}
    measured = Measurements(HeartRatio(0.57, 0.53, 0.61), places)
    calibration = without_scores(suggester, "pleural effusion", "cardiomegaly", offset=5)
    every = with_points(ReportSuggester(suggester.retriever, calibration, suggester.gate))
    suggestion = every.suggest(film(2), measured=measured)
    assert "Likely pleural effusion on the left." in suggestion.report
    said = "cardiothoracic ratio 0.57 (0.53-0.61), above the limit of 0.50."
    (sentence,) = [one for one in suggestion.sentences if said in one.text]
    assert sentence.claims == {"cardiomegaly": POSSIBLE}
    labels = labels_of_text(suggestion.report)
    assert labels["pleural effusion"] == labels["cardiomegaly"] == POSSIBLE
    document = as_document(suggestion)["measurements"]
    assert document["cardiothoracic_ratio"] == {"value": 0.57, "low": 0.53, "high": 0.61}
    assert document["places"] == places


def test_findings_are_sorted_and_lie_in_their_intervals(suggester, film):
    findings = suggester.suggest(film(1)).findings
    chances = [one.probability for one in findings]
    assert chances == sorted(chances, reverse=True)
    assert {one.name for one in findings} == set(NIH_FINDINGS)
    for one in findings:
        assert 0 <= one.low <= one.probability <= one.high <= 1
        assert one.word == suggester.calibration.bands.word(one.probability) and one.assessed
        assert one.name in one.prompt


def test_every_sentence_that_makes_a_claim_carries_its_evidence(suggester, film):
    raised = denied = 0
    suggester = with_points(suggester)
    for seed in range(6):
        suggestion = suggester.suggest(film(seed))
        assert contradictions(one.claims for one in suggestion.sentences) == []
        assert all(one.text in suggestion.report for one in suggestion.sentences)
        chances = {one.name: one.probability for one in suggestion.findings}
        for one in suggestion.sentences:
            if not one.claims:
                continue
            if ABSENT in one.claims.values():
                denied += len(one.support)
                assert one.probability == max(chances[name] for name in one.claims)
                assert all(
                    match.study.findings[name] == 0 for match in one.support for name in one.claims
                )
                continue
            raised += 1
            (name,) = one.claims
            assert one.probability == chances[name] and name in one.prompt
            assert all(match.study.findings[name] == 1 for match in one.support)
            if one.section == "findings":
                assert one.source == BANK and -1 <= one.similarity <= 1
            heat = suggester.retriever.heat_map(film(seed), one.prompt)
            assert heat.shape == film(seed).size[::-1]
    assert raised and denied


def test_the_film_itself_is_the_most_similar_study(suggester):
    study = suggester.retriever.gallery.studies[3]
    with Image.open(study.image) as image:
        evidence = suggester.suggest(image).evidence
    assert evidence[0].study.id == study.id and evidence[0].score > 0.99
    assert len(evidence) == 12


def test_the_sentence_that_fits_the_film_best_is_taken(suggester, film):
    vector = suggester.retriever.encode_images([film(2)])[0]
    fits = suggester._vectors @ vector
    for one in suggester.suggest(film(2)).sentences:
        if one.source != BANK or len(one.claims) != 1:
            continue
        rivals = [
            row
            for row, phrase in enumerate(suggester._phrases)
            if dict(phrase.claims) == dict(one.claims)
            and phrase.neutral
            and phrase.likely == ("likely" in one.text.lower())
        ]
        assert one.similarity == pytest.approx(max(fits[row] for row in rivals), abs=1e-5)


def test_without_a_gallery_there_is_a_report_but_no_study(weights, reporting, film):
    suggestion = ReportSuggester.load(weights, None, reporting).suggest(film(1))
    assert suggestion.evidence == [] and suggestion.report.startswith("Findings: ")
    assert all(one.support == () for one in suggestion.sentences)


def test_a_refused_picture_gets_a_warning_and_no_report_unless_forced(weights, film, tmp_path):
    folder = save_reporting(tmp_path / "strict", fingerprint(weights), limit=-1e9)
    strict = ReportSuggester.load(weights, None, folder)
    refused = strict.suggest(film(1))
    assert (refused.in_domain, refused.report, refused.findings) == (False, "", [])
    assert len(refused.warnings) == 1 and refused.warnings[0].startswith(WARNING)
    forced = strict.suggest(film(1), force=True)
    assert forced.report and not forced.in_domain and forced.warnings == refused.warnings


def test_a_blank_picture_is_refused_by_any_gate(suggester):
    suggestion = suggester.suggest(Image.new("RGB", (200, 220), (90, 90, 90)))
    assert not suggestion.in_domain and suggestion.verdict.kind == "blank"
    assert "one grey" in suggestion.warnings[0]


def test_another_encoders_calibration_is_refused_with_the_command(weights, tmp_path):
    folder = save_reporting(tmp_path / "other", "ab" * 32)
    with pytest.raises(
        ValueError,
        match=r"fitted for abababababab; fit it again: python -m "
        r"train\.reporting --weights .*tiny --data ROOT",
    ):
        ReportSuggester.load(weights, None, folder)


@pytest.mark.parametrize("damage", ["missing folder", "no gate", "no bands", "short array"])
def test_a_damaged_calibration_is_refused_in_words(weights, reporting, tmp_path, damage):
    config, state = load_checkpoint(reporting)
    if damage == "no gate":
        del config["gate"]
    if damage == "no bands":
        del config["calibration"]["bands"]
    if damage == "short array":
        state["offsets"] = state["offsets"][:3]
    folder = tmp_path / "damaged"
    if damage != "missing folder":
        save_checkpoint(folder, state, config)
    with pytest.raises(ValueError, match="train.reporting"):
        ReportSuggester.load(weights, None, folder)


def test_several_threads_get_the_same_answers(suggester, film):
    alone = [suggester.suggest(film(seed)).report for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: suggester.suggest(film(seed)).report, range(4)))
    assert alone == together


def test_the_image_given_stays_as_it_was(suggester, film):
    image = film(1)
    before = np.array(image)
    suggester.suggest(image)
    assert np.array_equal(before, np.array(image))


def test_a_suggester_around_a_loaded_retriever_shares_it(weights, reporting):
    retriever = Retriever.load(weights, gallery=None)
    suggester = ReportSuggester.with_retriever(retriever, reporting)
    assert suggester.retriever is retriever
    names = [one.name for one in suggester.findings(np.ones(FEATURES, np.float32))]
    assert sorted(names) == sorted(NIH_FINDINGS)


def test_a_suggestion_says_how_the_image_looks_as_a_whole(suggester, film):
    picture = film(3)
    assert suggester.suggest(picture).overall is None
    count = len(NIH_FINDINGS) + 1
    point = OverallPoint(0.75, 0.25, 0.8, 0.9, 0.03, 0.4, 0.75, 500)

    def read(added: float):
        weights = np.zeros((21, count), np.float32)
        weights[:, -1] = added
        whole = replace(
            with_points(suggester).calibration,
            abnormality=Abnormality(weights, point),
            directions=np.zeros_like(suggester.calibration.directions),
            platt=suggester.calibration.platt - 50,
        )
        return ReportSuggester(suggester.retriever, whole, suggester.gate).suggest(picture)

    normal, abnormal = read(-3), read(3)
    assert normal.overall.word == LOOKS_NORMAL and "Looks normal as a whole" in normal.report
    assert abnormal.overall.word == LOOKS_ABNORMAL and "looks abnormal" in abnormal.report
    document = as_document(abnormal)["overall"]
    assert document["probability"] == pytest.approx(1 / (1 + np.exp(-3)))
    assert document["point"]["images"] == 500
    assert as_document(suggester.suggest(picture))["overall"] is None

"""What pixels say to a query: findings by heads, persons by texts, and what neither knows."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from gallery_helpers import make_studies, telling_dual_encoder

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.finding_classifier import FindingClassifier
from cxr.cli.main import main
from cxr.gallery.gallery import Gallery, build_gallery
from cxr.gallery.logits import FindingLogits
from cxr.language.query import parse
from cxr.retrieval.finding_space import FindingSpace
from cxr.retrieval.look import Look
from cxr.retrieval.ranking import RankingWeights
from cxr.retrieval.retriever import Retriever

FINDINGS = ("cardiomegaly", "edema", "mass")
# One row an image: nothing, a big heart, edema and a big heart, a mass.
VALUES = np.array([[-5, -5, -5], [3, -4, -5], [2, 3, -5], [-5, -5, 4]], np.float16)
AXES = {"woman": 0, "female": 0, "man": 1, "male": 1, "PA": 2, "AP": 3}


def encode(texts) -> np.ndarray:
    """An axis for each sex and view, and one on which ages grow."""
    rows = np.zeros((len(texts), 8), np.float32)
    for row, text in zip(rows, texts):
        if "-year-old" in text:
            age = int(text.split("-")[0])
            row[4], row[5] = np.cos(age / 60), np.sin(age / 60)
        else:
            row[next(axis for word, axis in AXES.items() if word in text.split())] = 1
    return rows


def image(axis: int, age: int = 50) -> np.ndarray:
    row = encode([f"{age}-year-old"])[0]
    row[axis] += 1
    return row / np.linalg.norm(row)


@pytest.fixture
def look() -> Look:
    rows = np.stack([image(0, 25), image(1, 40), image(0, 60), image(1, 80)])
    return Look(rows, FindingLogits(FINDINGS, "ab", VALUES), encode)


def best(scores: np.ndarray) -> int:
    return int(scores.argmax())


def test_images_are_ordered_by_what_heads_read(look):
    assert best(look.findings(parse("mass"))) == 3
    assert best(look.findings(parse("cardiomegaly and edema"))) == 2
    assert best(look.findings(parse("cardiomegaly without edema"))) == 1
    assert best(look.findings(parse("normal chest"))) == 0
    assert best(look.findings(parse("lung opacity"))) == 2  # by the narrower edema
    scores = look.findings(parse("mass"))
    assert scores.mean() == pytest.approx(0, abs=1e-5) and scores.std() == pytest.approx(1)


def test_what_heads_do_not_know_is_left_to_the_cosine(look):
    assert look.findings(parse("rib fracture")) is None
    assert look.findings(parse("women over 60")) is None
    assert Look(np.eye(4), None, encode).findings(parse("mass")) is None
    cosines = np.array([0.1, 0.4, 0.2, 0.3], np.float32)
    assert best(look.scores(parse("rib fracture"), cosines, RankingWeights())) == 1


def test_a_person_is_read_off_texts(look):
    women = look.person(parse("women"))
    assert (women[[0, 2]] > 0).all() and (women[[1, 3]] < 0).all()
    np.testing.assert_allclose(look.person(parse("men")), -women)
    assert best(look.person(parse("over 70"))) == 3 and best(look.person(parse("under 30"))) == 0
    assert look.person(parse("mass")) is None
    both = look.scores(parse("mass in a woman"), np.zeros(4), RankingWeights(person=100))
    assert best(both) in (0, 2)


@pytest.fixture(scope="module")
def folder(film, tmp_path_factory):
    """Weights with heads, and a gallery that was built without them."""
    root = tmp_path_factory.mktemp("look")
    save_dual_encoder(telling_dual_encoder(film), root / "weights")
    encoder = Retriever.load(root / "weights", gallery=None)
    width = encoder.model.image_encoder.feature_width
    directions = np.random.default_rng(0).normal(size=(width, 2)).astype(np.float16)
    platt = np.array([[1, 1], [0, 0]], np.float32)
    heads = FindingClassifier(("mass", "edema"), directions, np.zeros(2, np.float32), platt)
    probes = np.zeros((1, 512), np.float32)
    FindingSpace(("mass",), probes, np.zeros(1), heads).save(root / "weights")
    build_gallery(
        make_studies(root / "films", 12, film),
        encoder.encode_prepared,
        root / "gallery",
        encoder.encoder,
        progress=False,
        prepare=encoder.prepare,
    )
    return root


def test_a_gallery_without_findings_is_searched_by_the_cosine_and_says_so(folder, caplog, capsys):
    retriever = Retriever.load(folder / "weights", folder / "gallery")
    with caplog.at_level(logging.WARNING):
        by_look = [match.study.id for match in retriever.search("mass", 12, evidence="image")]
    assert "python -m cxr gallery findings" in caplog.text and not retriever.reads_findings
    order = np.argsort(-retriever.cosines("mass"), kind="stable")
    assert by_look == [retriever.gallery.studies[row].id for row in order]

    words = ["gallery", "findings", str(folder / "gallery"), "--weights", str(folder / "weights")]
    assert main(words) == 0
    read = Retriever.load(folder / "weights", folder / "gallery")
    assert read.reads_findings and "gallery" in capsys.readouterr().out
    values = np.asarray(read.gallery.logits.values[:, 0], np.float32)
    images = [study.image for study in read.gallery.studies]
    from cxr.images.load import load_image

    encoding = read.encode_images_with_features([load_image(path) for path in images])
    np.testing.assert_allclose(values, read.heads.logits(encoding.features)[:, 0], rtol=0.01)
    found = [match.study.id for match in read.search("mass", 12, evidence="image")]
    weights = RankingWeights()
    cosines = read.cosines("mass")
    score = weights.findings * (values - values.mean()) / values.std()
    score += weights.image * (cosines - cosines.mean()) / cosines.std()
    assert found == [read.gallery.studies[row].id for row in np.argsort(-score, kind="stable")]
    assert found != by_look
    # A film of the gallery finds itself first, by its heads too.
    first = read.search(load_image(images[3]), 1)[0]
    assert first.study.id == read.gallery.studies[3].id


def test_findings_of_other_heads_are_not_taken(folder, caplog):
    space = FindingSpace.load(folder / "weights", 512)
    other = FindingClassifier(("mass", "edema"), space.heads.directions + 1, *_rest(space))
    (folder / "other").mkdir()
    for file in (folder / "weights").iterdir():
        (folder / "other" / file.name).write_bytes(file.read_bytes())
    FindingSpace(space.names, space.directions, space.bias, other).save(folder / "other")
    gallery = Gallery.open(folder / "gallery")
    retriever = Retriever.load(folder / "other", gallery.folder)
    assert not retriever.reads_findings and "of these weights" in caplog.text


def _rest(space: FindingSpace) -> tuple:
    return space.heads.offsets, space.heads.platt


def test_weights_without_heads_cannot_read_a_gallery(folder, film, tmp_path, capsys):
    save_dual_encoder(telling_dual_encoder(film), tmp_path / "bare")
    words = ["gallery", "findings", str(folder / "gallery"), "--weights", str(tmp_path / "bare")]
    assert main(words) == 2
    assert "search_settings" in capsys.readouterr().err

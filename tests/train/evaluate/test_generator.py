"""The generator's evaluation, its card, and the gallery made with it, on tiny models."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import tiny_dual_encoder
from tiny_generator import TINY, save_generator
from training_data import make_nih

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.findings import FINDINGS, Study
from cxr.gallery.check import check_gallery
from cxr.gallery.gallery import Gallery
from cxr.models.generator import GeneratorConfig
from cxr.retrieval.retriever import Retriever
from train.cards import generator as card_generator
from train.common.studies import ABNORMAL_FINDINGS
from train.evaluate import generator as evaluate_generator
from train.evaluate import main as evaluate
from train.evaluate.generator_measures import (
    caption_agreement,
    copies,
    distances,
    halves,
    imagined_studies,
    nearest_pair,
    shown_by_group,
    shown_findings,
    spread_of,
    thumbnails,
)
from train.gan import example_gallery
from train.gan.example_gallery import ScoreLimits, wanted_studies

TRAINING = {
    "films": 48,
    "films_seen": 96,
    "minutes": 1,
    "hardware": "a processor",
    "command": "train",
    "data": ["nih"],
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    root = tmp_path_factory.mktemp("generator")
    make_nih(root / "nih", 72)
    save_dual_encoder(tiny_dual_encoder(), root / "retrieval")
    save_dual_encoder(tiny_dual_encoder(1), root / "later")
    with pytest.MonkeyPatch.context() as patch:
        small = GeneratorConfig("residual", 8, 512, (16, 16, 8, 8, 8), 8)
        patch.setitem(TINY, "residual", small)
        save_generator(root / "generator", root / "retrieval", training=TRAINING)
        save_generator(root / "reference", root / "retrieval", training=TRAINING)
        patch.setattr(evaluate_generator, "EACH", 3)
        words = [
            "generator",
            "--weights",
            str(root / "generator"),
            "--reference",
            str(root / "reference"),
            "--encoder",
            str(root / "retrieval"),
            "--data",
            str(root / "nih"),
            "--cache",
            str(root / "cache"),
            "--rounds",
            "20",
            "--write",
        ]
        assert evaluate.main(words) == 0
    return root


def test_the_report_holds_distances_with_numbers_and_anchors(workplace):
    report = json.loads((workplace / "generator" / "metrics.json").read_text())
    for split, films in (("train", 48), ("test", 12)):
        entry = report["distances"][split]
        assert entry["generator"]["generated"] == entry["generator"]["real"] == films
        assert 0 <= entry["real"]["frechet_distance"] < entry["generator"]["frechet_distance"]
        assert report["frechet_ratio"][split] == pytest.approx(1)  # both are the same weights
    assert set(report["findings"]) == set(ABNORMAL_FINDINGS)
    assert report["groups"]["groups"]["female"]["films"] == 40  # 20 findings, 3 films of each
    assert report["copies"]["embedding"]["training"] == 48
    assert report["seconds_for_16"] > 0


def test_the_card_is_made_from_the_report(workplace):
    folder = workplace / "generator"
    text = (folder / "README.md").read_text()
    report = json.loads((folder / "metrics.json").read_text())
    assert "{{" not in text and report["weights_sha256"] in text
    assert f"{report['distances']['train']['generator']['frechet_distance']:.4f}" in text
    assert card_generator.generator_card(folder) == text
    assert (folder / "originals.safetensors").exists()
    assert "| female | 40 | – |" in text  # too few films of each finding for an AUROC
    assert "1.00 times the reference's on the training captions" in text
    assert text.index("## Groups") < text.index("## Training") < text.index("## Reproduce")


def test_the_card_repeats_the_folders_of_the_training():
    command = "accelerate launch -m train.gan --data nih --extra a b_c --normal d --minutes 35"
    assert card_generator.further_folders(command) == " --extra a b_c --normal d"
    assert card_generator.further_folders("train") == ""


@pytest.fixture(scope="module")
def gallery(workplace):
    out = workplace / "gallery"
    with pytest.MonkeyPatch.context() as patch:
        # Random networks never agree; the bar itself is tested below.
        patch.setattr(ScoreLimits, "agree", lambda self, study, scores: np.ones(len(scores), bool))
        words = [
            "--out",
            out,
            "--data",
            workplace / "nih",
            "--weights",
            workplace / "generator",
            "--encoder",
            workplace / "retrieval",
            "--cache",
            workplace / "cache",
            "--each",
            "2",
            "--tries",
            "2",
        ]
        patch.setattr(example_gallery, "nearest_pair", lambda *_: 0.0)
        patch.setattr("cxr.generation.memorization.CopyCheck.is_copy", False)
        assert example_gallery.main([*map(str, words)]) == 0
    return out


def test_the_gallery_is_whole_marked_and_synthetic(gallery, workplace):
    retriever = Retriever.load(workplace / "retrieval", gallery)
    opened = Gallery.open(gallery)
    assert len(opened.studies) == 2 * len(FINDINGS) and check_gallery(gallery) == []
    assert all(study.source.startswith("synthetic") for study in opened.studies)
    with Image.open(opened.studies[0].image) as film:
        corner = np.asarray(film)[-8:, :50]
    assert film.size == (128, 128) and corner.max() > 200 and np.median(corner) == 0
    assert retriever.search("hernia", k=3)[0].score <= 1


def test_another_encoder_embeds_the_same_films(gallery, workplace):
    before = Gallery.open(gallery)
    words = ["--out", gallery, "--encoder", workplace / "later", "--re-embed"]
    assert example_gallery.main([*map(str, words)]) == 0
    after = Gallery.open(gallery)
    Retriever.load(workplace / "later", gallery)
    assert [s.id for s in after.studies] == [s.id for s in before.studies]
    assert [s.image.name for s in after.studies] == [s.image.name for s in before.studies]


def test_a_generator_that_cannot_tell_copies_makes_no_gallery(workplace, capsys):
    words = [
        "--out",
        workplace / "none",
        "--data",
        workplace / "nih",
        "--weights",
        workplace / "reference",
        "--encoder",
        workplace / "retrieval",
    ]
    assert example_gallery.main([*map(str, words)]) == 2
    assert "originals.safetensors" in capsys.readouterr().err


def test_wanted_studies_cover_findings_sexes_ages_and_views():
    studies = wanted_studies(20)
    assert len({study.id for study in studies}) == 20 * len(FINDINGS) >= 300
    hernias = [study for study in studies if study.findings.get("hernia") == 1]
    assert {(s.sex, s.view) for s in hernias} == {(a, b) for a in "FM" for b in ("PA", "AP")}
    assert {s.age // 20 for s in hernias} == {1, 2, 3, 4}
    normal = next(study for study in studies if not study.positive)
    assert normal.findings["edema"] == 0


def test_a_film_must_score_as_films_with_the_finding_do():
    scores = np.zeros((40, len(ABNORMAL_FINDINGS)))
    labels = np.zeros_like(scores)
    labels[:20, 0], scores[:20, 0] = 1, 1
    bars = ScoreLimits.of(scores, labels)
    ill = Study("a", "s", "p", findings={ABNORMAL_FINDINGS[0]: 1})
    well = Study("b", "s", "p", findings={"no finding": 1})
    seen = np.zeros((2, len(ABNORMAL_FINDINGS)))
    seen[0, 0] = 1
    assert bars.agree(ill, seen).tolist() == [True, False]
    assert bars.agree(well, seen).tolist() == [False, True]


def test_thumbnails_are_means_of_blocks():
    films = np.zeros((1, 32, 32), np.uint8)
    films[0, :2, :2] = 255
    small = thumbnails(films, 16)
    assert small.shape == (1, 256) and small[0, 0] == 1 and small.sum() == 1


def test_films_at_no_distance_are_at_none_in_every_measure():
    rows = np.random.default_rng(0).normal(size=(30, 4))
    found = distances((rows, rows), (rows, rows))
    assert found["frechet_distance"] == found["thumbnail_distance"] == 0
    assert spread_of(rows, rows)["ratio"] == 1


def test_no_patient_is_in_both_halves():
    patients = [str(row // 3) for row in range(30)]
    one, other = halves(patients, 0)
    assert len(one) + len(other) == 30 and len(one) == 15
    assert not {patients[row] for row in one} & {patients[row] for row in other}


def test_captions_that_fit_are_found():
    texts = np.eye(20)
    assert caption_agreement(texts, texts) == {"similarity": 1.0, "recall_at_10": 1.0}
    assert caption_agreement(texts, texts[::-1])["similarity"] == 0.0


def test_a_finding_that_is_shown_has_a_perfect_auroc():
    asked = ["edema"] * 5 + ["mass"] * 5
    scores = np.zeros((10, 2))
    scores[:5, 0] = 1
    found = shown_findings(scores, asked, ("edema", "mass"), 20, 0)
    assert found["edema"]["value"] == 1 and found["mass"]["value"] == 0.5
    films = imagined_studies(("edema", "mass"), 5, 0)
    assert [film.positive[0] for film in films] == asked
    assert shown_findings(scores, ["edema"] * 10, ("edema", "mass"), 20, 0) == {}


def test_a_generator_that_shows_findings_on_one_view_alone_is_found_out():
    films = imagined_studies(("edema", "mass"), 80, 0)
    asked = np.array([[film.positive[0] == name for name in ("edema", "mass")] for film in films])
    shown = np.array([[film.view == "PA"] for film in films])
    found = shown_by_group(np.where(shown, asked, 0.5), films, ("edema", "mass"), 20, 0)
    views = [found["groups"][name]["mean_auroc"]["value"] for name in ("view PA", "view AP")]
    assert views == [1, 0.5] and set(found["groups"]) >= {"female", "male", "age 60 and over"}
    gap = next(gap for gap in found["gaps"] if gap["groups"] == ["view PA", "view AP"])
    assert gap["mean_auroc"]["value"] == 0.5 and gap["mean_auroc"]["low"] > 0


def test_copies_are_counted_by_the_nearest_pair_of_two_patients():
    training = np.array([[0.0, 0], [0, 1], [5, 0], [5.1, 0], [9, 9], [9, 9]])
    patients = ["a", "b", "c", "c", "", ""]
    assert nearest_pair(training, patients) == 1
    found = copies(np.array([[0.0, 0.5], [20, 20]]), training, patients)
    assert found["nearer"] == 1 and found["nearest"] == 0.5


def test_thumbnails_and_torch_agree_on_the_mean():
    films = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    pooled = torch.nn.functional.avg_pool2d(torch.from_numpy(films)[:, None].float(), 4) / 255
    assert np.allclose(thumbnails(films, 16), pooled.flatten(1).numpy(), atol=1e-5)

"""The generator's evaluation, its card, and the gallery made with it, on tiny models."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import tiny_dual_encoder
from tiny_generator import CONDITION, save_condition_generator, save_generator
from training_data import make_nih

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.findings import NIH_FINDINGS
from cxr.gallery.check import check_gallery
from cxr.gallery.gallery import Gallery
from cxr.retrieval.retriever import Retriever
from train.cards import generator as card_generator
from train.evaluate import films as evaluate_films
from train.evaluate import generator as evaluate_generator
from train.evaluate import generator_judge, generator_sliders, generator_usefulness
from train.evaluate import main as evaluate
from train.evaluate.films import FilmBank, read_films
from train.gan import example_gallery
from train.gan.example_gallery import Selector

TRAINING = {
    "films": 48,
    "films_seen": 96,
    "minutes": 1,
    "hardware": "a processor",
    "command": "train --data nih --normal nih",
    "data": ["nih"],
}
SHOWN = {"cardiomegaly", "pleural effusion", "mass", "nodule", "pneumothorax", "edema"}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    root = tmp_path_factory.mktemp("generator")
    make_nih(root / "nih", 72)
    save_dual_encoder(tiny_dual_encoder(), root / "retrieval")
    save_dual_encoder(tiny_dual_encoder(1), root / "later")
    with pytest.MonkeyPatch.context() as patch:
        save_condition_generator(root / "generator")
        save_generator(root / "reference", root / "retrieval", 512, training=TRAINING)
        config = root / "generator" / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "training": TRAINING}))
        patch.setattr(evaluate_generator, "EACH", 3)
        patch.setattr(generator_sliders, "FILMS", 4)
        patch.setattr(generator_usefulness, "LEAST_CASES", 2)
        words = [
            "generator",
            "--weights",
            str(root / "generator"),
            "--reference",
            str(root / "reference"),
            "--encoder",
            str(root / "retrieval"),
            "--localizer",
            "",
            "--data",
            str(root / "nih"),
            "--cache",
            str(root / "cache"),
            "--rounds",
            "20",
            "--truncation",
            "0.7",
            "--write",
        ]
        assert evaluate.main(words) == 0
    return root


def test_the_report_holds_distances_with_numbers_and_anchors(workplace):
    report = json.loads((workplace / "generator" / "metrics.json").read_text())
    for split, films in (("train", 48), ("test", 12)):
        entry = report["distances"][split]
        assert set(entry) == {"real", "generator", "reference"}
        assert entry["generator"]["generated"] == entry["generator"]["real"] == films
        assert 0 <= entry["real"]["frechet_distance"] < entry["generator"]["frechet_distance"]
    assert set(report["findings"]) == set(NIH_FINDINGS)
    assert report["findings"]["mass"]["films"] == 3
    assert report["groups"]["groups"]["female"]["films"] == 30  # 14 findings and none, 3 of each
    assert report["copies"]["embedding"]["training"] == 48
    assert set(report["spread"]) == SHOWN and report["usefulness"]["findings"] == len(SHOWN)
    assert report["usefulness"]["films"] == 48 and report["usefulness"]["tested"] == 12
    assert set(report["sliders"]) == set(generator_sliders.SLIDERS)
    assert report["heart_ratio"] is None  # no localizer
    assert report["seconds_for_16"] > 0


def test_the_card_is_made_from_the_report(workplace):
    folder = workplace / "generator"
    text = (folder / "README.md").read_text()
    report = json.loads((folder / "metrics.json").read_text())
    assert "{{" not in text and report["weights_sha256"] in text
    assert f"{report['distances']['train']['generator']['frechet_distance']:.4f}" in text
    assert f"| edema | {report['sliders']['edema']['steps']['0.0']:.2f} |" in text
    assert (
        f"| generated films alone | 48 | {report['usefulness']['generated']['value']:.3f} " in text
    )
    assert card_generator.generator_card(folder) == text
    assert (folder / "originals.safetensors").exists()
    assert "| female | 30 | – |" in text  # too few films of each finding for an AUROC
    assert "times the reference's on training films" in text
    assert "--data ROOT --normal nih --truncation 0.7\n" in text
    assert text.index("## Groups") < text.index("## Training") < text.index("## Reproduce")


def test_the_card_repeats_the_folders_of_the_training():
    command = "accelerate launch -m train.gan --data nih --extra a b_c --normal d --minutes 35"
    assert card_generator.further_folders(f"{command}\n{command}") == " --extra a b_c --normal d"
    assert card_generator.further_folders("train") == ""


@pytest.fixture(scope="module")
def bank(workplace):
    retriever = Retriever.load(workplace / "retrieval", None)
    return retriever, FilmBank.of(retriever, [workplace / "nih"], workplace / "cache")


def test_films_are_read_once_whatever_list_they_are_in(workplace, bank, monkeypatch):
    retriever, whole = bank
    monkeypatch.setattr(evaluate_films, "_read", None)  # nothing is left to read
    again = read_films(retriever, whole.films.squares, workplace / "cache")
    assert np.array_equal(again.embeddings, whole.films.embeddings)
    monkeypatch.undo()
    alone = read_films(retriever, whole.films.squares[5:7])
    assert np.allclose(alone.embeddings, whole.films.embeddings[5:7], atol=2e-3)
    assert alone.network.shape == (2, 0)  # the tiny model has no finding network


def test_an_image_of_another_data_set_is_named(bank):
    study = next(iter(evaluate_generator.load_studies(next(iter(bank[1].place)).parents[1])))
    assert bank[1].rows_of([study]).tolist() == [bank[1].place[study.image.resolve()]]
    with pytest.raises(ValueError, match="1 others, the first .*elsewhere.png"):
        bank[1].rows_of([replace(study, image=study.image.with_name("elsewhere.png"))])


def test_the_judge_finds_what_the_encoders_features_hold(workplace, bank, monkeypatch):
    retriever, whole = bank
    monkeypatch.setattr(generator_judge, "LEAST", 2)
    rng = np.random.default_rng(0)
    features = rng.normal(size=whole.films.features.shape)
    studies = evaluate_generator.load_studies(workplace / "nih", labels="mined")
    ill = np.array([study.findings.get("edema") == 1 for study in studies])
    features[whole.rows_of([s for s, one in zip(studies, ill) if one])] += 2
    films = replace(whole.films, features=features.astype(np.float16))
    planted = FilmBank(films, whole.place)
    judge = generator_judge.fit_judge(retriever, planted, workplace / "nih", [], workplace / "none")
    column = NIH_FINDINGS.index("edema")
    assert judge.auroc["edema"]["mined"] == {"value": 1.0, "films": 2}
    assert "radiologists" not in judge.auroc["edema"] and judge.auroc["hernia"] == {}
    new = judge.scores(np.stack([np.zeros(features.shape[1]), np.full(features.shape[1], 2.0)]))
    assert new[0, column] < judge.shown[column].mean() - 1 < new[1, column]
    assert len(judge.shown[column]) == 10 and not len(judge.shown[NIH_FINDINGS.index("hernia")])
    assert len(judge.real) == 10  # without finding, of 60 to train and to validate with


@pytest.fixture(scope="module")
def gallery(workplace):
    out = workplace / "gallery"
    with pytest.MonkeyPatch.context() as patch:
        # Random networks never agree; the rule itself is tested in test_example_gallery.
        patch.setattr(Selector, "margins", lambda self, studies, films: np.ones(len(films)))
        patch.setattr(Selector, "copies", lambda self, films: np.zeros(len(films), bool))
        patch.setattr(example_gallery, "TOLD", 0)
        assert example_gallery.main([*words(workplace, out), "--least", "1"]) == 0
    return out


def words(workplace, out) -> list[str]:
    return [
        "--out",
        str(out),
        "--data",
        str(workplace / "nih"),
        "--weights",
        str(workplace / "generator"),
        "--encoder",
        str(workplace / "retrieval"),
        "--localizer",
        "",
        "--cache",
        str(workplace / "cache"),
        "--studies",
        "20",
        "--tries",
        "1",
        "--rounds",
        "1",
    ]


def test_the_gallery_is_whole_marked_and_synthetic(gallery, workplace):
    retriever = Retriever.load(workplace / "retrieval", gallery)
    opened = Gallery.open(gallery)
    assert len(opened.studies) == 20 and check_gallery(gallery) == []
    assert {name for study in opened.studies for name in study.positive} == SHOWN
    assert sum(not study.positive for study in opened.studies) == 5
    assert {"mass", "nodule"} in [{*study.positive} for study in opened.studies]
    assert all(study.source.startswith("synthetic") for study in opened.studies)
    with Image.open(opened.studies[0].image) as film:
        corner = np.asarray(film)[-8:, :50]
    assert film.size == (128, 128) and corner.max() > 200 and np.median(corner) == 0
    assert retriever.search("hernia", k=3)[0].score <= 1


def test_another_encoder_embeds_the_same_films(gallery, workplace):
    before = Gallery.open(gallery)
    again = ["--out", gallery, "--encoder", workplace / "later", "--re-embed"]
    assert example_gallery.main([*map(str, again)]) == 0
    after = Gallery.open(gallery)
    Retriever.load(workplace / "later", gallery)
    assert [s.id for s in after.studies] == [s.id for s in before.studies]
    assert [s.image.name for s in after.studies] == [s.image.name for s in before.studies]


def test_a_generator_that_cannot_tell_copies_makes_no_gallery(workplace, capsys):
    unmeasured = words(workplace, workplace / "none")
    unmeasured[unmeasured.index("--weights") + 1] = str(workplace / "reference")
    assert example_gallery.main(unmeasured) == 2
    assert "originals.safetensors" in capsys.readouterr().err


def test_a_generator_that_shows_nothing_makes_no_gallery(workplace, monkeypatch, capsys):
    monkeypatch.setattr(example_gallery, "TOLD", 1.1)
    assert example_gallery.main(words(workplace, workplace / "none")) == 2
    assert "train the generator for longer" in capsys.readouterr().err


def test_what_is_drawn_is_what_the_sampler_draws(workplace, bank):
    sampler = evaluate_generator.Sampler.load(workplace / "generator")
    films = evaluate_generator.GeneratorFilms(bank[0], sampler, 1.2, 0.5, workplace / "cache")
    asked = [evaluate_generator.Condition({"edema": 1.2}), evaluate_generator.Condition()]
    drawn = films.draw(asked, 7)
    expected = np.stack([np.asarray(image) for image in sampler.draw(asked, 7, 0.5)])
    assert np.array_equal(drawn.squares, expected) and len(CONDITION.findings) == 14
    assert torch.is_grad_enabled()

"""A gallery and every kind of checkpoint come back from the Hub and give the same answers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from app_gallery import COUNT, make_shelf
from gallery_helpers import ENCODER, encode, make_studies
from huggingface_hub import DatasetCard
from reporting_parts import save_reporting
from tiny import tiny_dual_encoder
from tiny_generator import save_generator
from tiny_localizer import save_localizer

from cxr.checkpoints.conditioning import load_conditioning_text_encoder
from cxr.checkpoints.encoders import load_text_encoder, save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.checkpoints.format import read_config
from cxr.checkpoints.push import pull_checkpoint, push_checkpoint
from cxr.data.load import load_studies
from cxr.gallery.card import gallery_card
from cxr.gallery.gallery import Gallery, build_gallery
from cxr.gallery.hub import numbered, pull_gallery, push_gallery
from cxr.generation.sampler import Sampler
from cxr.localization.localizer import Localizer
from cxr.reporting.document import as_document
from cxr.reporting.suggester import ReportSuggester
from cxr.retrieval.retriever import Retriever
from cxr.tabs.services import Services

KINDS = ("retrieval", "localizer", "generator", "reporting")


@pytest.fixture(scope="module")
def local(tmp_path_factory, film):
    """Folders of a gallery, of all four checkpoints, and of the generator's text encoder."""
    root = tmp_path_factory.mktemp("local")
    shelf = make_shelf(root, film)
    weights = shelf.weights.rename(root / "retrieval")
    save_localizer(
        root,
        text_encoder={"weights": "retrieval", "sha256": load_text_encoder(weights).fingerprint},
    )
    words = save_dual_encoder(tiny_dual_encoder(1, dimension=16), root / "words")
    save_generator(
        root / "generator",
        words,
        text_encoder={"weights": "words", "sha256": load_text_encoder(words).fingerprint},
    )
    save_reporting(root / "reporting", fingerprint(weights))
    return {name: str(root / name) for name in (*KINDS, "gallery")}


def push_all(local) -> dict[str, str]:
    """The addresses after each was pushed to an owner's repository of its name."""
    push_checkpoint(Path(local["generator"]).with_name("words"), "someone/words")
    addresses = {"retrieval": push_checkpoint(local["retrieval"], "owner/retrieval")}
    addresses["localizer"] = push_checkpoint(local["localizer"], "owner/localizer")
    addresses["generator"] = push_checkpoint(
        local["generator"], "owner/generator", text_weights="hf://someone/words"
    )
    addresses["reporting"] = push_checkpoint(local["reporting"], "owner/reporting")
    return {**addresses, "gallery": push_gallery(local["gallery"], "owner/films")}


def answers(retriever, suggester, localizer, sampler, film) -> dict:
    """What each service says to the same questions."""
    found = {query: retriever.search(query, k=5) for query in ("cardiomegaly", "left mass")}
    found["film"] = retriever.search(film(3), k=5)
    return {
        "matches": {
            query: [
                (match.study.id, match.study.image.read_bytes(), match.score) for match in matches
            ]
            for query, matches in found.items()
        },
        "report": as_document(suggester.suggest(film(4))),
        "heat": localizer.locate(film(5), "right lung").tolist(),
        "films": [np.asarray(one).tolist() for one in sampler.sample("edema", 2, seed=3)],
    }


def loaded(places: dict[str, str], film) -> dict:
    retriever = Retriever.load(places["retrieval"], places["gallery"])
    suggester = ReportSuggester.load(places["retrieval"], places["gallery"], places["reporting"])
    return answers(
        retriever,
        suggester,
        Localizer.load(places["localizer"]),
        Sampler.load(places["generator"]),
        film,
    )


def test_everything_gives_the_same_answers_from_the_hub(local, hub, tmp_path, monkeypatch, film):
    expected = loaded(local, film)
    assert expected["matches"]["film"] and max(map(max, expected["heat"])) > 0
    addresses = push_all(local)
    assert all(repo.private for repo in hub.repos.values())
    assert loaded(addresses, film) == expected
    newest = {name: address.partition("@")[0] for name, address in addresses.items()}
    pulled = {
        name: str(pull_checkpoint(newest[name], tmp_path / "weights" / name)) for name in KINDS
    }
    pulled["gallery"] = str(pull_gallery(newest["gallery"], tmp_path / "films"))
    assert loaded(pulled, film) == expected
    variables = {"retrieval": "WEIGHTS"}
    for name in (*KINDS, "gallery"):
        monkeypatch.setenv(f"CXR_{variables.get(name, name.upper())}", newest[name])
    services = Services.from_environment()
    assert (services.missing(), services.unreadable(), services.localizer.missing()) == ("",) * 3
    assert services.facts().total == COUNT
    parts = (services.suggester, services.localizer, services.generator)
    assert answers(services.retriever(), *(part.get() for part in parts), film) == expected
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    hub.log.clear()
    assert loaded(newest, film) == expected and not hub.log


def test_a_steered_model_needs_its_text_encoder_on_the_hub(local, hub, tmp_path):
    with pytest.raises(ValueError, match="push that first, or give .* --text-weights"):
        push_checkpoint(local["localizer"], "owner/localizer")
    assert not hub.repos
    push_checkpoint(Path(local["generator"]).with_name("words"), "owner/retrieval")
    with pytest.raises(ValueError, match=r"expected text encoder \w{12}, .* push that first"):
        push_checkpoint(local["localizer"], "owner/localizer")
    assert list(hub.repos) == [("models", "owner/retrieval")]
    push_checkpoint(local["retrieval"], "owner/retrieval")
    address = push_checkpoint(local["localizer"], "owner/localizer")
    # Newer words leave the pushed localizer with those that it was trained with.
    push_checkpoint(save_dual_encoder(tiny_dual_encoder(7), tmp_path / "newer"), "owner/retrieval")
    assert (
        Localizer.load(address).text_encoder.fingerprint
        == load_text_encoder(local["retrieval"]).fingerprint
    )


def test_a_revision_with_a_slash_finds_the_text_encoder_of_its_owner(local, hub):
    push_checkpoint(local["retrieval"], "owner/retrieval")
    config = read_config(Path(local["localizer"]))
    text_encoder = load_conditioning_text_encoder("hf://owner/localizer@refs/pr/1", config)
    assert text_encoder.fingerprint == config["text_encoder"]["sha256"]


def test_the_card_of_a_gallery_counts_what_it_holds(local, hub):
    push_gallery(local["gallery"], "owner/films")
    repo = hub.repos["datasets", "owner/films"]
    files = repo.commits[repo.refs["main"]]
    gallery = Gallery.open(local["gallery"])
    images = {f"images/{study.image.name}" for study in gallery.studies}
    assert set(files) == images | {
        "README.md",
        "gallery.json",
        "studies.parquet",
        "embeddings.npy",
        "index.faiss",
        "map.npy",
    }
    card = DatasetCard(files["README.md"].content.decode())
    assert card.data.license == "cc0-1.0" and "synthetic" in card.data.tags
    assert card.data.size_categories == "n<1K"
    text = card.text
    assert "**Any clinical use.**" in text and "For education, not\nfor diagnosis" in text
    assert "| source | drawn for tests |" in text and "| licence | CC0 |" in text
    for name, present in gallery.info()["findings"].items():
        assert f"| {name} | {present} |" in text
    for title, counts in (("sex", gallery.info()["sexes"]), ("view", gallery.info()["views"])):
        table = "\n".join(f"| {name} | {count} |" for name, count in counts.items())
        assert f"| {title} | films |\n| :-- | --: |\n{table}" in text
    assert "1 of them are **synthetic**" in text and f"{COUNT} chest X-rays" in text


def test_a_card_shows_hostile_words_as_words(tmp_path, film):
    studies = make_studies(tmp_path / "films", 3, film)
    info = {
        "patients": 2,
        "sexes": {},
        "views": {},
        "encoder": "ab",
        "format_version": 1,
        "source": "a | b\n# Heading <script>",
        "licence": "",
    }
    card = gallery_card(info, studies, "owner/films")
    assert "| source | a \\| b # Heading &lt;script> |" in card
    assert "| licence | not stated |" in card and "None of them is synthetic" in card


def test_names_of_a_plain_folders_films_stay_where_they_are(hub, tmp_path, film):
    folder = tmp_path / "films"
    folder.mkdir()
    names = ("DOE_JANE_19610203", "DOE_JANE_19620304", "ROE_RICHARD")
    for seed, name in enumerate(names):
        film(seed, (40, 48)).save(folder / f"{name}.png")
    (folder / "studies.csv").write_text(
        "image,patient,finding\n" + "".join(f"{name}.png,{name[:3]},mass\n" for name in names)
    )
    studies = load_studies(folder)
    build_gallery(studies, encode, tmp_path / "gallery", ENCODER, "drawn", "CC0", progress=False)
    push_gallery(tmp_path / "gallery", "owner/films")
    repo = hub.repos["datasets", "owner/films"]
    for file, blob in repo.commits[repo.refs["main"]].items():
        assert not [name for name in ("DOE", "ROE") if name in file]
        if not file.startswith("images/"):
            assert b"DOE" not in blob.content and b"ROE" not in blob.content
    pulled = Gallery.open(pull_gallery("hf://datasets/owner/films", tmp_path / "pulled")).studies
    assert [(study.id, study.patient) for study in pulled] == [
        ("film 1", "patient 1"),
        ("film 2", "patient 1"),
        ("film 3", "patient 2"),
    ]
    assert [study.image.name for study in pulled] == [
        study.image.name for study in Gallery.open(tmp_path / "gallery").studies
    ]
    assert numbered(pulled) == pulled and all(study.positive == ("mass",) for study in pulled)


def test_damaged_galleries_stay_where_they_are(local, hub, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(local["gallery"], broken)
    next((broken / "images").iterdir()).write_bytes(b"no film")
    with pytest.raises(ValueError, match="is damaged; build it again"):
        push_gallery(broken, "owner/films")
    assert not hub.log
    hub.add("owner/films", broken, "datasets")
    with pytest.raises(ValueError, match="is damaged; ask whoever pushed it"):
        pull_gallery("hf://datasets/owner/films", tmp_path / "pulled")
    with pytest.raises(ValueError, match="expected hf://datasets/owner/name"):
        pull_gallery("hf://owner/films", tmp_path / "pulled")
    assert not (tmp_path / "pulled").exists()


def test_another_encoders_gallery_is_refused_and_the_cache_left_alone(local, hub, tmp_path):
    address = push_gallery(local["gallery"], "owner/films")
    other = save_dual_encoder(tiny_dual_encoder(9), tmp_path / "other")
    with pytest.raises(ValueError, match=r"gallery build .* --out gallery --weights"):
        Retriever.load(other, address)

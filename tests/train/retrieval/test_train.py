"""The training script: a checkpoint that serves, exact resume after a kill, bad films left out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from training_data import make_nih, make_text_model, training_options

from cxr.images.load import load_image
from cxr.retrieval.finding_space import FindingSpace
from cxr.retrieval.retriever import Retriever
from train.retrieval import finetune_heads, search_settings
from train.retrieval import train as script


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("training")
    return root, make_nih(root / "nih"), make_text_model(root / "text")


@pytest.fixture(scope="module")
def finished(workplace):
    root, *_ = workplace
    script.main(training_options(*workplace, "whole"))
    return root / "whole"


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(str(folder / "checkpoint" / "model.safetensors"))


def test_the_checkpoint_serves_and_says_how_it_was_made(finished, workplace):
    retriever = Retriever.load(finished / "checkpoint", gallery=None)
    film = load_image(workplace[1] / "images" / "00000000_000.png")
    assert retriever.encode_images([film]).shape == (1, 512)
    training = json.loads((finished / "checkpoint" / "config.json").read_text())["training"]
    assert training["films"] == 24
    assert "--image-backbone resnet10t" in training["command"]
    assert str(workplace[0]) not in training["command"]


def test_log_and_curves_are_written(finished):
    entries = [
        json.loads(line)
        for line in (finished / "run" / "log.jsonl").read_text().split("\n")
        if line
    ]
    assert [e["epoch"] for e in entries if "epoch" in e] == [1, 2]
    assert {"caption_loss", "loss"} <= set(entries[0])
    assert all(0 <= e["text_to_image_recall_at_10"] <= 1 for e in entries if "epoch" in e)
    assert (finished / "run" / "curves.png").stat().st_size > 5_000
    assert any((finished / "run" / "tensorboard").iterdir())


def test_a_run_that_was_killed_ends_as_if_it_had_not_been(workplace, finished, monkeypatch):
    calls, draw = [], script.draw_texts

    def draw_until_killed(*arguments, **keywords):
        calls.append(1)
        if len(calls) == 5:  # in the middle of the second epoch
            raise KeyboardInterrupt
        return draw(*arguments, **keywords)

    options = training_options(*workplace, "killed", **{"save-minutes": 0})
    monkeypatch.setattr(script, "draw_texts", draw_until_killed)
    with pytest.raises(KeyboardInterrupt):
        script.main(options)
    monkeypatch.setattr(script, "draw_texts", draw)
    script.main(options)
    one, other = weights(finished), weights(workplace[0] / "killed")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_training_changes_the_weights_and_the_loss_falls(workplace):
    root, *_ = workplace
    rates = {"head-rate": 1e-2, "image-rate": 1e-3, "text-rate": 1e-3, "strength": 0}
    script.main(training_options(*workplace, "longer", epochs=14, **rates))
    log = (root / "longer" / "run" / "log.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in log if "loss" in json.loads(line)]
    assert losses[-1] < losses[0] - 0.3


def test_a_checkpoint_is_trained_further_with_its_text_half_locked(finished, workplace):
    root, *_ = workplace
    options = training_options(
        *workplace, "further", epochs=1, **{"go-on-from": finished / "checkpoint"}
    )
    script.main([*options, "--lock-text"])
    before, after = weights(finished), weights(root / "further")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.split(".")[0] for name in changed} == {"image_encoder", "image_projection"}
    training = json.loads((root / "further" / "checkpoint" / "config.json").read_text())["training"]
    assert training["command"].count("train.retrieval") == 2


def test_the_heads_are_fine_tuned_on_features_that_are_extracted_once(
    finished, workplace, monkeypatch
):
    """With six films to validate with the score is chance: here each look finds a better one."""
    root, data, _ = workplace
    score, looks = finetune_heads.score_embeddings, iter(range(100))
    monkeypatch.setattr(
        finetune_heads, "score_embeddings", lambda *seen: {**score(*seen), "score": next(looks)}
    )
    options = [
        "--data",
        str(data),
        "--extra",
        str(data),
        "--weights",
        str(finished / "checkpoint"),
        "--out",
        str(root / "polished"),
        "--cache",
        str(root / "cache"),
        "--steps",
        "30",
        "--every",
        "10",
        "--rate",
        "3e-3",
    ]
    finetune_heads.main(options)
    before, after = weights(finished), load_file(str(root / "polished" / "model.safetensors"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("projection" in name for name in changed)
    config = json.loads((root / "polished" / "config.json").read_text())
    assert "python -m train.retrieval.finetune_heads" in config["training"]["command"]
    assert config["similarity_bands"] == sorted(config["similarity_bands"], reverse=True)
    monkeypatch.setattr(finetune_heads, "image_features", None)  # a second run has no need of them
    finetune_heads.main([*options, "--lock-text"])
    after = load_file(str(root / "polished" / "model.safetensors"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("image_projection" in name for name in changed)


def test_settings_of_a_search_are_measured_anew_without_touching_the_weights(finished, workplace):
    root, data, _ = workplace
    folder = root / "settled"
    shutil.copytree(finished / "checkpoint", folder)
    before = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**before, "query_contrast": 9}))
    search_settings.main(
        ["--data", str(data), "--weights", str(folder), "--cache", str(root / "cache")]
    )
    after = json.loads((folder / "config.json").read_text())
    # The same films, weights and rule as at the end of training, but for rounding on disk.
    assert after.pop("film_bands") == pytest.approx(before.pop("film_bands"), abs=0.01)
    assert after.pop("similarity_bands") == pytest.approx(before.pop("similarity_bands"), abs=0.01)
    assert set(after.pop("search_fit")) == {"similar_images"}
    assert FindingSpace.load(folder, 512) is not None
    assert after == before and 0 <= after["query_contrast"] <= 1


def test_a_data_set_without_a_validation_split_is_refused(workplace, tmp_path):
    root, data, text = workplace
    empty = make_nih(tmp_path / "nih", 3)
    (empty / "split.csv").write_text(
        "Image Index,split\n" + "".join(f"{row:08d}_000.png,train\n" for row in range(3))
    )
    with pytest.raises(SystemExit, match="validate"):
        script.main(training_options(root, empty, text, "empty"))


def test_films_that_cannot_be_read_are_counted_and_left_out(workplace, tmp_path, capsys):
    root, _, text = workplace
    data = make_nih(tmp_path / "nih", 42)
    for name in ("00000006_000.png", "00000012_000.png", "00000000_000.png"):  # train, train, val
        (data / "images" / name).write_bytes(b"no picture")
    script.main(training_options(root, data, text, "broken", epochs=1))
    assert "22 + 0 images to train on, 11 to validate with; 3 unreadable" in capsys.readouterr().out
    config = json.loads((root / "broken" / "checkpoint" / "config.json").read_text())
    assert config["training"]["films"] == 22


def test_a_kill_while_the_state_is_saved_leaves_the_state_before(workplace, finished, monkeypatch):
    calls, save = [], Accelerator.save_state

    def save_until_killed(self, folder, **keywords):
        calls.append(1)
        if len(calls) == 3:
            save(self, folder, **keywords)
            raise KeyboardInterrupt
        return save(self, folder, **keywords)

    options = training_options(*workplace, "torn", **{"save-minutes": 0})
    monkeypatch.setattr(Accelerator, "save_state", save_until_killed)
    with pytest.raises(KeyboardInterrupt):
        script.main(options)
    monkeypatch.setattr(Accelerator, "save_state", save)
    position = json.loads((workplace[0] / "torn" / "run" / "state" / "position.json").read_text())
    assert position["step"] == 2
    script.main(options)
    one, other = weights(finished), weights(workplace[0] / "torn")
    assert all(torch.equal(one[name], other[name]) for name in one)

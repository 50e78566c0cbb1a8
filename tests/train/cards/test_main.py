"""Every card that ships says what its JSON files say, has all its parts, and how to repeat it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from cxr.checkpoints.fingerprints import fingerprint
from train.cards import main as cards
from train.cards.data_sets import DATA_SETS
from train.evaluate import main as evaluate

REPOSITORY = Path(__file__).resolve().parents[3]
WEIGHTS, README = REPOSITORY / "weights", REPOSITORY / "README.md"
SHIPPED = sorted(path for path in WEIGHTS.iterdir() if path.is_dir())
TEMPLATES = sorted((REPOSITORY / "train" / "cards").glob("*.md"))
PARTS = (
    "Intended use",
    "Groups",
    "Training",
    "What was tried",
    "Time and energy",
    "Limitations",
    "Reproduce",
    "Licence",
)


def read(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"))


def headings(text: str) -> list[str]:
    return re.findall(r"^## (.+)$", text, re.MULTILINE)


@pytest.fixture
def copy(tmp_path) -> tuple[Path, Path]:
    """The JSON files and cards of what ships, links to the weights, and the README."""
    for folder in SHIPPED:
        (tmp_path / "weights" / folder.name).mkdir(parents=True)
        for path in (*folder.glob("*.json"), *folder.glob("*.md")):
            shutil.copy(path, tmp_path / "weights" / folder.name)
        for path in folder.glob("*.safetensors"):
            (tmp_path / "weights" / folder.name / path.name).symlink_to(path)
    return tmp_path / "weights", Path(shutil.copy(README, tmp_path))


def test_every_shipped_card_and_the_readme_hold_what_the_json_files_say():
    texts = cards.derived(WEIGHTS, README)
    assert {*texts} == {README, *(folder / "README.md" for folder in SHIPPED)}
    assert cards.stale(texts) == [], "run python -m train.cards"


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_numbers_are_those_of_the_weights_that_ship(folder):
    metrics, config = read(folder / "metrics.json"), read(folder / "config.json")
    if "weights_sha256" in metrics:
        assert metrics["weights_sha256"] == fingerprint(folder)
    else:
        assert metrics["encoder"] == config["encoder"] == fingerprint(WEIGHTS / "retrieval")


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_training_data_are_told_with_their_licences(folder):
    names = read(folder / "config.json")["training"]["data"]
    text = (folder / "README.md").read_text("utf-8")
    for name in [names] if isinstance(names, str) else names:
        assert f"- {DATA_SETS[name]}\n" in text


def test_every_data_set_has_a_licence():
    for name, words in DATA_SETS.items():
        assert re.search(r"Licence: \w+", words), name


@pytest.mark.parametrize(
    "path",
    [*TEMPLATES, *(folder / "README.md" for folder in SHIPPED)],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_a_card_has_all_its_parts(path):
    text = path.read_text("utf-8")
    assert set(PARTS) <= set(headings(text))
    words = " ".join(text.split())
    assert "**Out of scope: any clinical use**" in words
    assert "for education and research only" in words
    assert len(TEMPLATES) == len(cards.CARDS) + 1  # one for each architecture of the localizer


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_commands_of_a_card_repeat_its_numbers(folder):
    text = (folder / "README.md").read_text("utf-8")
    block = re.search(r"^## Reproduce\n\n```\n(.+?)```", text, re.MULTILINE | re.DOTALL)[1]
    install, *measures = block.splitlines()
    assert install == "pip install -r requirements.txt" and measures
    for measure in measures:
        assert measure.startswith("python -m train.evaluate ")
        words = shlex.split(measure)[3:]
        command, options = evaluate.read_command(words)  # exits when an option is not known
        kept = getattr(options, command.folder)
        assert Path(kept) == Path("weights") / folder.name and not options.write


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_number_that_was_changed_is_noticed(folder, copy):
    weights, readme = copy
    metrics = read(folder / "metrics.json")
    key = next(key for key in ("mean_auroc", "films", "seconds_for_16") if key in metrics)
    if isinstance(metrics[key], dict):
        metrics[key]["value"] += 0.1
    else:
        metrics[key] += 1
    (weights / folder.name / "metrics.json").write_text(json.dumps(metrics), "utf-8")
    assert weights / folder.name / "README.md" in cards.stale(cards.derived(weights, readme))


def test_the_command_tells_mends_and_then_is_content(copy, capsys):
    weights, readme = copy
    words = ["--weights", str(weights), "--readme", str(readme)]
    assert cards.main([*words, "--check"]) == 0 and capsys.readouterr().out == ""
    card = weights / "reporting" / "README.md"
    before = card.read_text("utf-8")
    card.write_text(re.sub(r"\d\.\d", "9.9", before), "utf-8")
    readme.write_text(re.sub(r"\d+ test films", "999 test films", readme.read_text("utf-8")))
    assert cards.main([*words, "--check"]) == 1
    assert capsys.readouterr().out.splitlines() == [str(card), str(readme)]
    assert "9.9" in card.read_text("utf-8")
    assert cards.main(words) == 0 and card.read_text("utf-8") == before
    assert cards.main([*words, "--check"]) == 0


def test_a_card_that_is_missing_is_made_and_a_strange_folder_is_refused(copy, capsys):
    weights, readme = copy
    (weights / "retrieval" / "README.md").unlink()
    words = ["--weights", str(weights), "--readme", str(readme)]
    assert cards.main([*words, "--check"]) == 1
    assert cards.main(words) == 0 and (weights / "retrieval" / "README.md").exists()
    (weights / "oracle").mkdir()
    assert cards.main(words) == 2
    assert "oracle" in capsys.readouterr().err

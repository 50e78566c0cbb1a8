"""Recipes parse with today's parsers and say what the shipped checkpoints' records say."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cxr.checkpoints import read_finding_network
from train.common.options import command_line, parse_options, read_recipe, stage_words
from train.reporting import train as reporting

REPOSITORY = Path(__file__).resolve().parents[3]
CONFIGS = REPOSITORY / "train" / "configs"
OPTIONS = {  # module -> where its Options stand
    "train.retrieval": "train.retrieval.train",
    "train.retrieval.finetune_heads": "train.retrieval.finetune_heads",
    "train.autoencoder": "train.autoencoder.train",
    "train.localizer": "train.localizer.options",
    "train.localizer.dense_probe": "train.localizer.dense_probe",
    "train.localizer.offsets": "train.localizer.offsets",
    "train.localizer.patch_decoder.train": "train.localizer.patch_decoder.options",
    "train.localizer.patch_decoder.levels": "train.localizer.patch_decoder.levels",
    "train.findings": "train.findings.train",
    "train.findings.soup": "train.findings.soup",
    "train.gan": "train.gan.train",
    "train.gan.example_gallery": "train.gan.example_gallery",
    "train.gan.smoothing": "train.gan.smoothing",
}
FORMER = {  # names of modules in records -> today's
    "train.polish": "train.retrieval.finetune_heads",
    "train.localizer_reading": "train.localizer.dense_probe",
    "train.localizer_offsets": "train.localizer.offsets",
    "train.calibrate": "train.reporting",
}
# What a record holds that can no longer be run: the flag's value and why.
HISTORY = {
    "--run": "is --workdir",
    "--features": "is gone: features are kept in --cache",
}
# Recorded commands, in the order of `recorded`, and the stages that repeat them.
STAGES = {
    "retrieval": ["encoders", "heads", "images", "image_head"],
    "localizer": [
        "findings_3",
        "decoder",
        "organs",
        "findings",
        "organs_2",
        "findings_2",
        "organs_3",
        "levels",
    ],
    "generator": ["stage_1", "stage_2", "smoothing"],
    "reporting": ["gate"],
    "findings": ["mean", "network_1", "network_2"],
}
# Folders have other names in a recipe, and how long a stage of the generator takes was a remark.
PLACES = {
    "start",
    "out",
    "workdir",
    "cache",
    "weights",
    "text",
    "encoder",
    "localizer",
    "teacher",
    "folds",
    "go_on_from",
}
NOT_RECORDED = {"generator": {"steps"}}


def parse(module: str, words: list[str]) -> Any:
    if module == "train.reporting":
        return reporting.arguments(words)
    options = import_module(OPTIONS[module]).Options
    return parse_options(options, words, None, module)


def recorded(config: dict) -> list[str]:
    """Every command in a config.json, remarks left out."""
    found = []
    for key, value in config.items():
        if key == "command":
            found += [line.partition("#")[0].strip() for line in value.splitlines()]
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                found += recorded(part)
    return found


def module_and_words(command: str) -> tuple[str, list[str]]:
    """Today's module and the flags that it still takes."""
    _, _, rest = command.partition(" -m ")
    module, *words = shlex.split(rest)
    kept, skipping = [], False
    for word in words:
        if word.startswith("--"):
            skipping = word in HISTORY
        if not skipping:
            kept.append(word)
    return FORMER.get(module, module), kept


def records() -> list[tuple[str, int, str]]:
    found = []
    for weights in sorted(REPOSITORY.glob("weights/*/config.json")):
        commands = recorded(json.loads(weights.read_text()))
        found += [(weights.parent.name, place, one) for place, one in enumerate(commands)]
    about = read_finding_network(REPOSITORY / "weights" / "retrieval")
    return found + [("findings", place, one) for place, one in enumerate(recorded(about))]


def stages() -> list[tuple[str, str, str]]:
    return [
        (file.name, name, stage["command"])
        for file in sorted(CONFIGS.glob("*.yaml"))
        for name, stage in read_recipe(file).items()
    ]


def settings(options: Any, apart: set[str]) -> dict[str, Any]:
    """Its values, folders by their names alone."""

    def short(value: Any) -> Any:
        if isinstance(value, list):
            return [short(item) for item in value]
        return value.name if isinstance(value, Path) else value

    values = asdict(options) if is_dataclass(options) else vars(options)
    return {key: short(value) for key, value in values.items() if key not in apart}


def test_every_shipped_checkpoint_has_its_stages():
    counts = dict.fromkeys(STAGES, 0)
    for name, *_ in records():
        counts[name] += 1
    assert counts == {name: len(stages) for name, stages in STAGES.items()}


@pytest.mark.parametrize(("name", "place", "command"), records(), ids=lambda value: str(value)[:24])
def test_a_recorded_command_parses_and_its_stage_repeats_it(name, place, command):
    module, words = module_and_words(command)
    was = parse(module, words)
    file = CONFIGS / f"{name}.yaml"
    stage = STAGES[name][place]
    today = parse(module, stage_words(f"{file}:{stage}", module))
    apart = PLACES | {"save_minutes"} | NOT_RECORDED.get(name, set())
    assert settings(today, apart) == settings(was, apart)


@pytest.mark.parametrize(("file", "stage", "module"), stages())
def test_a_stage_parses_and_can_be_overridden(file, stage, module):
    address = f"{CONFIGS / file}:{stage}"
    words = stage_words(address, module)
    assert parse(module, words)
    if module in OPTIONS:
        options = parse(
            module, ["--config", address, "--out", "elsewhere"][: None if "--out" in words else 2]
        )
        assert getattr(options, "out", None) in (Path("elsewhere"), None)


def test_what_a_run_records_is_parsed_to_the_same_options():
    for file, stage, module in stages():
        if module in OPTIONS:
            options = parse(module, ["--config", f"{CONFIGS / file}:{stage}"])
            words = shlex.split(command_line(f"python -m {module}", options))[3:]
            assert settings(parse(module, words), set()) == settings(options, set())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nowhere.yaml", "expected a recipe at nowhere.yaml"),
        (f"{CONFIGS / 'localizer.yaml'}:encoders", "expected a stage of train.localizer in"),
        (f"{CONFIGS / 'generator.yaml'}", "expected a stage of train.localizer in"),
    ],
)
def test_a_recipe_that_is_not_there_is_refused(address, said, capsys):
    with pytest.raises(SystemExit):
        parse("train.localizer", ["--config", address])
    assert said in capsys.readouterr().err


def test_lists_flags_and_empty_values_become_words(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text("a:\n  command: m\n  options: {steps: 3, extra: [x, y], lock-text: true}\n")
    assert stage_words(str(file), "m") == "--steps 3 --extra x y --lock-text".split()
    file.write_text("a: 3\n")
    with pytest.raises(ValueError, match='expected stages with "command" and "options"'):
        read_recipe(file)

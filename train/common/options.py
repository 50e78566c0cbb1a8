"""Options of a training script: a frozen dataclass, read from flags and from a recipe in YAML."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml
from transformers.hf_argparser import HfArgumentParser

T = TypeVar("T")


def option(help: str, default: Any = MISSING, **more: Any) -> Any:
    """A field of an options class.

    Args:
        help: What --help says.
        default: None given makes the flag required; a list is copied.
        more: `aliases` (further flags) or `choices` of argparse.

    Returns:
        The dataclass field.
    """
    metadata = {"help": help, **more}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every training run takes."""

    out: Path = option("checkpoint folder")
    workdir: Path = option("state, log, curves and samples")
    cache: Path = option("decoded images and features", Path(".cache/packed"))
    full_precision: bool = option("float32 also where bfloat16 is faster", False)
    save_minutes: float = option("minutes between two saved states", 5.0)
    seed: int = option("of every random draw", 0)


def parse_options(options: type[T], argv: Sequence[str] | None, doc: str | None, module: str) -> T:
    """Read the options of a script.

    `--config FILE[:STAGE]` takes the flags of a recipe, before those of the command line, which
    override them.

    Args:
        options: A dataclass whose fields were made by `option`.
        argv: Words of the command line; None takes those of this process.
        doc: The script's docstring, whose first line describes it.
        module: What `python -m` is given, to find the script's stage in a recipe.

    Returns:
        An instance of `options`.

    Raises:
        SystemExit: For a flag that is not known, missing, or of the wrong type.
    """
    parser = HfArgumentParser(
        options,
        prog=f"python -m {module}",
        description=(doc or "").partition("\n")[0],
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE[:STAGE]", help="recipe whose flags come first")
    words = list(sys.argv[1:] if argv is None else argv)
    address, words = _without_config(words)
    if address:
        try:
            words = [*stage_words(address, module), *words]
        except ValueError as error:
            parser.error(str(error))
    return parser.parse_args_into_dataclasses(words, look_for_args_file=False)[0]


def _without_config(words: list[str]) -> tuple[str | None, list[str]]:
    """The value of --config, and the other words."""
    for place, word in enumerate(words):
        if word.startswith("--config="):
            return word.partition("=")[2], words[:place] + words[place + 1 :]
        if word == "--config" and place + 1 < len(words):
            return words[place + 1], words[:place] + words[place + 2 :]
    return None, words


def read_recipe(path: Path) -> dict[str, dict[str, Any]]:
    """The stages of a recipe by name, each {"command": module, "options": {flag: value}}.

    Raises:
        ValueError: For a missing file, or one of another form.
    """
    if not path.is_file():
        raise ValueError(f"expected a recipe at {path}, found no such file; see train/configs")
    stages = yaml.safe_load(path.read_text("utf-8"))
    good = isinstance(stages, dict) and all(
        isinstance(stage, dict) and isinstance(stage.get("options"), dict) and "command" in stage
        for stage in stages.values()
    )
    if not good:
        raise ValueError(
            f'expected stages with "command" and "options" in {path}; see train/configs'
        )
    return stages


def stage_words(address: str, module: str) -> list[str]:
    """The flags of one stage of a recipe, as words of a command line.

    Args:
        address: FILE or FILE:STAGE; without a name the first stage of the module is meant.
        module: The module that the stage must be run by.

    Returns:
        For {"steps": 3, "extra": ["a", "b"], "lock-text": true} the words
        --steps 3 --extra a b --lock-text.

    Raises:
        ValueError: When there is no such stage.
    """
    file, _, name = address.partition(":")
    stages = read_recipe(Path(file))
    own = [key for key, stage in stages.items() if stage["command"] == module]
    if not own or (name and name not in own):
        raise ValueError(f"expected a stage of {module} in {address}; its stages are {own}")
    words = []
    for flag, value in stages[name or own[0]]["options"].items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{flag}", *([] if value is True else map(str, values))]
    return words


def command_line(start: str, options: Any) -> str:
    """The command that repeats a run.

    Args:
        start: Such as "accelerate launch -m train.gan".
        options: An instance of an options class.

    Returns:
        `start` with every option that is not the default; of a folder its name alone.
    """
    words = [start]
    for part in fields(options):
        value = getattr(options, part.name)
        default = part.default_factory() if callable(part.default_factory) else part.default
        if value is None or value is False or value == default:
            continue
        shown = [_without_folders(item) for item in (value if isinstance(value, list) else [value])]
        flag = f"--{part.name.replace('_', '-')}"
        words.append(" ".join([flag, *([] if value is True else shown)]))
    return " ".join(words)


def _without_folders(value: Any) -> str:
    """A path's last part, so that a record does not hold this machine's folders."""
    if isinstance(value, Path) or Path(str(value)).is_absolute():
        return Path(value).name
    return shlex.quote(str(value))

"""The project as a Hugging Face Space: what its README declares, and that it starts there."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import gradio
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement
from space_process import space_process

from cxr.cli.space import GALLERY, space_files

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 20  # of processor time, since the clock of a shared machine says little


@pytest.fixture(scope="module")
def declared():
    return SpaceCard.load(REPOSITORY / "README.md").data


@pytest.fixture(scope="module")
def space():
    with space_process() as running:
        yield running


@pytest.fixture(scope="module")
def client(space):
    return Client(space.url, verbose=False, download_files=False)


def test_the_gradio_declared_is_the_one_that_was_tried(declared):
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    (required,) = (Requirement(line) for line in lines if re.match(r"gradio\W", line))
    assert declared.sdk == "gradio" and declared.sdk_version == gradio.__version__
    assert str(required.specifier) == f"=={declared.sdk_version}"


def test_the_front_matter_is_whole(declared):
    assert declared.title == "CXR Reading Room" and len(declared.short_description) <= 60
    assert len(declared.emoji) == 1 and {declared.colorFrom, declared.colorTo} <= {
        "red",
        "yellow",
        "green",
        "blue",
        "indigo",
        "purple",
        "pink",
        "gray",
    }
    assert declared.python_version in ("3.10", "3.11", "3.12")
    assert (REPOSITORY / declared.app_file).is_file()
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", name) for name in declared.models)
    # The weights and a synthetic gallery are in the repository: nothing is fetched from the Hub.
    assert declared.datasets == [] and "preload_from_hub" not in declared.to_dict()


def test_the_licence_is_the_strictest_of_what_it_holds(declared):
    cards = [SpaceCard.load(path).data for path in (REPOSITORY / "weights").glob("*/README.md")]
    assert {card.license for card in cards} == {declared.license}


def test_it_starts_in_time(space):
    assert space.cpu_s < START_S


def test_the_terminal_has_one_line_a_step(space):
    said = space.says("Generate: loading\n").splitlines()
    steps = [line for line in said if re.match(r" *\d+\.\d s  \S", line)]
    assert [step.partition("s  ")[2].split(":")[0].split(" on ")[0] for step in steps[:4]] == [
        "Starting Gradio",
        "The page is",
        "Search",
        "Search",
    ]
    seconds = [float(step.split()[0]) for step in steps]
    assert seconds == sorted(seconds)
    ready = {step.split()[2].strip(":") for step in steps if step.endswith(": ready")}
    assert {"Read", "Localize"} <= ready


def test_a_search_answers_or_says_what_is_missing(client):
    if (REPOSITORY / GALLERY).exists():
        assert len(client.predict("big heart", k=3, api_name="/search")) == 3
    else:
        with pytest.raises(AppError, match=f"No gallery at {GALLERY} yet: build one with"):
            client.predict("big heart", api_name="/search")


def test_the_models_answer_there(client, film):
    stream = io.BytesIO()
    film(3, (200, 240)).save(stream, "PNG")
    sent = base64.b64encode(stream.getvalue()).decode()
    assert client.predict(sent, "lungs", api_name="/locate")["taken"] == "lungs"
    suggested = client.predict(sent, force=True, api_name="/report")
    assert suggested["findings"] and suggested["report"].startswith("Findings:")


def test_nothing_is_asked_of_the_network(space):
    space.says("Generate: loading\n")
    assert not space.asked.exists() and space.proxied == []


def test_its_files_cannot_be_written_and_are_not(space):
    files = [path.relative_to(space.folder) for path in space.folder.rglob("*") if path.is_file()]
    assert sorted(file.as_posix() for file in files) == space_files(REPOSITORY)

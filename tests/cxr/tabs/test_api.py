"""The app as programs see it: the README's own example, and the tools that MCP clients call."""

from __future__ import annotations

import asyncio
import base64
import inspect
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
from app_gallery import make_shelf
from app_server import serving
from dicom_files import dicom
from drawn_models import PLACES, DrawnLocalizer, DrawnSampler, drawn
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from reporting_parts import save_reporting

from cxr.checkpoints.fingerprints import fingerprint
from cxr.tabs import api
from cxr.tabs.services import Services

REPOSITORY = Path(__file__).resolve().parents[3]
CALLS = ("search", "similar", "report", "locate", "sample", "collection")


@pytest.fixture(scope="module")
def server(tmp_path_factory, film):
    """The app over a drawn gallery, its models tiny or drawn."""
    folder = tmp_path_factory.mktemp("api")
    shelf = make_shelf(folder, film)
    reporting = save_reporting(folder / "reporting", fingerprint(shelf.weights), 1e9)
    settings = {"CXR_REPORTING": str(reporting)}
    with serving(
        folder, shelf.gallery, shelf.weights, "tests/browser/drawn_app.py", **settings
    ) as running:
        yield running


@pytest.fixture
def sent(film):
    """A film as its bytes in base64."""
    stream = io.BytesIO()
    film(1, (200, 160)).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def test_every_parameter_is_explained():
    for name in CALLS:
        call = getattr(api, f"{name}_endpoint")(None)
        said = inspect.getdoc(call)
        assert call.__name__ == name and "Returns:\n" in said
        for parameter in inspect.signature(call).parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty
            assert re.search(rf"^    {parameter.name}: \S", said, re.MULTILINE), parameter


def test_the_readmes_example_runs(server, film, tmp_path, monkeypatch, capsys):
    text = (REPOSITORY / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (code,) = (block for block in blocks if "gradio_client" in block)
    film(1, (200, 160)).save(tmp_path / "film.png")
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    exec(compile(code.replace("http://127.0.0.1:7860", server.url), "README.md", "exec"), found)
    printed = capsys.readouterr().out.splitlines()
    shown = [line for line in printed if re.match(r"-?[01]\.\d+ [a-z ]+ \{", line)]
    assert len(shown) == 5
    assert any(line.startswith("Findings:") for line in printed)
    assert any("left" in line and "lung" in line for line in printed)
    films = [Image.open(io.BytesIO(base64.b64decode(one))) for one in found["films"]]
    assert [one.size for one in films] == [(128, 128)] * 2


def ask(server, *calls: tuple[str, dict]) -> tuple[list, list]:
    """The tools that an MCP client is offered, and the result of each call."""

    async def talk():
        address = f"{server.url}/gradio_api/mcp/"
        async with streamable_http_client(address) as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                tools = (await session.list_tools()).tools
                return tools, [await session.call_tool(*call) for call in calls]

    with ThreadPoolExecutor(1) as thread:  # the browser's tests keep a loop running in this one
        return thread.submit(lambda: asyncio.run(talk())).result()


def test_an_mcp_client_finds_a_tool_for_each_call_and_no_handler_of_the_page(server):
    tools, _ = ask(server)
    assert {tool.name for tool in tools} == set(CALLS)
    for tool in tools:
        assert len(tool.description) > 40 and "Returns:" in tool.description
        properties = tool.inputSchema["properties"]
        assert all(one.get("description") for one in properties.values()), tool.name


def test_an_mcp_client_calls_them(server, sent):
    _, (found, told, drawn, made) = ask(
        server,
        ("search", {"query": "big heart", "k": 3, "where": {"sex": "F"}}),
        ("report", {"film": sent}),
        ("locate", {"film": sent, "text": "left lung"}),
        ("sample", {"text": "cardiomegaly", "n": 1}),
    )
    assert not any(one.isError for one in (found, told, drawn, made))
    studies = json.loads(found.content[0].text)
    assert [study["sex"] for study in studies] == ["F"] * 3
    image = httpx.get(studies[0]["film"])  # an address that works from anywhere
    assert image.headers["content-type"] == "image/png"
    assert json.loads(told.content[0].text)["report"].startswith("Findings:")
    assert json.loads(drawn.content[0].text)["taken"] == "left lung"
    assert len(json.loads(made.content[0].text)["films"]) == 1


def test_an_mcp_client_is_told_what_is_wrong(server):
    _, (refused,) = ask(server, ("search", {"query": " "}))
    assert refused.isError and "type what you are looking for" in refused.content[0].text


@pytest.mark.parametrize(("query", "k"), [("", 12), ("x" * 2001, 12), ("heart", 0), ("heart", 101)])
def test_the_endpoint_for_programs_refuses_with_a_message(services, query, k):
    with pytest.raises(gr.Error, match="(?i)expected"):
        api.search_endpoint(services)(query, k)


def test_the_endpoint_for_programs_gives_plain_studies(services):
    found = api.search_endpoint(services)("🫁 grosses Herz", 3, {"sex": "F"})
    assert len(found) == 3 and {study["sex"] for study in found} == {"F"}
    assert all(study["image"] is None and study["film"].endswith(".png") for study in found)
    assert services.gallery not in repr(found)


def test_the_endpoint_says_how_it_read_the_query_and_why_each_study_is_here(services):
    search = api.search_endpoint(services)
    first, *_ = search("cardiomegly, no effusion")
    assert first["understood"]["chips"] == ["cardiomegaly", "without pleural effusion"]
    assert first["understood"]["corrections"] == [["cardiomegly", "cardiomegaly"]]
    assert first["evidence"][0]["kind"] == "label"
    alone, *_ = search("cardiomegaly", evidence="image")
    assert alone["understood"] is None and [one["kind"] for one in alone["evidence"]] == ["image"]
    with pytest.raises(gr.Error, match="(?i)expected evidence out of all, image"):
        search("cardiomegaly", evidence="hearsay")


def test_similar_studies_come_with_what_is_shared_and_their_contrast(services):
    similar = api.similar_endpoint(services)
    found = similar("big heart", k=3, matched=["sex"])
    assert {one["sex"] for one in found} == {"F"} and "big heart" not in {
        one["id"] for one in found
    }
    twin = similar("big heart", k=1, matched=["sex", "age"])[0]
    assert twin["id"] == "generated"
    assert twin["evidence"][0] == {"kind": "label", "text": "both labelled: cardiomegaly"}
    lone = similar("plain 5", k=1, where={"present": ["mass"]})[0]
    assert lone["id"] == "hostile" and lone["contrast"] == [] and lone["film"].endswith(".png")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "got both or none"),
        ({"study": "big heart", "film": "AAAA"}, "got both or none"),
        ({"study": "gone"}, "expected a study of this gallery"),
        ({"study": "unknown", "matched": ["sex"]}, "whose sex is known"),
        ({"study": "big heart", "matched": ["weight"]}, "view, sex, age to match"),
        ({"study": "big heart", "k": 0}, "expected a whole number"),
    ],
)
def test_similar_studies_that_cannot_be_found_are_refused(services, asked, says):
    with pytest.raises(gr.Error, match=f"(?i){says}"):
        api.similar_endpoint(services)(**asked)


@pytest.fixture
def marking(reading):
    """Services whose localizer and generator draw what is asked, with a gate that refuses none."""
    return with_drawn_models(reading)


@pytest.fixture
def doubting(strict):
    """The same with a gate that refuses every picture."""
    return with_drawn_models(strict)


def with_drawn_models(services) -> Services:
    return Services(
        services.gallery,
        services.weights,
        lambda **_: services.retriever(),
        localizer=drawn(DrawnLocalizer),
        generator=drawn(DrawnSampler),
        suggester=services.suggester,
    )


@pytest.mark.parametrize("threshold", [None, float("nan"), 0, -0.1, 1.5, "half", True])
def test_a_threshold_that_is_none_says_what_is_expected(marking, sent, threshold):
    with pytest.raises(gr.Error, match="(?i)expected a .*threshold") as refused:
        api.locate_endpoint(marking)(sent, "lungs", threshold)
    assert "1" in refused.value.message


def test_base64_comes_with_line_breaks_and_as_a_data_address(marking, sent):
    locate = api.locate_endpoint(marking)
    plain = locate(sent, "lungs")
    broken = "\r\n".join(sent[start : start + 76] for start in range(0, len(sent), 76))
    assert locate(broken, "lungs") == plain
    assert locate(f"data:image/png;base64,{sent}", "lungs") == plain
    for junk in (None, 7, "", "not base64!", "data:image/png,plain"):
        with pytest.raises(gr.Error, match="(?i)expected"):
            locate(junk, "lungs")


def test_whole_numbers_may_come_as_floats(marking):
    assert len(api.search_endpoint(marking)("heart", 5.0)) == 5
    assert len(api.sample_endpoint(marking)("cardiomegaly", 2.0, 7.0)["films"]) == 2
    for k in (5.5, True, "5", None, float("nan"), float("inf")):
        with pytest.raises(gr.Error, match="whole number from 1 to 100 as k"):
            api.search_endpoint(marking)("heart", k)


@pytest.mark.parametrize("n", [-1, 0, 17])
def test_the_limits_of_a_number_are_named_as_they_are(marking, n):
    with pytest.raises(gr.Error, match=f"from 1 to 16 as n, got {n}"):
        api.sample_endpoint(marking)("cardiomegaly", n)


def test_a_text_that_names_nothing_is_an_error(marking, sent):
    with pytest.raises(gr.Error, match="got 'the weather'; name one such as lungs"):
        api.locate_endpoint(marking)(sent, "the weather")
    assert api.locate_endpoint(marking)(sent, "airways")["found"] is False  # looked for, not found


def test_a_picture_that_is_no_chest_film_is_withheld_alike(doubting, sent):
    report, marks = (
        api.report_endpoint(doubting)(sent),
        api.locate_endpoint(doubting)(sent, "lungs"),
    )
    assert report["in_domain"] is marks["in_domain"] is False
    assert report["warnings"] == marks["warnings"] != []
    assert report["findings"] == [] and report["report"] == ""
    assert marks["heat"] is None and marks["found"] is False and marks["lungs"] is None
    forced = api.locate_endpoint(doubting)(sent, "lungs", force=True)
    assert forced["heat"] and forced["found"] and forced["warnings"] == marks["warnings"]


def test_frames_that_were_not_read_are_said(marking):
    frames = np.stack([(40 * (n + 1) + np.arange(64 * 64) % 97).reshape(64, 64) for n in range(3)])
    film = base64.b64encode(dicom(frames.astype(np.uint16))).decode()
    said = "The file holds 3 frames; only the first was read."
    assert said in api.report_endpoint(marking)(film)["warnings"]
    assert api.locate_endpoint(marking)(film, "lungs")["warnings"] == [said]


def test_a_mirrored_film_is_warned_of(marking, sent, monkeypatch):
    monkeypatch.setitem(PLACES, "heart and mediastinum", (0.42, 0.7, 0.1, 0.1))
    assert "seems to be mirrored" in " ".join(
        api.locate_endpoint(marking)(sent, "lungs")["warnings"]
    )

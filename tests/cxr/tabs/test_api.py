"""The app as programs see it: the README's own example, and the tools that MCP clients call."""

from __future__ import annotations

import ast
import asyncio
import base64
import inspect
import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from app_gallery import make_shelf
from app_server import serving
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from PIL import Image
from reporting_parts import save_reporting

from cxr.checkpoints.io import fingerprint
from cxr.tabs import api

REPOSITORY = Path(__file__).resolve().parents[3]
CALLS = ("search", "report", "locate", "sample")


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


def test_an_mcp_client_finds_four_tools_and_no_handler_of_the_page(server):
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
    studies = ast.literal_eval(found.content[0].text)
    assert [study["sex"] for study in studies] == ["F"] * 3
    assert ast.literal_eval(told.content[0].text)["report"].startswith("Findings:")
    assert ast.literal_eval(drawn.content[0].text)["taken"] == "left lung"
    assert len(ast.literal_eval(made.content[0].text)) == 1


def test_an_mcp_client_is_told_what_is_wrong(server):
    _, (refused,) = ask(server, ("search", {"query": " "}))
    assert refused.isError and "type what you are looking for" in refused.content[0].text

"""The public names: what editors see is what is there, and each call says what it takes."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import cxr


def test_editors_see_the_public_names_where_they_are():
    tree = ast.parse(Path(cxr.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == cxr._HOME
    assert {"Where", "Gallery", "build_gallery"} <= seen.keys()


CALLS = (
    *("load_studies", "load_image", "caption", "build_gallery"),
    *("Gallery.open", "Gallery.search", "Retriever.load", "Retriever.search"),
    *("Retriever.encode_text", "Retriever.encode_images", "ReportSuggester.load"),
    *("ReportSuggester.suggest", "Sampler.load", "Sampler.sample", "Sampler.interpolate"),
    *("Localizer.load", "Localizer.locate"),
)


@pytest.mark.parametrize("name", CALLS)
def test_a_public_call_documents_arguments_and_result(name):
    call = cxr
    for part in name.split("."):
        call = getattr(call, part)
    text = inspect.getdoc(call)
    assert "Args:" in text and "Returns:" in text
    for parameter in list(inspect.signature(call).parameters):
        assert parameter in ("self", "cls") or f"{parameter}:" in text, parameter
    assert "Raises:" in text or name == "caption"

"""The scripts of the page: those put together into one component share a scope."""

import re
from collections import Counter

import pytest

from cxr.tabs.app import build_app
from cxr.tabs.services import Services

DECLARED = re.compile(r"^(?:async )?(?:function|const|let|var)\s+(\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def scripts():
    """Component -> its script, for every component that has one."""
    blocks = build_app(Services("no gallery", "no weights")).blocks.values()
    found = {one.elem_id: getattr(one, "js_on_load", None) for one in blocks}
    return {name: script for name, script in found.items() if name and script}


def test_no_name_is_declared_twice(scripts):
    """A second function of a name would silently replace the first, for its callers as well."""
    assert {"practice", "detail", "located"} <= set(scripts)
    twice = {
        name: [word for word, count in Counter(DECLARED.findall(script)).items() if count > 1]
        for name, script in scripts.items()
    }
    assert not any(twice.values()), twice

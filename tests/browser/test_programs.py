"""The page that tells programmers how to call the app, in a real browser."""

from __future__ import annotations


def test_the_foot_of_the_page_opens_the_list_of_calls(visit, drawn_server):
    page = visit(drawn_server)
    page.get_by_role("button", name="Use via API or MCP").click()
    page.get_by_text("MCP documentation").wait_for()
    page.get_by_text("Python", exact=True).click()
    page.get_by_text('api_name="/sample"').first.wait_for()
    text = page.inner_text("body")
    assert all(
        f"/{name}" in text for name in ("search", "report", "locate", "sample", "collection")
    )
    assert not any(f"{tab}_" in text for tab in ("page", "read", "localize", "generate"))

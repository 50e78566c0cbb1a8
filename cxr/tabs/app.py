"""The page: one package a tab, each with build(services)."""

from __future__ import annotations

import gradio as gr

from cxr.tabs.atlas import tab as atlas
from cxr.tabs.atlas.points import AtlasRoutes
from cxr.tabs.collections import tab as collections
from cxr.tabs.collections.routes import collection_routes
from cxr.tabs.generate import tab as generate
from cxr.tabs.learn import tab as learn
from cxr.tabs.localize import tab as localize
from cxr.tabs.practice import tab as practice
from cxr.tabs.read import tab as read
from cxr.tabs.search import tab as search
from cxr.tabs.services import Services
from cxr.tabs.shared.page_frame import footer, header
from cxr.tabs.shared.theme import ASSETS, gradio_theme, head, style
from cxr.tabs.shared.uploads import GONE, upload_route

LARGEST_UPLOAD = "100mb"


def build_app(services: Services) -> gr.Blocks:
    """The page with every tab. Launch it with launch_options(services)."""
    with gr.Blocks(
        title="CXR Reading Room", delete_cache=GONE, fill_width=True, analytics_enabled=False
    ) as app:
        gr.HTML(header(), apply_default_css=False)
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):  # one row that scrolls: frame.css
            with gr.Tab("Search", id="search", elem_id="tab-search"):
                searching = search.build(services)
            with gr.Tab("Read", id="read", elem_id="tab-read"):
                reading = read.build(services, searching)
            with gr.Tab("Localize", id="localize", elem_id="tab-localize"):
                localize.build(services, searching, reading)
            with gr.Tab("Generate", id="generate", elem_id="tab-generate"):
                generate.build(services)
            with gr.Tab("Practice", id="practice", elem_id="tab-practice"):
                practice.build()
            with gr.Tab("Learn", id="learn", elem_id="tab-learn"):
                learn.build(services)
            with gr.Tab("Collections", id="collections", elem_id="tab-collections"):
                collections.build(services)
            with gr.Tab("Atlas", id="atlas", elem_id="tab-atlas"):
                atlas.build(services, searching)
        app.load(None, js="() => { window.cxr.openAddressed(); window.cxrHelp.greet(); }")
        gr.HTML(footer(), apply_default_css=False)
        forget_visitors(app)
    return app.queue(default_concurrency_limit=4)


def launch_options(services: Services) -> dict:
    """What Blocks.launch needs so that the page looks and works as meant, from this machine alone.

    The address and port are Gradio's own: 127.0.0.1:7860, or GRADIO_SERVER_NAME and
    GRADIO_SERVER_PORT.
    """
    return {
        "theme": gradio_theme(),
        "css": style(),
        "head": head(),
        "favicon_path": ASSETS / "mark.svg",
        "footer_links": ["api"],
        "mcp_server": True,
        "max_file_size": LARGEST_UPLOAD,
        "app_kwargs": {
            "routes": [
                services.images.route(),
                upload_route(),
                *collection_routes(services),
                *practice.routes(services),
                *AtlasRoutes(services).routes(),
            ]
        },
        "share": False,
        "ssr_mode": False,
        "show_error": False,
        "enable_monitoring": False,
        "run_history": False,
    }


def forget_visitors(app: gr.Blocks) -> None:
    """Drop all that a visitor had on the page, uploads among it, when the page closes.

    Gradio keeps what a closed page had for an hour, and what it last showed for longer.
    """

    def forget(request: gr.Request) -> None:
        """Drop what the visitor of this session had."""
        session = request.session_hash or ""
        app.state_holder.session_data.pop(session, None)
        app.state_holder.time_last_used.pop(session, None)

    app.unload(forget)

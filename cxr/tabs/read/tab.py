"""The Read tab: an image in; findings, a report to edit and what each sentence rests on, out."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr
from gradio.events import Dependency

from cxr.tabs.api import report_endpoint
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import ReadState
from cxr.tabs.read.views import start
from cxr.tabs.search.tab import SearchTab
from cxr.tabs.services import Services
from cxr.tabs.shared.components import html, upload_button
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import TabWiring, on_load, visitor_state

OPEN = "() => window.cxr.openTab('read')"


@dataclass(frozen=True)
class ReadTab:
    """What other tabs take from this one: the visitor's state and the component of the findings.

    The component triggers `locate`, which carries the image to another tab.
    """

    state: gr.State
    findings: gr.HTML


def build(services: Services, search: SearchTab) -> ReadTab:
    """Lay the tab out inside the Blocks that are open; wire it to its handlers and to Search."""
    state = visitor_state(ReadState())
    with gr.Row(elem_classes="ask-row read-bring"):
        upload = upload_button("Choose a film", "read-upload", primary=True)
        second = upload_button(
            "Compare with another film", "compare-upload", takes_drops=False, width=230
        )
    notice = html("read-notice")
    with gr.Row(elem_classes="read-columns"):
        stages = asset("stage.js") + asset("read.js")
        image = html(
            "read-film", start(services), events=("close", "end_comparison"), script=stages
        )
        with gr.Column(elem_id="reading"):
            findings = html(
                "read-findings",
                events=("choose", "force", "correct", "setting", "compare", "locate"),
            )
            report = html("read-report", script=asset("report.js"))
            evidence = html("read-evidence", events=("choose", "compare"))
    examples = html("read-examples", events=("pick",))
    similar = html("read-similar", events=("compare",))

    handlers = ReadHandlers(services)
    outputs = [notice, image, findings, report, similar, evidence]
    wiring = TabWiring("read", state, outputs, handlers.show)

    def asks(event: Dependency, name: str) -> None:
        """Ask a model after an event."""
        wiring.ask(event, handlers.ask, handlers.receive, model="read", name=f"receive_{name}")

    gr.api(report_endpoint(services), api_name="report")
    on_load(handlers.examples, examples)
    asks(wiring.on(upload.upload, handlers.upload, [upload]), "upload")
    asks(wiring.on(examples.pick, handlers.choose_example), "choose_example")
    search.detail.read(None, js=OPEN)
    carried = wiring.on(search.detail.read, handlers.carry_from_search, [search.state])
    asks(carried, "carry_from_search")
    asks(wiring.on(findings.force, handlers.force), "force")
    asks(wiring.on(findings.correct, handlers.correct), "correct")
    asks(wiring.on(findings.setting, handlers.choose_setting), "choose_setting")
    asks(wiring.on(findings.choose, handlers.choose), "choose")
    asks(wiring.on(evidence.choose, handlers.choose, name="choose_evidence"), "choose_evidence")
    asks(wiring.on(second.upload, handlers.compare_upload, [second]), "compare_upload")
    wiring.on(findings.compare, handlers.compare, name="compare_support")
    wiring.on(evidence.compare, handlers.compare, name="compare_evidence")
    wiring.on(similar.compare, handlers.compare)
    wiring.on(image.end_comparison, handlers.end_comparison)
    wiring.on(image.close, handlers.close)
    return ReadTab(state, findings)

"""The Read tab: a film in; findings, a report to edit and what each sentence rests on, out."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from cxr.tabs.api import report_endpoint
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import ReadState
from cxr.tabs.read.views import start
from cxr.tabs.search.tab import SearchTab
from cxr.tabs.services import Services
from cxr.tabs.shared.components import html, upload_button
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import Dependency, TabWiring, on_load, visitor_state

FINDINGS_EVENTS = ("choose", "force", "mend", "compare", "locate")
OPEN = "() => window.cxr.openTab('read')"


@dataclass(frozen=True)
class ReadTab:
    """What other tabs take from this one: the visitor's state and the component of the findings."""

    state: gr.State
    findings: gr.HTML


def build(services: Services, search: SearchTab) -> ReadTab:
    """Lay the tab out inside the Blocks that are open, and wire it to handlers and Search."""
    state = visitor_state(ReadState())
    with gr.Row(elem_classes="ask-row read-bring"):
        upload = upload_button("Choose a film", "read-upload", primary=True)
        second = gr.UploadButton(
            "Compare with another film", elem_id="compare-upload", scale=0, min_width=230
        )
    notice = html("read-notice")
    with gr.Row(elem_classes="read-columns"):
        stages = asset("stage.js") + asset("read.js")
        film = html("read-film", start(services), events=("away", "alone"), script=stages)
        with gr.Column(elem_id="reading"):
            findings = html("read-findings", events=FINDINGS_EVENTS)
            report = html("read-report", script=asset("report.js"))
            evidence = html("read-grounds", events=("choose", "compare"))
    examples = html("read-offers", events=("pick",))
    similar = html("read-similar", events=("compare",))

    handlers = ReadHandlers(services)
    outputs = [notice, film, findings, report, similar, evidence]
    wiring = TabWiring("read", state, outputs, handlers.show)

    def asked(event: Dependency, name: str) -> None:
        wiring.ask(event, handlers.ask, handlers.hear, model="read", name=f"hear_{name}")

    gr.api(report_endpoint(services), api_name="report")
    on_load(handlers.examples, examples)
    asked(wiring.on(upload.upload, handlers.take, [upload]), "take")
    asked(wiring.on(examples.pick, handlers.pick), "pick")
    asked(wiring.on(search.detail.read, handlers.carry, [search.state]), "carry")
    search.detail.read(None, js=OPEN)
    asked(wiring.on(findings.force, handlers.force), "force")
    asked(wiring.on(findings.mend, handlers.mend), "mend")
    asked(wiring.on(findings.choose, handlers.choose), "choose")
    asked(wiring.on(evidence.choose, handlers.choose, name="choose_told"), "choose_told")
    asked(wiring.on(second.upload, handlers.compare_upload, [second]), "compare_upload")
    wiring.on(findings.compare, handlers.compare, name="compare_support")
    wiring.on(evidence.compare, handlers.compare, name="compare_told")
    wiring.on(similar.compare, handlers.compare)
    wiring.on(film.alone, handlers.alone)
    wiring.on(film.away, handlers.away)
    return ReadTab(state, findings)

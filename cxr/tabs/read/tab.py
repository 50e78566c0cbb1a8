"""The Read tab: a film in; findings, a report to edit and what each sentence rests on, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr
from gradio.context import Context

from cxr.tabs.api import report_endpoint
from cxr.tabs.read.handlers import ReadHandlers
from cxr.tabs.read.state import ReadState
from cxr.tabs.read.views import start
from cxr.tabs.search.tab import FORGET, SearchTab
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import guarded
from cxr.tabs.shared.theme import asset
from cxr.tabs.shared.wiring import in_turn, pane

OPEN = "() => window.cxr.openTab('read')"


@dataclass(frozen=True)
class ReadTab:
    """What other tabs take from this one: the visitor's ReadState and the pane of the findings."""

    box: gr.State
    findings: gr.HTML


def build(services: Services, search: SearchTab) -> ReadTab:
    """Lay the tab out inside the Blocks that are open, and wire it to its desk and to Search."""
    box, answer = gr.State(ReadState(), time_to_live=FORGET), gr.State(None, time_to_live=FORGET)
    with gr.Row(elem_classes="ask-row read-bring"):
        upload = gr.UploadButton(
            "Choose a film",
            variant="primary",
            elem_id="read-upload",
            elem_classes="takes-film",
            scale=0,
            min_width=150,
        )
        second = gr.UploadButton(
            "Compare with another film", elem_id="compare-upload", scale=0, min_width=230
        )
    notice = gr.HTML("", elem_id="read-notice", apply_default_css=False)
    with gr.Row(elem_classes="read-desk"):
        stages = asset("stage.js") + asset("read.js")
        film = pane("read-film", ("away", "alone"), stages, start(services))
        with gr.Column(elem_id="reading"):
            findings = pane("read-findings", ("choose", "force", "mend", "compare", "locate"))
            report = pane("read-report", script=asset("report.js"))
            grounds = pane("read-grounds", ("choose", "compare"))
    offered = pane("read-offers", ("pick",))
    alike = pane("read-similar", ("compare",))
    desk, turn = ReadHandlers(services), in_turn("read")

    def wire(on: Callable, work: Callable, inputs=(), name: str = ""):
        return on(
            fn=guarded(work, desk.show),
            inputs=[box, *inputs],
            outputs=[notice, film, findings, report, alike, grounds, box],
            api_name=f"read_{name or work.__name__}",
            api_visibility="undocumented",
            show_progress="hidden",
            trigger_mode="always_last",
        )

    def answered(event, name: str):
        """What the model says next, after an event: asked apart, so that the page stays usable."""
        asked = event.then(
            desk.ask, box, answer, api_visibility="private", show_progress="hidden", **turn
        )
        wire(asked.then, desk.hear, [answer], name=f"hear_{name}")

    gr.api(report_endpoint(services), api_name="report")
    Context.root_block.load(
        desk.offers, None, offered, api_visibility="private", show_progress="hidden"
    )
    answered(wire(upload.upload, desk.take, [upload]), "take")
    answered(wire(offered.pick, desk.pick), "pick")
    answered(wire(search.film.read, desk.carry, [search.room]), "carry")
    search.film.read(None, js=OPEN)
    answered(wire(findings.force, desk.force), "force")
    answered(wire(findings.mend, desk.mend), "mend")
    answered(wire(findings.choose, desk.choose), "choose")
    answered(wire(grounds.choose, desk.choose, name="choose_told"), "choose_told")
    answered(wire(second.upload, desk.compare_upload, [second]), "compare_upload")
    wire(findings.compare, desk.compare, name="compare_support")
    wire(grounds.compare, desk.compare, name="compare_told")
    wire(alike.compare, desk.compare)
    wire(film.alone, desk.alone)
    wire(film.away, desk.away)
    return ReadTab(box, findings)

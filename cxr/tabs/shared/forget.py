"""A visitor's films are in memory for that visitor alone, and gone when the page is.

Gradio keeps what a closed page had for an hour, and the panes that it last showed for longer.
"""

from __future__ import annotations

import gradio as gr


def forget_visitors(app: gr.Blocks) -> None:
    """Have all that a visitor had on the page, uploaded films among it, dropped as it closes."""

    def forget(request: gr.Request) -> None:
        """Drop what the visitor of this session had."""
        session = request.session_hash or ""
        app.state_holder.session_data.pop(session, None)
        app.state_holder.time_last_used.pop(session, None)

    app.unload(forget)

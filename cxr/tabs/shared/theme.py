"""The one place that decides how the page looks: palettes, typeface and style sheets."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import gradio as gr

ASSETS = Path(__file__).parents[1] / "assets"
STYLE_SHEETS = tuple(
    ASSETS / name
    for name in (
        "frame.css",
        "help.css",
        "search.css",
        "films.css",
        "viewer.css",
        "read.css",
        "localize.css",
        "generate.css",
        "learn.css",
        "collections.css",
        "practice.css",
        "atlas.css",
    )
)


@dataclass(frozen=True)
class Palette:
    """CSS colours. Text keeps a contrast of 4.5 : 1 or better on ground, panel and raised."""

    ground: str  # behind everything
    panel: str  # cards and panes
    raised: str  # inputs and buttons on a panel
    line: str  # hairlines
    edge: str  # borders of what can be operated
    ink: str
    muted: str
    accent: str
    accent_soft: str
    on_accent: str
    caution: str  # the education note, uncertain findings, the "synthetic" badge
    caution_soft: str
    error: str
    error_soft: str


DARK = Palette(
    ground="#0a0c0f",
    panel="#11151a",
    raised="#1a2027",
    line="#222a33",
    edge="#3a4653",
    ink="#e8ecef",
    muted="#98a5b2",
    accent="#7cc7d6",
    accent_soft="#12272d",
    on_accent="#06161a",
    caution="#dfb46a",
    caution_soft="#221c10",
    error="#f0938a",
    error_soft="#2a1614",
)
LIGHT = Palette(
    ground="#f2f4f4",
    panel="#ffffff",
    raised="#eef1f1",
    line="#dbe1e2",
    edge="#a9b4b8",
    ink="#12191d",
    muted="#51606a",
    accent="#0c6678",
    accent_soft="#dff0f3",
    on_accent="#ffffff",
    caution="#7a5200",
    caution_soft="#fbf1dc",
    error="#a3271b",
    error_soft="#fbe9e7",
)

# Gradio's variables -> a colour of the palette. The same names serve both palettes.
_VARIABLES = {
    "body_background_fill": "ground",
    "background_fill_primary": "panel",
    "background_fill_secondary": "ground",
    "body_text_color": "ink",
    "body_text_color_subdued": "muted",
    "block_background_fill": "panel",
    "block_border_color": "line",
    "block_label_background_fill": "panel",
    "block_label_border_color": "line",
    "block_label_text_color": "muted",
    "block_title_text_color": "muted",
    "block_info_text_color": "muted",
    "border_color_primary": "line",
    "border_color_accent": "accent",
    "color_accent_soft": "accent_soft",
    "accordion_text_color": "ink",
    "input_background_fill": "raised",
    "input_background_fill_focus": "raised",
    "input_border_color": "edge",
    "input_border_color_focus": "accent",
    "input_border_color_hover": "muted",
    "input_placeholder_color": "muted",
    "checkbox_background_color": "raised",
    "checkbox_background_color_hover": "raised",
    "checkbox_background_color_focus": "raised",
    "checkbox_background_color_selected": "accent",
    "checkbox_border_color": "edge",
    "checkbox_border_color_selected": "accent",
    "checkbox_label_background_fill": "raised",
    "checkbox_label_background_fill_hover": "raised",
    "checkbox_label_background_fill_selected": "accent_soft",
    "checkbox_label_border_color": "edge",
    "checkbox_label_border_color_hover": "muted",
    "checkbox_label_border_color_selected": "accent",
    "checkbox_label_text_color": "ink",
    "checkbox_label_text_color_selected": "ink",
    "button_primary_background_fill": "accent",
    "button_primary_background_fill_hover": "accent",
    "button_primary_border_color": "accent",
    "button_primary_text_color": "on_accent",
    "button_secondary_background_fill": "raised",
    "button_secondary_background_fill_hover": "raised",
    "button_secondary_border_color": "edge",
    "button_secondary_border_color_hover": "accent",
    "button_secondary_text_color": "ink",
    "error_background_fill": "error_soft",
    "error_border_color": "error",
    "error_text_color": "error",
    "loader_color": "accent",
    "slider_color": "accent",
    "link_text_color": "accent",
    "link_text_color_hover": "ink",
}


def gradio_theme() -> gr.themes.Base:
    """Gradio's theme with both palettes; typefaces come from Gradio's own files, never a CDN."""
    colours = {name: getattr(LIGHT, role) for name, role in _VARIABLES.items()}
    colours |= {f"{name}_dark": getattr(DARK, role) for name, role in _VARIABLES.items()}
    base = gr.themes.Base(
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400,)), "monospace"],
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
    )
    return base.set(
        **colours,
        block_border_width="0px",
        block_padding="0px",
        block_shadow="none",
        block_label_text_size="*text_sm",
        checkbox_label_padding="6px 12px",
        input_border_width="1px",
        input_shadow="none",
        input_shadow_focus="none",
        button_border_width="1px",
        button_primary_shadow="none",
        button_secondary_shadow="none",
        layout_gap="14px",
    )


# In the head, since Gradio rewrites the selectors of its own style sheet.
STILL = (
    "@media (prefers-reduced-motion: reduce) { *, *::before, *::after "
    "{ animation: none !important; transition: none !important; } }"
)


def style() -> str:
    """The palettes as CSS variables (--ink, --accent-soft ...), then the style sheets."""

    def rule(selector: str, palette: Palette, scheme: str) -> str:
        lines = (f"--{name.replace('_', '-')}: {value};" for name, value in asdict(palette).items())
        return f"{selector} {{ color-scheme: {scheme}; {' '.join(lines)} }}"

    palettes = (rule(":root", LIGHT, "light"), rule(".dark", DARK, "dark"))
    return "\n".join((*palettes, *(path.read_text("utf-8") for path in STYLE_SHEETS)))


def asset(name: str) -> str:
    """The text of one of the page's scripts or drawings."""
    return (ASSETS / name).read_text("utf-8")


def head() -> str:
    """What goes into the page's head: scripts of the whole page, and how a collection prints."""
    scripts = "".join(
        f"<script>{asset(name)}</script>"
        for name in ("page.js", "uploads.js", "tray.js", "practice_kept.js", "help.js")
    )
    styles = f"<style>{STILL}</style><style>{asset('print.css')}</style>"
    return f'<meta name="robots" content="noindex">{styles}{scripts}'

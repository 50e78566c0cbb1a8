"""HTML from Jinja2 templates: what a value holds is escaped unless a template says it is markup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cxr.lessons import find_lesson


def renderer(folder: Path) -> Callable[..., Markup]:
    """Return a function that fills the templates of a tab.

    Args:
        folder: the tab's own folder; its templates lie in `templates/`, those that tabs share in
            `shared/templates/`.

    Returns:
        render(name, **values) -> Markup: the template `name` filled with `values`. A Markup among
        the values is taken as it is; everything else is escaped.

    Raises:
        jinja2.TemplateNotFound: by render, for a name that is in neither folder.
        jinja2.UndefinedError: by render, for a value that a template names and nobody gave.
    """
    shared = Path(__file__).parent / "templates"
    environment = Environment(
        loader=FileSystemLoader([folder / "templates", shared]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    environment.globals["lesson_address"] = lesson_address

    def render(name: str, /, **values: object) -> Markup:
        return Markup(environment.get_template(name).render(values))

    return render


def lesson_address(finding: str) -> str:
    """Return where the page has the lesson on a finding; "" where there is none.

    Args:
        finding: one of FINDINGS, "possible " before it or not.
    """
    lesson = find_lesson(finding.removeprefix("possible "))
    return f"#learn/{lesson.finding.replace(' ', '-')}" if lesson and lesson.finding else ""

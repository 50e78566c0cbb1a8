"""Draw which package imports which, from the code itself, into docs/architecture.svg.

    python docs/draw_imports.py            writes the picture
    python docs/draw_imports.py --check    exit code 1 when the picture is not that of today's code

A row is a layer of the import contract in pyproject.toml, the top imports what lies below it. An
arrow that follows from others is left out (the transitive reduction), so that the rest is readable.
"""

from __future__ import annotations

import argparse
import sys
from html import escape
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

import grimp

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURE = REPOSITORY / "docs" / "architecture.svg"
WIDTH, ROW, BOX_WIDTH, BOX_HEIGHT = 900, 78, 132, 38  # pixels
STYLE = """
  svg { background: #fff; font: 14px system-ui, sans-serif; }
  rect { fill: #eef3f8; stroke: #4a6b8a; rx: 6; }
  text { fill: #1c2b3a; text-anchor: middle; dominant-baseline: central; }
  path { fill: none; stroke: #8aa2b8; stroke-width: 1.2; marker-end: url(#head); }
  #head path { fill: #8aa2b8; stroke: none; marker-end: none; }
"""


def layers() -> list[list[str]]:
    """Read the layers of the import contract: the packages of a row, the highest row first."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    rows = project["tool"]["importlinter"]["contracts"][0]["layers"]
    named = [[part.strip() for part in row.split("|")] for row in rows]
    return [row for row in named if row != ["cxr.__main__"]]


def arrows(packages: list[str]) -> set[tuple[str, str]]:
    """Find the pairs (importer, imported) of packages, without those that follow from others."""
    graph = grimp.build_graph("cxr", "train", cache_dir=None)

    def package_of(module: str) -> str | None:
        return next((one for one in packages if (module + ".").startswith(one + ".")), None)

    pairs = {
        (importer, imported)
        for module in graph.modules
        if (importer := package_of(module))
        for other in graph.find_modules_directly_imported_by(module)
        if (imported := package_of(other)) and imported != importer
    }
    return {pair for pair in pairs if not _reachable(*pair, pairs - {pair})}


def _reachable(start: str, end: str, pairs: set[tuple[str, str]]) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for importer, imported in pairs:
            if importer == here and imported not in seen:
                seen.add(imported)
                waiting.append(imported)
    return end in seen


def picture(rows: list[list[str]], pairs: set[tuple[str, str]]) -> str:
    """Draw the rows as boxes and the pairs as arrows -> an SVG document."""
    centers = {
        name: (WIDTH * (column + 1) / (len(row) + 1), 34 + ROW * level)
        for level, row in enumerate(rows)
        for column, name in enumerate(row)
    }
    boxes = [
        f'<rect x="{x - BOX_WIDTH / 2:.0f}" y="{y - BOX_HEIGHT / 2:.0f}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}"/><text x="{x:.0f}" y="{y:.0f}">{escape(name)}</text>'
        for name, (x, y) in centers.items()
    ]
    lines = []
    for importer, imported in sorted(pairs):
        (x1, y1), (x2, y2) = centers[importer], centers[imported]
        y1, y2 = y1 + BOX_HEIGHT / 2, y2 - BOX_HEIGHT / 2 - 2
        bend = (y2 - y1) / 2
        lines.append(
            f'<path d="M{x1:.0f} {y1:.0f} C{x1:.0f} {y1 + bend:.0f} '
            f'{x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"/>'
        )
    height = 34 + ROW * (len(rows) - 1) + BOX_HEIGHT
    head = '<marker id="head" markerWidth="8" markerHeight="8" refX="6" refY="3" orient="auto">'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-label="Which package imports which">',
            f"<style>{STYLE}</style>",
            f'<defs>{head}<path d="M0 0 L6 3 L0 6 z"/></marker></defs>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def main(argv: list[str] | None = None) -> int:
    """Write the picture, or check it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when it is stale")
    options = parser.parse_args(argv)
    sys.path.insert(0, str(REPOSITORY))
    rows = layers()
    drawn = picture(rows, arrows([name for row in rows for name in row]))
    if options.check:
        return int(not PICTURE.is_file() or PICTURE.read_text("utf-8") != drawn)
    PICTURE.write_text(drawn, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

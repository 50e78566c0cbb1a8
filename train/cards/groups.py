"""The part of a model card on results by sex, age band and view."""

from __future__ import annotations

from dataclasses import dataclass

from train.cards.tables import percent, table

PENDING = "Not measured yet: run the evaluation below."
NOTE = (
    "Intervals: 95% bootstrap over films, not corrected for there being several. Groups differ in "
    "findings, age and view at once: a gap does not say what makes it, and one that cannot be told "
    "from 0 may still be there."
)


@dataclass(frozen=True)
class Column:
    """A measure of train.evaluate.groups: its key, its title, and whether it is in per cent."""

    key: str
    title: str
    percent: bool = False

    def shown(self, entry: dict | None) -> str:
        """Format an entry as 0.76 (0.72 to 0.80), 5 findings; "–" where it was not measured."""
        if entry is None:
            return "–"
        form = percent if self.percent else "{:.3f}".format
        value, low, high = (form(entry[key]) for key in ("value", "low", "high"))
        of = f", {entry['findings']} findings" if "findings" in entry else ""
        return f"{value} ({low} to {high}){of}"


def groups_text(measured: dict | None, columns: list[Column]) -> str:
    """Tables of groups and of gaps, and what was left out; PENDING before it is measured."""
    if measured is None:
        return PENDING
    titles = [column.title for column in columns]
    groups = [
        [name, str(entry["films"]), *(c.shown(entry.get(c.key)) for c in columns)]
        for name, entry in measured["groups"].items()
    ]
    gaps = [
        [" − ".join(entry["groups"]), *(c.shown(entry.get(c.key)) for c in columns)]
        for entry in measured["gaps"]
    ]
    parts = [table(["group", "films", *titles], groups)] if groups else []
    parts += [table(["gap", *titles], gaps)] if gaps else []
    return "\n\n".join([*parts, " ".join([*_sentences(measured, columns), NOTE])])


def _sentences(measured: dict, columns: list[Column]) -> list[str]:
    clear = [
        f"{' − '.join(entry['groups'])} ({column.title})"
        for entry in measured["gaps"]
        for column in columns
        if (e := entry.get(column.key)) and (e["low"] > 0 or e["high"] < 0)
    ]
    compared = any(column.key in entry for entry in measured["gaps"] for column in columns)
    small = [f"{name} ({films})" for name, films in measured["left_out"].items()]
    unknown = [f"{kind} ({films})" for kind, films in measured["unknown"].items()]
    said = []
    if compared:
        said.append(
            f"Gaps whose interval leaves out 0: {', '.join(clear)}."
            if clear
            else "No gap's interval leaves out 0."
        )
    if small:
        said.append(f"Left out for fewer than {measured['least_films']} films: {', '.join(small)}.")
    return [*said, f"Not known of so many films: {', '.join(unknown)}."] if unknown else said

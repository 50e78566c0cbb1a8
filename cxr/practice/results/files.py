"""What a learner takes home: results as CSV or JSON, and a deck of cards for Anki."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cxr.practice.grading import FALSE_ALARM, HIT, MISS
from cxr.practice.lookalikes import SIGNS
from cxr.practice.profile import Judgement, Profile, Record
from cxr.practice.results.progress import measure_progress
from cxr.practice.truth import TIERS

TIER_WORDS = dict(
    zip(
        TIERS,
        (
            "drawn or verified by radiologists",
            "label mined from a report",
            "synthetic, a rehearsal",
        ),
        strict=True,
    )
)
COLUMNS = (
    "study",
    "answered_at",
    "mode",
    "truth_from",
    "said",
    "truth",
    "named",
    "present",
    "hits",
    "misses",
    "false_alarms",
    "in_place",
    "marked_in_all",
    "confidence",
    "seconds",
    "score",
)
ORIGIN_COLUMNS = ("study", "answered_at", "said", "truth", "right", "confidence", "seconds")
NOTE = "for education, not for diagnosis"
_MODEL, _DECK = 1_748_202_601, 1_748_202_602  # Anki tells models and decks apart by these
_ORIGIN = {True: "generated", False: "real"}
_NORMAL = {True: "abnormal", False: "normal", None: ""}


def results_csv(records: Sequence[Record]) -> str:
    """One line an answer, under COLUMNS; for a spreadsheet or a teacher."""
    return _csv(COLUMNS, map(_row, records))


def origin_csv(judged: Sequence[Judgement]) -> str:
    """One line an image that was called real or generated, under ORIGIN_COLUMNS."""
    return _csv(ORIGIN_COLUMNS, map(_origin_row, judged))


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    # A spreadsheet runs what begins like a formula.
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    return stream.getvalue()


def results_json(profile: Profile) -> dict[str, Any]:
    """The same answers with the measures that they come to."""
    return {
        "note": NOTE,
        "results": [_row(one) for one in profile.records],
        "real_or_generated": [_origin_row(one) for one in profile.judged],
        "progress": measure_progress(profile),
    }


def _row(record: Record) -> dict[str, Any]:
    graded = record.grade
    places = [place for place in record.findings.values() if place is not None]
    present = [name for name, value in record.values.items() if value == 1]
    return {
        "study": record.study,
        "answered_at": record.at,
        "mode": record.mode,
        "truth_from": TIER_WORDS[record.tier],
        "said": _NORMAL[record.abnormal],
        "truth": _NORMAL[record.truly_abnormal],
        "named": "; ".join(record.findings),
        "present": "; ".join(present),
        "hits": "; ".join(graded.of(HIT)),
        "misses": "; ".join(graded.of(MISS)),
        "false_alarms": "; ".join(graded.of(FALSE_ALARM)),
        "in_place": sum(places),
        "marked_in_all": len(places),
        "confidence": record.confidence,
        "seconds": round(record.seconds, 1),
        "score": round(graded.score, 3),
    }


def _origin_row(one: Judgement) -> dict[str, Any]:
    return {
        "study": one.study,
        "answered_at": one.at,
        "said": _ORIGIN[one.said],
        "truth": _ORIGIN[one.generated],
        "right": one.right,
        "confidence": one.confidence,
        "seconds": round(one.seconds, 1),
    }


def _plain(value: Any) -> Any:
    return (
        f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value
    )


def anki_deck(records: Sequence[Record], image: Callable[[str], bytes], name: str) -> bytes:
    """A deck with a card a study, image first, for Anki's own spacing.

    Args:
        records: of the studies.
        image: the PNG of a study by its key.
        name: of the deck.

    Returns:
        The bytes of an .apkg file.

    Raises:
        ValueError: no record.
    """
    import genanki

    if not records:
        raise ValueError("expected at least one answered film, got none; practise first")
    model = genanki.Model(
        _MODEL,
        "Chest X-ray",
        fields=[{"name": "Key"}, {"name": "Film"}, {"name": "Answer"}],
        templates=[
            {
                "name": "Film",
                "qfmt": "{{Film}}<p>Normal or abnormal? What, and where?</p>",
                "afmt": "{{FrontSide}}<hr id=answer>{{Answer}}",
            }
        ],
    )
    deck = genanki.Deck(_DECK, name)
    with TemporaryDirectory() as folder:
        files = []
        for record in {one.key: one for one in records}.values():
            file = Path(folder) / f"film-{record.key}.png"
            file.write_bytes(image(record.key))
            files.append(str(file))
            fields = [record.key, f'<img src="{file.name}">', _back(record)]
            deck.add_note(
                genanki.Note(model=model, fields=fields, guid=genanki.guid_for(record.key))
            )
        package = genanki.Package(deck)
        package.media_files = files
        package.write_to_file(str(Path(folder) / "deck.apkg"))
        return (Path(folder) / "deck.apkg").read_bytes()


def _back(record: Record) -> str:
    shown = [name for name, value in record.values.items() if value == 1]
    lines = [f"<b>{escape(', '.join(shown) or 'not known')}</b> ({TIER_WORDS[record.tier]})"]
    lines += [f"{escape(SIGNS[name].look)}<br>{escape(SIGNS[name].apart)}" for name in shown]
    return "<br>".join((*lines, f"<small>{NOTE}</small>"))

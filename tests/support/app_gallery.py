"""A drawn gallery and a tiny random model for the tests of the app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from tiny import tiny_dual_encoder

from cxr.checkpoints.encoders import save_dual_encoder
from cxr.checkpoints.fingerprints import fingerprint
from cxr.findings import Study
from cxr.gallery.gallery import build_gallery
from cxr.retrieval.retriever import Retriever
from cxr.tabs.search.handlers import SearchHandlers
from cxr.tabs.search.state import SearchState

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>${1+1}{{value}}'
REPORT = "The heart is enlarged.\nNo effusion."
ABSENT = dict.fromkeys(("edema", "pneumothorax"), 0)
STUDIES = (  # id, source, view, sex, age, findings, report
    ("big heart", "drawn", "PA", "F", 64, {"cardiomegaly": 1, **ABSENT}, REPORT),
    ("hostile", HOSTILE, "PA", "M", 50, {"mass": 1}, f"{HOSTILE} and so on"),
    ("unread", "drawn", "AP", "F", 30, {}, None),
    ("unsure", "drawn", "AP", "M", 71, {"edema": -1, "pleural effusion": 1}, None),
    ("unknown", "drawn", None, None, None, {"nodule": 1}, None),
    ("side", "drawn", "lateral", "F", 41, {"no finding": 1, "mass": 0, **ABSENT}, None),
    ("generated", "synthetic, drawn", "PA", "F", 55, {"cardiomegaly": 1}, None),
)
NO_FILTER = ([], "", "", "", [], [])
COUNT = 16  # films in all: more than a page of results


@dataclass(frozen=True)
class Shelf:
    """Where the gallery and its weights lie."""

    gallery: Path
    weights: Path


def make_shelf(folder: Path, film) -> Shelf:
    """A gallery of COUNT drawn films, those of STUDIES first, with the weights that made it."""
    plain = [
        (f"plain {i}", "drawn", "PA", "M", 20 + i, {"no finding": 1}, None)
        for i in range(COUNT - len(STUDIES))
    ]
    studies = [
        _study(number, row, folder / f"film{number}.png", film)
        for number, row in enumerate((*STUDIES, *plain))
    ]
    return built_shelf(folder, studies)


def built_shelf(folder: Path, studies: list[Study]) -> Shelf:
    """A gallery of drawn studies, with the tiny random weights that made it."""
    shelf = Shelf(folder / "gallery", folder / "weights")
    save_dual_encoder(tiny_dual_encoder(), shelf.weights)
    retriever = Retriever.load(shelf.weights, gallery=None)
    build_gallery(
        studies,
        retriever.encode_images,
        shelf.gallery,
        fingerprint(shelf.weights),
        source="drawn for tests",
        licence="CC0",
        progress=False,
    )
    return shelf


def _study(number: int, row: tuple, path: Path, film) -> Study:
    name, source, view, sex, age, findings, report = row
    film(number, (200, 160) if number % 2 else (160, 200)).save(path)
    return Study(name, source, f"p{number}", path, view, sex, age, findings, report, "CC0")


def event(**data) -> gr.EventData:
    return gr.EventData(None, data)


def opened(desk: SearchHandlers, name: str, query: str = "heart") -> SearchState:
    """The room with the film of one study open."""
    room = desk.more(desk.search(SearchState(), query, *NO_FILTER))
    index = [match.study.id for match in room.matches].index(name)
    return desk.open_film(room, event(index=index))


def shown(desk: SearchHandlers, room: SearchState) -> str:
    """Films and open film as the page gets them."""
    _, films, film, _ = desk.show(room)
    return films + film

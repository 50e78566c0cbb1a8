"""The gallery's map as the page takes it: one binary answer for all points, a small one a film."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cxr.findings import FINDINGS, SEXES, VIEWS, Study
from cxr.tabs.services import Services
from cxr.tabs.shared import study_text
from cxr.tabs.shared.errors import message_of

if TYPE_CHECKING:
    from cxr.gallery import Gallery

SCALE = 65_535  # of a place in [0, 1]
TIERS = ("by radiologists", "taken from reports", "synthetic", "not labelled")
MOST_SELECTED = 500  # films of a collection
_UNKNOWN = 255  # of sex and view
_HEADERS = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}


def encode_points(positions: np.ndarray, studies: Sequence[Study]) -> bytes:
    """Pack the points of a map for assets/atlas.js.

    Args:
        positions: float32 [N, 2] in [0, 1].
        studies: the N studies.

    Returns:
        The length of a JSON header as uint32, the header padded to a multiple of 4 bytes with the
        names of findings, sexes, views and tiers, then N little-endian values each of: x and y as
        uint16 pairs; the findings present, and those uncertain, as uint32 with a bit for each of
        FINDINGS; sex, view and tier as uint8 (255: not known).
    """
    header = json.dumps(
        {
            "count": len(studies),
            "findings": FINDINGS,
            "sexes": [study_text.SEX[sex] for sex in SEXES],
            "views": [study_text.VIEW[view] for view in VIEWS],
            "tiers": TIERS,
        }
    ).encode()
    header += b" " * (-len(header) % 4)
    arrays = (
        np.round(positions * SCALE).astype("<u2"),
        np.array([_bits(study, 1) for study in studies], "<u4"),
        np.array([_bits(study, -1) for study in studies], "<u4"),
        np.array([_place(study.sex, SEXES) for study in studies], "u1"),
        np.array([_place(study.view, VIEWS) for study in studies], "u1"),
        np.array([TIERS.index(_tier(study)) for study in studies], "u1"),
    )
    return struct.pack("<I", len(header)) + header + b"".join(one.tobytes() for one in arrays)


def _bits(study: Study, value: int) -> int:
    return sum(1 << FINDINGS.index(name) for name, v in study.findings.items() if v == value)


def _place(value: str | None, values: Sequence[str]) -> int:
    return values.index(value) if value in values else _UNKNOWN


def _tier(study: Study) -> str:
    """Who says what a study shows."""
    if study_text.is_synthetic(study):
        return TIERS[2]
    if not study.labelled:
        return TIERS[3]
    return TIERS[0] if study.label_source in ("expert", "outlined") else TIERS[1]


def query_place(gallery: Gallery, vector: np.ndarray, count: int = 10) -> tuple[float, float]:
    """Place a query on the map: where the middle one of its nearest images stands.

    Args:
        gallery: with a map.
        vector: float32 [512], the query's.
        count: of nearest images.

    Returns:
        x and y in [0, 1]: of the one that is nearest to the others on the map.
    """
    rows = [row for row, _ in gallery.search(vector, count)]
    places = gallery.positions[rows]
    away = np.linalg.norm(places[:, None] - places[None], axis=2).sum(1)
    x, y = places[int(away.argmin())]
    return float(x), float(y)


class AtlasRoutes:
    """The addresses that the page asks: atlas/points, atlas/film/ROW, atlas/ids and atlas/rows."""

    def __init__(self, services: Services) -> None:
        """Answer from the gallery of `services`."""
        self._services = services
        self._lock = threading.Lock()
        self._points: bytes | None = None
        self._row_of: dict[str, int] = {}

    def routes(self) -> list[Route]:
        """The routes to hand to the server."""
        return [
            Route("/atlas/points", self._all_points),
            Route("/atlas/film/{row:int}", self._film),
            Route("/atlas/ids", self._ids, methods=["POST"]),
            Route("/atlas/rows", self._rows, methods=["POST"]),
        ]

    def _gallery(self) -> Gallery:
        return self._services.retriever().gallery

    def _all_points(self, request: Request) -> Response:
        try:
            with self._lock:
                if self._points is None:
                    gallery = self._gallery()
                    self._points = encode_points(gallery.positions, gallery.studies)
                data = self._points
        except ValueError as error:
            return Response(message_of(error), 503, media_type="text/plain")
        return Response(data, media_type="application/octet-stream", headers=_HEADERS)

    def _film(self, request: Request) -> Response:
        try:
            studies = self._gallery().studies
        except ValueError as error:
            return Response(message_of(error), 503, media_type="text/plain")
        row = request.path_params["row"]
        if row >= len(studies):
            return Response("no such film", 404)
        study = studies[row]
        said = {
            "id": study.id,
            "place": f"film={quote(study.id, safe='')}",
            "address": self._services.images.address(study, "small"),
            "synthetic": study_text.is_synthetic(study),
            "summary": study_text.summary(study),
            "person": study_text.person(study),
        }
        return JSONResponse(said, headers=_HEADERS)

    async def _ids(self, request: Request) -> Response:
        """The ids of rows, a JSON list of at most MOST_SELECTED."""
        try:
            rows = await _listed(request, "rows")
            studies = (await run_in_threadpool(self._gallery)).studies
            if not all(type(row) is int and 0 <= row < len(studies) for row in rows):
                raise ValueError("expected rows of the gallery")
        except ValueError as error:
            return Response(message_of(error), 400, media_type="text/plain")
        return JSONResponse([studies[row].id for row in rows], headers=_HEADERS)

    async def _rows(self, request: Request) -> Response:
        """The rows of ids, a JSON list of at most MOST_SELECTED; other galleries' are left out."""
        try:
            ids = await _listed(request, "ids of studies")
            if not all(isinstance(one, str) for one in ids):
                raise ValueError("expected ids of studies as text")
            row_of = await run_in_threadpool(self._rows_by_id)
        except ValueError as error:
            return Response(message_of(error), 400, media_type="text/plain")
        return JSONResponse([row_of[one] for one in ids if one in row_of], headers=_HEADERS)

    def _rows_by_id(self) -> dict[str, int]:
        with self._lock:
            if not self._row_of:
                self._row_of = {one.id: row for row, one in enumerate(self._gallery().studies)}
            return self._row_of


async def _listed(request: Request, what: str) -> list:
    """The list of at most MOST_SELECTED that a request sends."""
    said = json.loads(await request.body())
    if not isinstance(said, list) or len(said) > MOST_SELECTED:
        raise ValueError(f"expected a list of at most {MOST_SELECTED} {what}")
    return said

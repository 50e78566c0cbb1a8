"""What the Collections tab asks the server: the gallery's name and the studies of a collection.

A collection is kept in the visitor's browser. The server is told ids, answers, and keeps nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cxr.collections import (
    FORMATS,
    MAX_STUDIES,
    Collection,
    checked_ids,
    checked_name,
    export_collection,
    find_studies,
    gallery_name,
)
from cxr.tabs.collections.views import study_parts
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import attempt, message_of

if TYPE_CHECKING:
    from cxr.gallery import Gallery

AT_ONCE, PATIENCE_S = 2, 60  # exports at a time, and how long another waits
LARGEST_BODY = 300_000  # bytes of a request, which holds ids and a name
_HEADERS = {"Cache-Control": "no-store"}


def collection_routes(services: Services) -> list[Route]:
    """Return the routes to hand to the server.

    GET collections/gallery answers {key, source}. POST collections/studies takes {studies: [id]}
    and answers {gallery, studies: [{id, card, stage}], missing: [id]}, card and stage as HTML.
    POST collections/export takes {studies, name, captions, format} and answers with the file.
    """

    def gallery(said: dict[str, Any]) -> Response:
        return JSONResponse(gallery_name(services.retriever().gallery), headers=_HEADERS)

    def studies(said: dict[str, Any]) -> Response:
        opened = services.retriever().gallery
        found, missing = find_studies(opened.studies, checked_ids(said.get("studies"), MAX_STUDIES))
        return JSONResponse(
            {
                "gallery": gallery_name(opened),
                "studies": [study_parts(study, services) for study in found],
                "missing": missing,
            },
            headers=_HEADERS,
        )

    def export(said: dict[str, Any]) -> Response:
        if not exporting.acquire(timeout=PATIENCE_S):
            raise ValueError("Others are exporting at this moment; try again in a minute.")
        try:
            return _file(said, services.retriever().gallery)
        finally:
            exporting.release()

    exporting = threading.Semaphore(AT_ONCE)
    return [
        Route("/collections/export", _answering(export), methods=["POST"]),
        Route("/collections/gallery", _answering(gallery)),
        Route("/collections/studies", _answering(studies), methods=["POST"]),
    ]


def _file(said: dict[str, Any], gallery: Gallery) -> Response:
    """Return the file that a body asks for; it is written in memory alone."""
    collection = Collection(
        checked_ids(said.get("studies"), MAX_STUDIES), checked_name(said.get("name"))
    )
    format = str(said.get("format", FORMATS[0]))
    data = export_collection(collection, gallery, format, said.get("captions") is not False)
    kind = "application/pdf" if format == FORMATS[0] else "application/zip"
    return Response(data, media_type=kind, headers=_HEADERS)


def _answering(work: Callable[[dict[str, Any]], Response]) -> Callable:
    """Return an endpoint of the server around work(body); a ValueError is answered in words."""

    async def answer(request: Request) -> Response:
        try:
            body = await _body(request) if request.method == "POST" else {}
        except ValueError as error:
            return _refused(message_of(error))
        done, message = await run_in_threadpool(attempt, work, body)
        return done or _refused(message)

    return answer


def _refused(message: str) -> Response:
    return JSONResponse({"error": message}, 400, headers=_HEADERS)


async def _body(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request.

    Raises:
        ValueError: it is none, or too large.
    """
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > LARGEST_BODY:
            raise ValueError(
                f"expected a collection of at most {LARGEST_BODY:,} bytes, got more; divide it"
            )
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ValueError("expected a JSON object, got something else; send studies as a list")
    return said

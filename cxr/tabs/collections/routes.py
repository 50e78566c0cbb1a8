"""What the Collections tab asks the server: the gallery's name and the studies of a collection.

A collection is kept in the visitor's browser. The server is told ids, answers, and keeps nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cxr.collections import MAX_STUDIES, checked_ids, find_studies, gallery_name
from cxr.tabs.collections.views import study_parts
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import attempt, message_of

LARGEST_BODY = 300_000  # bytes of a request, which holds ids and a name
_HEADERS = {"Cache-Control": "no-store"}


def collection_routes(services: Services) -> list[Route]:
    """Return the routes to hand to the server.

    GET collections/gallery answers {key, source}. POST collections/studies takes {studies: [id]}
    and answers {gallery, studies: [{id, card, stage}], missing: [id]}, both HTML.
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

    return [
        Route("/collections/gallery", _answering(gallery)),
        Route("/collections/studies", _answering(studies), methods=["POST"]),
    ]


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

"""The addresses under practice/ that the tab's script asks; JSON in, JSON out.

They stand beside Gradio's own queue, so that an answer takes as long as its grading alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cxr.tabs.practice.handlers import PracticeHandlers
from cxr.tabs.shared.errors import attempt

log = logging.getLogger(__name__)
LARGEST = 4_000_000  # bytes of a request: a profile of 5,000 answers has about two million
_FILM = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
_ANSWER = {"Cache-Control": "no-store"}


def practice_routes(handlers: PracticeHandlers) -> list[Route]:
    """The routes to hand to the server."""
    routes = [
        Route(f"/practice/{name}", _answering(handler), methods=["POST"])
        for name, handler in handlers.routes().items()
    ]
    deck = Route("/practice/deck", _answering(handlers.deck), methods=["POST"])
    films = Route("/practice/films/{key}.png", _film(handlers.film))
    return [*routes, deck, films, Route("/practice/origins/{key}.png", _film(handlers.origin_film))]


def _answering(handler: Callable[[Any], Any]) -> Callable:
    async def answer(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return _refused("The profile is too large; export it and begin a new one.", 413)
        value, problem = await run_in_threadpool(attempt, _work, handler, body)
        if problem:
            return _refused(problem, 400)
        if isinstance(value, bytes):
            return Response(value, media_type="application/octet-stream", headers=_ANSWER)
        return JSONResponse(value, headers=_ANSWER)

    return answer


def _work(handler: Callable[[Any], Any], body: bytes) -> Any:
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise ValueError("expected JSON, got something else; send the document again") from error
    if not isinstance(asked, dict):
        raise ValueError("expected a JSON object, got another value; send the document again")
    try:
        return handler(asked)
    except KeyError as error:
        raise ValueError(
            f"expected {error} in the request, it is missing; send it again"
        ) from error


def _refused(problem: str, status: int) -> Response:
    return JSONResponse({"error": problem}, status, headers=_ANSWER)


def _film(read: Callable[[str], bytes]) -> Callable:
    def film(request: Request) -> Response:
        data, problem = attempt(read, request.path_params["key"])
        if problem or data is None:
            return Response("no such film", 404)
        return Response(data, media_type="image/png", headers=_FILM)

    return film

"""Films on their way to the browser: as greyscale PNG, without loss, their aspect kept."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from functools import lru_cache
from pathlib import Path

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cxr.findings import Study
from cxr.images import load_image

THUMBNAIL = 384  # pixels of a card's longer side; cards are up to 190 CSS pixels wide
_CACHED = 512  # thumbnails, about 60 kB each
_HEADERS = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}


class ImageUrls:
    """Serves the films that have been shown, and only them, under films/KEY/SIZE.png.

    A key is a hash of the file's path, so that an address tells nothing and reaches no other file.
    Nothing is written to disk. Thread-safe.
    """

    def __init__(self) -> None:
        self._paths: dict[str, Path] = {}
        self._lock = threading.Lock()
        self._thumbnail = lru_cache(_CACHED)(lambda path: png(load_image(path), THUMBNAIL))

    def address(self, study: Study, size: str = "full") -> str:
        """Where the page finds the film of a study: size "full" or "small". "" without a film."""
        if study.image is None:
            return ""
        path = Path(study.image)
        key = hashlib.sha256(str(path).encode()).hexdigest()[:24]
        with self._lock:
            self._paths[key] = path
        return f"films/{key}/{size}.png"

    def route(self) -> Route:
        """The route to hand to the server."""
        return Route("/films/{key}/{size}.png", self._answer)

    def _answer(self, request: Request) -> Response:
        path = self._paths.get(request.path_params["key"])
        size = request.path_params["size"]
        if path is None or size not in ("full", "small"):
            return Response("no such film", 404)
        try:
            data = self._thumbnail(path) if size == "small" else png(load_image(path))
        except (ValueError, OSError):
            return Response("this film cannot be read", 404)
        return Response(data, media_type="image/png", headers=_HEADERS)


def study_image(study: Study) -> Image.Image:
    """Return the image of a study, mode "L".

    Raises:
        ValueError: it has none, or one that cannot be read.
    """
    if study.image is None:
        raise ValueError(f"expected a study with an image, got none for {study.id}; choose another")
    return load_image(study.image)


def png(image: Image.Image, side: int | None = None) -> bytes:
    """An image as PNG, its longer side at most `side` pixels, its aspect kept."""
    if side and max(image.size) > side:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=4)
    return stream.getvalue()


def inline(image: Image.Image, side: int | None = None) -> str:
    """An image as a data: address, for what must not be kept anywhere, such as an upload."""
    return f"data:image/png;base64,{base64.b64encode(png(image, side)).decode()}"

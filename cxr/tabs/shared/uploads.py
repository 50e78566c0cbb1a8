"""A visitor's film on its way in: on disk only until it is read, under a name of its own.

Gradio would keep an upload under the hash of its content, so that two visitors with the same file
would share it, and what one deletes the other has lost. Of an upload that nobody reads, because
its visitor has gone, Gradio's clearing (Blocks.delete_cache) takes care.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

from gradio.route_utils import upload_fn
from PIL import Image
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from cxr.images import frame_count, load_image

SIDE = 1024  # pixels kept of an uploaded film; encoders see 512 or fewer
GONE = (60, 600)  # seconds between clearings, and the age at which an upload left over goes


def upload_route() -> Route:
    """The route to hand to the server; it stands before Gradio's own of the same address."""
    return Route("/gradio_api/upload", _receive, methods=["POST"])


async def _receive(request: Request) -> Response:
    """As Gradio's own: the files of a form -> their places. What is cut short leaves nothing."""
    blocks = request.app.get_blocks()
    folder = Path(request.app.uploaded_file_dir)
    folder.mkdir(parents=True, exist_ok=True)
    largest = blocks.max_file_size or float("inf")
    with TemporaryDirectory(dir=folder) as inbox:
        try:
            files, _, _ = await upload_fn(request, inbox, largest, None)
        except MultiPartException as error:
            too_large = "maximum allowed size" in error.message
            return PlainTextResponse(error.message, 413 if too_large else 400)
        kept = [str(folder / secrets.token_hex(16)) for _ in files]
        for file, place in zip(files, kept):
            os.replace(file, place)
    blocks.upload_file_set.update(kept)
    return JSONResponse(kept)


def read_upload(path: str | None) -> Image.Image:
    """An uploaded film, mode "L", at most SIDE a side; its file is deleted.

    Raises:
        ValueError: no file, or one that is no film.
    """
    film = read_whole(path)
    film.thumbnail((SIDE, SIDE))
    return film


def read_whole(path: str | None) -> Image.Image:
    """As read_upload, at the size at which the film came."""
    if not path:
        raise ValueError("No film arrived: choose a file again.")
    try:
        data = Path(path).read_bytes()
        image = load_image(data)
        image.info["frames"] = frame_count(data)
        return image
    except FileNotFoundError as error:
        raise ValueError("The film did not arrive: choose the file again.") from error
    finally:
        Path(path).unlink(missing_ok=True)


def upload_source(image: Image.Image) -> str:
    """What an uploaded image is, in words, with how many frames its file holds if several."""
    frames = image.info.get("frames", 1)
    return f"Your film, the first of {frames} frames" if frames > 1 else "Your film"

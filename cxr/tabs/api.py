"""The tabs for programs: the same calls as the page's, JSON out. Python: gradio_client; MCP too.

Gradio shows the docstrings below on its API page and to MCP clients: one line a parameter, and
one line an item of what is returned.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import asdict

import gradio as gr
import numpy as np
from PIL import Image

from cxr.images import corner_mark, load_image
from cxr.reporting import as_document
from cxr.tabs.generate.views import MARK
from cxr.tabs.read.views import model_version
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import message_of
from cxr.tabs.shared.image_urls import png

MOST = 100  # films a search may ask for
MOST_DRAWN = 16  # films a call may have generated


def search_endpoint(services: Services) -> Callable:
    """The function behind the endpoint /search."""

    def search(query: str, k: int = 12, where: dict | None = None) -> list:
        """Chest X-rays of the gallery that match findings in words, best first. For education.

        Args:
            query: findings in words, at most 2,000 characters.
            k: how many studies, 1 to 100.
            where: None, or keys view (list), sex (F, M), age_min, age_max, present, absent (lists).

        Returns:
            a list of studies, each what is known of it
            score: the cosine in [-1, 1]
            similarity: in words, the cosine held against those of the whole gallery
            film: its PNG's address on this server
        """
        try:
            if not isinstance(k, int) or k > MOST:
                raise ValueError(f"expected k from 1 to {MOST}, came {k!r}; ask for fewer")
            found = services.retriever().search(query, k=k, where=where)
        except ValueError as error:
            raise gr.Error(message_of(error), print_exception=False) from error
        return [
            {
                "score": round(match.score, 4),
                "similarity": services.similarity(match)[0],
                **match.study.to_dict(),
                "image": None,  # a path of this machine is nobody else's business
                "film": services.images.address(match.study),
            }
            for match in found
        ]

    return search


def locate_endpoint(services: Services) -> Callable:
    """The function behind the endpoint /locate."""

    def locate(film: str, text: str, threshold: float = 0.5) -> dict:
        """Where a chest X-ray shows what a text names, and how much of it. For education.

        Args:
            film: the bytes of a picture (PNG, JPEG, TIFF, WebP or DICOM) in base64.
            text: an organ or a finding, with a side or a zone, at most 2,000 characters.
            threshold: from where on a pixel is marked, above 0 and at most 1.

        Returns:
            taken: what the text was taken to mean (None: nothing that can be located)
            found: whether anything is marked
            words: on which side
            lungs, right, left, picture: percentage of each that is marked (None: no lungs found)
            heat: greyscale PNG in base64 at the film's own size, 255 where it is surely
        """
        try:
            found = services.localizer.get().find(load_image(_bytes(film)), text)
            measured = found.measure(threshold)
        except ValueError as error:
            raise gr.Error(message_of(error), print_exception=False) from error
        return {
            "taken": found.query.prompt if found.query else None,
            "found": measured.found,
            **asdict(measured),
            "heat": _base64(Image.fromarray(np.round(255 * found.heat).astype(np.uint8))),
        }

    return locate


def report_endpoint(services: Services) -> Callable:
    """The function behind the endpoint /report."""

    def report(film: str, force: bool = False) -> dict:
        """What a chest X-ray suggests: findings with probabilities, a report, and what it rests on.

        For education, not for diagnosis. Nothing of the film is kept.

        Args:
            film: the bytes of a picture (PNG, JPEG, TIFF, WebP or DICOM) in base64.
            force: read a picture that looks like no frontal chest X-ray all the same.

        Returns:
            in_domain: whether it looks like a frontal chest X-ray
            warnings: what to mind
            findings: name, probability in [0, 1], low and high (95% interval), word and prompt
            report: the text
            sentences: each with what it claims and its support
            evidence: similar studies, each with score, the cosine in [-1, 1]
            model: what read it
        """
        try:
            suggestion = services.suggester.get().suggest(load_image(_bytes(film)), bool(force))
        except ValueError as error:
            raise gr.Error(message_of(error), print_exception=False) from error
        return as_document(suggestion) | {"model": model_version(services)}

    return report


def sample_endpoint(services: Services) -> Callable:
    """The function behind the endpoint /sample."""

    def sample(text: str, n: int = 8, seed: int = 0, truncation: float = 1.0) -> list:
        """Generated chest X-rays that show what a text says: no patient's, for teaching alone.

        Args:
            text: findings, and perhaps age, sex and view, at most 2,000 characters.
            n: how many films, 1 to 16.
            seed: 0 or more; the same seed gives the same films.
            truncation: how far films stray from the typical one, 0 to 1.

        Returns:
            n greyscale PNGs of 128 x 128 in base64, each with the word SYNTHETIC in it
        """
        try:
            if not isinstance(n, int) or n > MOST_DRAWN:
                raise ValueError(f"expected n from 1 to {MOST_DRAWN}, came {n!r}; ask for fewer")
            films = services.generator.get().sample(text, n, seed, truncation)
        except ValueError as error:
            raise gr.Error(message_of(error), print_exception=False) from error
        return [_base64(corner_mark(film, MARK)) for film in films]

    return sample


def _bytes(film: str) -> bytes:
    try:
        return base64.b64decode(film, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise ValueError("expected a film's bytes in base64, came something else") from error


def _base64(image: Image.Image) -> str:
    return base64.b64encode(png(image)).decode()

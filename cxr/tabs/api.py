"""The tabs for programs: the same calls as the page's, JSON out. Python: gradio_client; MCP too.

Gradio shows the docstrings below on its API page and to MCP clients: one line a parameter, and
one line an item of what is returned.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gradio as gr
import numpy as np
from gradio.route_utils import get_root_url
from PIL import Image

from cxr.collections import (
    MAX_EXPORTED,
    Collection,
    checked_ids,
    checked_name,
    export_collection,
    find_studies,
)
from cxr.findings import Study
from cxr.images import corner_mark, frame_count, load_image
from cxr.reporting import as_document
from cxr.retrieval import Match
from cxr.tabs.generate.views import MARK
from cxr.tabs.read.views import model_version
from cxr.tabs.search.query_notes import describe_reading, understand
from cxr.tabs.services import Services
from cxr.tabs.shared.errors import message_of
from cxr.tabs.shared.image_urls import png

MAX_RESULTS = 100  # studies that a search may ask for
MAX_SAMPLES = 16  # images that a call may have generated
DATA_ADDRESS = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)


def endpoint(function: Callable) -> Callable:
    """Return an endpoint whose ValueError reaches the caller as its message."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(message_of(error), print_exception=False) from error

    return called


def search_endpoint(services: Services) -> Callable:
    """Return the function behind the endpoint /search."""

    @endpoint
    def search(
        query: str,
        k: int = 12,
        where: dict | None = None,
        evidence: str = "all",
        request: gr.Request | None = None,
    ) -> list:
        """Chest X-rays of the gallery that match findings in words, best first. For education.

        Args:
            query: findings in words, at most 2,000 characters.
            k: how many studies, 1 to 100.
            where: None, or keys view (list), sex (F, M), age_min, age_max, present, absent (lists).
            evidence: "all" joins labels, reports and images; "image" compares images alone.
            request: given by the server.

        Returns:
            a list of studies, each what is known of it
            understood: how the query was read, the same in each (None where it was not)
            evidence: why it is here: kinds (label, report, image, nearest), each with its text
            score: the cosine in [-1, 1]
            similarity: in words, the cosine held against those of the whole gallery
            film: its PNG's address on this server
        """
        k = _whole("k", k, 1, MAX_RESULTS)
        server, retriever = _server(request), services.retriever()
        found = retriever.search(query, k=k, where=where, evidence=evidence)
        read = describe_reading(understand(retriever, query)) if evidence == "all" else None
        return [{"understood": read, **_found(services, server, match)} for match in found]

    return search


def similar_endpoint(services: Services) -> Callable:
    """Return the function behind the endpoint /similar."""

    @endpoint
    def similar(
        study: str = "",
        film: str = "",
        k: int = 12,
        where: dict | None = None,
        evidence: str = "all",
        matched: list | None = None,
        region: str = "",
        request: gr.Request | None = None,
    ) -> list:
        """Chest X-rays of the gallery that are like one, each with its contrast. For education.

        Args:
            study: the id of a study of the gallery, which is left out; or give a film.
            film: the bytes of a picture (PNG, JPEG, TIFF, WebP or DICOM) in base64.
            k: how many studies, 1 to 100.
            where: None, or keys view (list), sex (F, M), age_min, age_max, present, absent (lists).
            evidence: "all" compares the findings that images seem to show; "image" embeddings.
            matched: of view, sex and age what the others share with the study; age within 10 years.
            region: "" for all of the image, right lung, left lung, upper zone, middle zone, lower
                zone, heart, or x,y,w,h in shares of the image padded to a square.
            request: given by the server.

        Returns:
            a list of studies, each what is known of it
            evidence: what both share: kinds (label, image, region), each with its text
            score: the cosine in [-1, 1]
            similarity: in words, the cosine held against those of the whole gallery
            contrast: studies of the same view, sex and age group with another finding, or none
            film: its PNG's address on this server
        """
        k = _whole("k", k, 1, MAX_RESULTS)
        if bool(study) == bool(film):
            raise ValueError("expected the id of a study or the bytes of a film, got both or none")
        server, retriever = _server(request), services.retriever()
        found = retriever.similar(
            _study(retriever, study) if study else load_image(_bytes(film)),
            k=k,
            where=where,
            evidence=evidence,
            matched=matched or (),
            region=region,
        )
        return [
            _found(services, server, match)
            | {
                "contrast": [
                    _found(services, server, other) for other in retriever.contrast(match.study)
                ]
            }
            for match in found
        ]

    return similar


def _study(retriever: Any, name: str) -> Study:
    """Return the study with an id. Raises ValueError where the gallery has none."""
    for study in retriever.gallery.studies:
        if study.id == name:
            return study
    raise ValueError(f"expected a study of this gallery, got {name[:60]!r}; take an id of /search")


def _found(services: Services, server: str, match: Match) -> dict:
    """Return a match as JSON."""
    return {
        "evidence": [asdict(one) for one in match.evidence],
        "score": round(match.score, 4),
        "similarity": services.similarity(match)[0],
        **match.study.to_dict(),
        "image": None,  # a path of this machine is nobody else's business
        "film": _absolute(server, services.images.address(match.study)),
    }


def locate_endpoint(services: Services) -> Callable:
    """Return the function behind the endpoint /locate."""

    @endpoint
    def locate(film: str, text: str, threshold: float = 0.5, force: bool = False) -> dict:
        """Where a chest X-ray shows what a text names, and how much of it. For education.

        Args:
            film: the bytes of a picture (PNG, JPEG, TIFF, WebP or DICOM) in base64.
            text: an organ or a finding, with a side or a zone, at most 2,000 characters.
            threshold: from where on a pixel is marked, above 0 and at most 1.
            force: mark a picture that looks like no frontal chest X-ray all the same.

        Returns:
            in_domain: whether it looks like a frontal chest X-ray; else nothing is marked
            warnings: what to mind
            taken: what the text was taken to mean
            found: whether anything is marked
            words: on which side
            lungs, right, left, picture: percentage of each that is marked (None: no lungs found)
            probability: that the image shows a finding at all, in [0, 1] (None: not known)
            ratio: cardiothoracic ratio with its low and high (None: not measured)
            lung_measures: heights, share and costophrenic angles, each with its low and high
            heat: greyscale PNG in base64 at the film's own size, 255 where it is surely
        """
        level = _number("threshold", threshold, 0, 1)
        if not level:
            raise ValueError("expected a threshold above 0 and at most 1, got 0; such as 0.5")
        data = _bytes(film)
        image = load_image(data)
        found = services.localizer.get().find(image, text)
        measured = found.measure(level)
        answer = {
            "in_domain": True,
            "warnings": _frames(data),
            "taken": found.query.prompt,
            "found": measured.found,
            **asdict(measured),
            "probability": found.probability,
            "ratio": asdict(found.ratio) if found.ratio else None,
            "lung_measures": [asdict(one) for one in found.lungs],
            "heat": _base64(Image.fromarray(np.round(255 * found.heat).astype(np.uint8))),
        }
        if mirrored := services.mirror_warning(image):
            answer["warnings"].append(mirrored)
        if doubt := services.ood_warning(image):
            answer |= {"in_domain": False, "warnings": [doubt, *answer["warnings"]]}
            if not force:
                unsaid = (*asdict(measured), "heat", "probability", "ratio", "lung_measures")
                answer |= dict.fromkeys(unsaid)
                answer["found"] = False
                answer["words"] = "withheld"
        return answer

    return locate


def report_endpoint(services: Services) -> Callable:
    """Return the function behind the endpoint /report."""

    @endpoint
    def report(film: str, force: bool = False, setting: str = "ward") -> dict:
        """What a chest X-ray suggests: findings with probabilities, a report, and what it rests on.

        For education, not for diagnosis. Nothing of the film is kept.

        Args:
            film: the bytes of a picture (PNG, JPEG, TIFF, WebP or DICOM) in base64.
            force: read a picture that looks like no frontal chest X-ray all the same.
            setting: "ward", or "screening", where findings are rarer.

        Returns:
            in_domain: whether it looks like a frontal chest X-ray; else there are no findings
            warnings: what to mind
            overall: how abnormal the picture looks as a whole: probability, low and high, word
                ("looks abnormal", "looks normal" or "not sure") and point, what that was worth on
                validation images; null where nothing says so
            findings: name, probability in [0, 1], low and high (95% interval), word, prompt,
                assessed and operating_point
            not_assessed: the findings that are neither raised nor denied
            measurements: cardiothoracic_ratio (value, low, high; it is part of the probability of
                cardiomegaly) and places, where outlined findings lie
            report: the text
            sentences: each with what it claims and its support
            evidence: similar studies, each with score, the cosine in [-1, 1]
            model: what read it
        """
        data = _bytes(film)
        suggestion = services.suggest(load_image(data), bool(force), setting)
        document = as_document(suggestion) | {"model": model_version(services)}
        document["warnings"] = [*document["warnings"], *_frames(data)]
        return document

    return report


def sample_endpoint(services: Services) -> Callable:
    """Return the function behind the endpoint /sample."""

    @endpoint
    def sample(text: str, n: int = 8, seed: int = 0, truncation: float = 1.0) -> dict:
        """Generated chest X-rays that show what a text says: no patient's, for teaching alone.

        Args:
            text: findings, heart ratio, age, sex and view, at most 2,000 characters.
            n: how many films, 1 to 16.
            seed: 0 or more; the same seed gives the same films.
            truncation: how far films stray from the typical one, 0 to 1.

        Returns:
            films: n greyscale PNGs of 128 x 128 in base64, each with the word SYNTHETIC in it
            drawn: what they show, in words (None: the model takes any text)
            not_drawn: what the text says and they do not show (None as above)
        """
        n, seed = _whole("n", n, 1, MAX_SAMPLES), _whole("seed", seed, 0)
        spread = _number("truncation", truncation, 0, 1)
        sampler = services.generator.get()
        images, drawing = sampler.sample(text, n, seed, spread), sampler.read(text)
        return {
            "films": [_base64(corner_mark(image, MARK)) for image in images],
            "drawn": list(drawing.drawn) if drawing else None,
            "not_drawn": list(drawing.not_drawn) if drawing else None,
        }

    return sample


def collection_endpoint(services: Services) -> Callable:
    """Return the function behind the endpoint /collection."""

    @endpoint
    def collection(
        studies: list, name: str = "Collection", format: str = "pdf", captions: bool = True
    ) -> dict:
        """Studies of the gallery as a file for a teaching round. For education, not for diagnosis.

        Args:
            studies: ids of at most 60 studies, in their order.
            name: stands on the title page.
            format: "pdf", or "slides" for PNG in a ZIP archive.
            captions: print findings, report, view, age and sex; source and licence always are.

        Returns:
            file: its bytes in base64
            missing: the ids that this gallery does not hold
        """
        gallery = services.retriever().gallery
        chosen = Collection(checked_ids(studies, MAX_EXPORTED), checked_name(name))
        data = export_collection(chosen, gallery, format, bool(captions))
        _, missing = find_studies(gallery.studies, chosen.studies)
        return {"file": base64.b64encode(data).decode(), "missing": missing}

    return collection


def answer_mcp_in_json(app: gr.Blocks) -> None:
    """Have the MCP server of a launched page answer in JSON; Gradio's own answer is a Python repr.

    Args:
        app: a page whose every tool returns what JSON can hold.
    """
    from mcp.types import TextContent

    def content(data: list, root_url: str) -> list:
        return [TextContent(type="text", text=json.dumps(one, ensure_ascii=False)) for one in data]

    if app.mcp_server_obj is not None:
        vars(app.mcp_server_obj)["postprocess_output_data"] = content


def _whole(name: str, value: object, low: int, high: int | None = None) -> int:
    """Return a whole number in [low, high], also where JSON made it a float."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if low <= value <= (math.inf if high is None else high):
            return value
    wanted = f"of {low} or more" if high is None else f"from {low} to {high}"
    raise ValueError(f"expected a whole number {wanted} as {name}, got {value!r}; correct it")


def _number(name: str, value: object, low: float, high: float) -> float:
    """Return a number in [low, high]; NaN is none."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high:
        return float(value)
    raise ValueError(
        f"expected a number from {low:g} to {high:g} as {name}, got {value!r}; correct it"
    )


def _bytes(film: str) -> bytes:
    """Return the bytes of a picture in base64, also of a data: address or broken into lines."""
    try:
        text = DATA_ADDRESS.sub("", film.strip(), count=1) if film[:5].lower() == "data:" else film
        return base64.b64decode("".join(text.split()), validate=True)
    except (AttributeError, TypeError, ValueError, binascii.Error) as error:
        raise ValueError(
            "expected a film's bytes in base64, got something else; encode the whole file"
        ) from error


def _frames(data: bytes) -> list[str]:
    """Return a warning where a picture holds several frames, of which only the first is read."""
    frames = frame_count(data)
    return [f"The file holds {frames} frames; only the first was read."] if frames > 1 else []


def _server(request: gr.Request | None) -> str:
    """Return the address of this server as the caller knows it; "" outside of a request."""
    inner = request.request if request else None
    if inner is None:
        return ""
    return get_root_url(inner, inner.url.path, inner.app.get_blocks().root_path)


def _absolute(server: str, address: str) -> str:
    return f"{server}/{address}" if server and address else address


def _base64(image: Image.Image) -> str:
    return base64.b64encode(png(image)).decode()

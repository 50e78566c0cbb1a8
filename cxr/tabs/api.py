"""The search for programs: the same call as the page's, JSON out. Python: gradio_client."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from cxr.tabs.guard import message_of
from cxr.tabs.services import Services

MOST = 100  # films a call may ask for


def search_endpoint(services: Services) -> Callable:
    """The function behind the endpoint /search."""

    def search(query: str, k: int = 12, where: dict | None = None) -> list:
        """Studies that match findings in words, best first.

        query: text of at most 2,000 characters. k: 1 to 100. where: None, or any of view (a list
        out of PA, AP, lateral, frontal), sex (F or M), age_min, age_max (years), present and
        absent (lists of findings). Gives a list of studies, each with score, the cosine in
        [-1, 1], similarity, the same in words, and film, its PNG's address on this server.
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
                "film": services.films.address(match.study),
            }
            for match in found
        ]

    return search

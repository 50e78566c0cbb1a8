"""Chest X-rays for teaching: search, suggest, sample and locate. For education, not for diagnosis.

Importing this package does nothing but define names: each public name loads its module when it is
first used (PEP 562), so that `import cxr` costs neither torch nor gradio.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what editors and mypy see; a test compares it with _HOME
    from cxr.data import load_studies as load_studies
    from cxr.findings import Study as Study
    from cxr.findings import caption as caption
    from cxr.gallery import Gallery as Gallery
    from cxr.gallery import Where as Where
    from cxr.gallery import build_gallery as build_gallery
    from cxr.generation import Sampler as Sampler
    from cxr.images import load_image as load_image
    from cxr.localization import Localization as Localization
    from cxr.localization import Localizer as Localizer
    from cxr.reporting import Finding as Finding
    from cxr.reporting import ReportSuggester as ReportSuggester
    from cxr.reporting import Suggestion as Suggestion
    from cxr.retrieval import Match as Match
    from cxr.retrieval import Retriever as Retriever

__version__ = "0.1.0"

_HOME = {
    "Study": "cxr.findings",
    "caption": "cxr.findings",
    "load_studies": "cxr.data",
    "load_image": "cxr.images",
    "Gallery": "cxr.gallery",
    "Where": "cxr.gallery",
    "build_gallery": "cxr.gallery",
    "Retriever": "cxr.retrieval",
    "Match": "cxr.retrieval",
    "ReportSuggester": "cxr.reporting",
    "Suggestion": "cxr.reporting",
    "Finding": "cxr.reporting",
    "Sampler": "cxr.generation",
    "Localizer": "cxr.localization",
    "Localization": "cxr.localization",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'cxr' has no attribute {name!r}; it has {', '.join(_HOME)}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})

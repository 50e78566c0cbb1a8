"""Chest X-rays for teaching: search, suggest, sample and locate. For education, not for diagnosis.

Importing this package does nothing but define names: each public name loads its module when it is
first used (PEP 562), so that `import cxr` costs neither torch nor gradio.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_HOME = {
    "Study": "cxr.findings",
    "caption": "cxr.findings",
    "load_studies": "cxr.data",
    "load_image": "cxr.images",
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

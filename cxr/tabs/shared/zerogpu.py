"""Hugging Face's ZeroGPU: a GPU for the length of a call. Elsewhere nothing changes.

There a model may be put on the GPU by the main thread alone, before the page is up. A call on
a GPU runs in a process forked from this one, which hands back what it returns; of an error
that is not Gradio's own only the class comes back.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from contextvars import ContextVar

import gradio as gr

# Seconds that a call may hold a GPU, by the method's name: more than it takes on one CPU core.
SECONDS = {
    "search": 5,
    "heat_map": 5,
    "encode_images": 5,
    "encode": 5,
    "understand": 5,
    "judge": 5,
    "suggest": 10,
    "find": 10,
    "sample": 15,
    "interpolate": 15,
}


def on_zerogpu() -> bool:
    """Whether this process is a Space on ZeroGPU hardware."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def with_gpu(service):
    """Return a service of cxr whose methods named in SECONDS run on a GPU.

    Where the package `spaces` is not installed, it is the same service, its methods untouched.
    """
    try:
        import spaces
    except ImportError:
        return service
    for name, seconds in SECONDS.items():
        if method := getattr(service, name, None):
            setattr(service, name, _on_gpu(method, spaces.GPU(duration=seconds)))
    return service


_holds_gpu: ContextVar[bool] = ContextVar("holds_gpu", default=False)


def _on_gpu(work: Callable, on_gpu: Callable) -> Callable:
    """`work` on a GPU; a ValueError, its own or that no GPU was to be had, keeps its words.

    What calls it while it holds a GPU, as a search encodes its query, does not ask for another.
    """

    @on_gpu
    def task(*args, **kwargs) -> tuple:
        token = _holds_gpu.set(True)
        try:
            return work(*args, **kwargs), None
        except ValueError as error:
            return None, str(error)
        finally:
            _holds_gpu.reset(token)

    @functools.wraps(work)
    def call(*args, **kwargs):
        if _holds_gpu.get():
            return work(*args, **kwargs)
        try:
            value, problem = task(*args, **kwargs)
        except gr.Error as error:
            raise ValueError(str(error.message)) from error
        if problem is not None:
            raise ValueError(problem)
        return value

    return call

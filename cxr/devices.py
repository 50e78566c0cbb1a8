"""Which device to compute on, what it does in hardware, and how a process stays small."""

from __future__ import annotations

import ctypes
import sys

import torch

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # mallopt's names for them
_LARGE = 4 << 20  # bytes


def best_device() -> torch.device:
    """CUDA when there is one, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 on `device`.

    A processor counts with AMX or AVX512-BF16 (x86), or the BF16 extension (Arm on Linux, where
    PyTorch's kernels use it); everywhere else PyTorch emulates bfloat16 and is slower with it.
    A CUDA GPU counts from Ampere on. Apple's GPUs stay in float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    has = torch.cpu.get_capabilities()
    arm = sys.platform == "linux" and has.get("bf16", False)
    return bool(has.get("amx_bf16") or has.get("avx512_bf16") or arm)


def limit_memory() -> None:
    """Keep a process that serves models small; call it before they are loaded.

    Buffers of a model's run are given back to the system: glibc would raise the size from which it
    does so with each one that is freed, and would keep a heap for each thread that asked for one.
    Without a CUDA GPU, Triton (75 MB) is not loaded: Transformers and timm import PyTorch's
    compiler, and that imports Triton where it is installed.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
        libc.mallopt(_ARENA_MAX, 2)
    if not torch.cuda.is_available() and "triton" not in sys.modules:
        sys.modules["triton"] = None  # type: ignore[assignment]  # Python's way to bar an import


def release_memory() -> None:
    """Give back to the system what the process has freed but keeps; glibc alone keeps any.

    Threads that serve visitors free what others allocated, so that each heap is left with holes
    that only this call closes: memory would grow for as long as the app is used.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)

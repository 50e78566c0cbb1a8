"""Negatives from every process, with their gradients."""

from __future__ import annotations

import torch
import torch.distributed as dist


def gather_with_gradient(tensor: torch.Tensor) -> torch.Tensor:
    """[B, ...] on each of P processes -> [P * B, ...] on all, in the order of the ranks.

    Gradients flow back to the process that a row came from, which `Accelerator.gather` does not
    do. Every process must hold the same B.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return tensor
    from torch.distributed.nn.functional import all_gather

    return torch.cat(all_gather(tensor.contiguous()))

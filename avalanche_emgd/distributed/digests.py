"""Numbers by which processes find out whether their tensors differ."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["digest_of", "digest_of_text", "sums_of"]


def digest_of(tensors: Sequence[Tensor]) -> Tensor:
    """Return a number that differs if shapes, types or values of tensors differ.

    :param tensors: tensors on any device.
    :return: int64 tensor ``[1]`` on the CPU.
    """
    digest = hashlib.sha256()
    for each in tensors:
        digest.update(f"{each.dtype} {tuple(each.shape)}".encode())
        values = each.detach().cpu().contiguous().view(-1)
        digest.update(values.view(torch.uint8).numpy().data)
    return _number(digest.digest())


def digest_of_text(text: str) -> Tensor:
    """Return a number that differs if texts differ.

    :param text: any text.
    :return: int64 tensor ``[1]`` on the CPU.
    """
    return _number(hashlib.sha256(text.encode()).digest())


def _number(digest: bytes) -> Tensor:
    return torch.tensor([int.from_bytes(digest[:8], "big", signed=True)], dtype=torch.int64)


def sums_of(module: nn.Module) -> Tensor:
    """Return the sum of each parameter and of its absolute values, ``[2 k]`` float64.

    Sums need no copy of the parameters from a GPU, as a digest does.

    :param module: model with k parameters.
    """
    parameters = [p.detach().double() for p in module.parameters()]
    return torch.stack([s for p in parameters for s in (p.sum(), p.abs().sum())])

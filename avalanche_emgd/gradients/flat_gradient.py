"""Gradients by several parameters as one flat vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["flat_gradient", "flat_pieces", "flattened"]


def flat_gradient(
    loss: Tensor, parameters: Sequence[Tensor], *, retain_graph: bool = False
) -> Tensor:
    """Gradient of a scalar, ``[P]``; zero where it does not depend on a parameter.

    :param loss: loss to differentiate.
    :param parameters: parameters with P elements in all, all of one dtype.
    :param retain_graph: whether to keep the graph of the loss.
    """
    gradients = torch.autograd.grad(loss, parameters, retain_graph=retain_graph, allow_unused=True)
    return flattened(gradients, parameters)


def flattened(
    gradients: Sequence[Tensor | None], parameters: Sequence[Tensor], out: Tensor | None = None
) -> Tensor:
    """Put gradients one after the other, ``[P]``; sparse ones are laid out.

    :param gradients: one for each parameter; ``None`` stands for zeros.
    :param parameters: parameters with P elements in all, all of one dtype.
    :param out: result ``[P]``; a new tensor if omitted.
    """
    flat = flat_pieces(gradients, parameters)
    return torch.cat(flat) if out is None else torch.cat(flat, out=out)


def flat_pieces(gradients: Sequence[Tensor | None], parameters: Sequence[Tensor]) -> list[Tensor]:
    """Gradients by each parameter, flat; see :func:`flattened`."""
    return [_flat(g, p) for g, p in zip(gradients, parameters, strict=True)]


def _flat(gradient: Tensor | None, parameter: Tensor) -> Tensor:
    if gradient is None:
        return torch.zeros_like(parameter).reshape(-1)
    return (gradient.to_dense() if gradient.is_sparse else gradient).reshape(-1)

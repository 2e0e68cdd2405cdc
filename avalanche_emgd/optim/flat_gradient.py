"""The gradient of a scalar as one flat vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["flat_gradient"]


def flat_gradient(
    loss: Tensor, parameters: Sequence[Tensor], *, retain_graph: bool = False
) -> Tensor:
    """Gradient of a scalar, ``[P]``; zero where it does not depend on a parameter.

    :param loss: to differentiate.
    :param parameters: with P elements in all, all of one dtype.
    :param retain_graph: keep the graph of the loss, which is freed otherwise.
    """
    gradients = torch.autograd.grad(loss, parameters, retain_graph=retain_graph, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(parameter) if gradient is None else gradient).reshape(-1)
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
    )

"""The gradient of a scalar as one flat vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["flat_gradient"]


def flat_gradient(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """Gradient of a scalar, ``[P]``; zero where it does not depend on a parameter.

    :param loss: whose graph is freed.
    :param parameters: with P elements in all, all of one dtype.
    """
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(parameter) if gradient is None else gradient).reshape(-1)
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
    )

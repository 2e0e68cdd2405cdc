"""Orthogonality penalty on convolution kernels."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from ..._numbers import check_not_negative

__all__ = ["ConvOrthogonalityPlugin", "orthogonality_penalty"]


class ConvOrthogonalityPlugin(SupervisedPlugin):
    """Plugin that adds an orthogonality penalty to the loss.

    :param strength: factor of :func:`orthogonality_penalty`, ≥ 0.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, strength: float) -> None:
        super().__init__()
        check_not_negative("strength", strength)
        self.strength = strength

    def before_backward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Add the penalty if a convolution is trained."""
        penalty = orthogonality_penalty(strategy.model)
        if penalty is not None and self.strength > 0.0:
            strategy.loss = strategy.loss + self.strength * penalty


def orthogonality_penalty(model: nn.Module) -> Tensor | None:
    """Compute the sum of ‖K Kᵀ − I‖² over the trained convolutions, with filters as rows of K.

    If K has more rows than columns, the rows cannot be orthogonal, and Kᵀ K replaces K Kᵀ.

    :param model: any module.
    :return: a scalar; ``None`` if no convolution is trained.
    """
    total: Tensor | None = None
    for module in model.modules():
        if not isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            continue
        if not module.weight.requires_grad:
            continue
        filters = module.weight.flatten(1)
        if filters.shape[0] > filters.shape[1]:
            filters = filters.T
        product = filters @ filters.T
        unit = torch.eye(len(product), dtype=product.dtype, device=product.device)
        away = (product - unit).square().sum()
        total = away if total is None else total + away
    return total

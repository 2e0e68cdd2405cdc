"""Losses of all objectives in one computation, if they are plain means of cross-entropies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import CrossEntropyLoss, functional

from ..gradients.fitness import has_hooks

__all__ = ["is_mean_cross_entropy", "mean_cross_entropies"]

_FORWARD = CrossEntropyLoss.forward


def is_mean_cross_entropy(criterion: Any) -> bool:
    """Whether a criterion is exactly the mean cross-entropy of the samples."""
    return (
        type(criterion) is CrossEntropyLoss
        and CrossEntropyLoss.forward is _FORWARD
        and "forward" not in vars(criterion)
        and not has_hooks(criterion)
        and criterion.weight is None
        and criterion.reduction == "mean"
        and criterion.label_smoothing == 0.0
    )


def mean_cross_entropies(
    criterion: CrossEntropyLoss, outputs: Tensor, targets: Tensor, sizes: Sequence[int]
) -> Tensor:
    """Compute the mean cross-entropy of each of n successive groups of samples.

    :param criterion: loss; samples with its ``ignore_index`` as target do not enter the means.
    :param outputs: outputs of the model, ``[B, K]``.
    :param targets: class labels ``[B]``, integers.
    :param sizes: sizes of the n groups, with the sum B.
    :return: means ``[n]``.
    """
    ignored = criterion.ignore_index
    values = functional.cross_entropy(outputs, targets, ignore_index=ignored, reduction="none")
    counted = (targets != ignored).to(values.dtype)
    if len(set(sizes)) == 1:
        n = len(sizes)
        return values.view(n, -1).sum(dim=1) / counted.view(n, -1).sum(dim=1)
    groups = zip(values.split(list(sizes)), counted.split(list(sizes)), strict=True)
    return torch.stack([group.sum() / count.sum() for group, count in groups])

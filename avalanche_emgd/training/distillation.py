"""Distillation: the divergence of a model's probabilities from those that it once had."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..models.class_mask import masked_value

__all__ = ["distillation"]


def distillation(
    now: Tensor, before: Tensor, temperature: float, competed: Tensor | None = None
) -> Tensor:
    r"""Compute T² KL(softmax(before / T) ‖ softmax(now / T)), a scalar, the mean over the samples.

    :param now: logits ``[b, K]`` of the model that learns.
    :param before: logits ``[b, K]`` of the model that is to be kept, without graph.
    :param temperature: T > 0.
    :param competed: whether a class takes part, booleans ``[b, K]``; all if omitted.
    """

    def log_probabilities(logits: Tensor) -> Tensor:
        scaled = logits / temperature
        if competed is not None:
            scaled = scaled.masked_fill(~competed, masked_value(scaled.dtype))
        return torch.log_softmax(scaled, dim=1)

    mean = functional.kl_div(
        log_probabilities(now), log_probabilities(before), reduction="batchmean", log_target=True
    )
    return temperature**2 * mean

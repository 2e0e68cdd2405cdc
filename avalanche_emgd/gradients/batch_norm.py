"""Batch norm of several objectives in one pass, each normalised by its own statistics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["is_batch_norm", "normalised_by_objective", "normalises_by_batch", "tracks"]

# Subclasses and patched classes may compute something else.
_FORWARDS: dict[type[nn.Module], Any] = {
    kind: kind.forward for kind in (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
}


def is_batch_norm(layer: nn.Module) -> bool:
    """Whether a layer is a batch norm that computes what PyTorch's own does."""
    forward = _FORWARDS.get(type(layer))
    return forward is not None and type(layer).forward is forward and "forward" not in vars(layer)


def tracks(layer: Any) -> bool:
    """Whether a pass through a batch norm updates its running statistics."""
    return layer.training and bool(layer.track_running_stats)


def normalises_by_batch(module: nn.Module) -> bool:
    """Whether a model has batch norm that couples the samples of a batch, as its modes are now."""
    return any(
        isinstance(each, _BatchNorm) and (each.training or each.running_mean is None)
        for each in module.modules()
    )


def normalised_by_objective(
    layer: Any, x: Tensor, sizes: Sequence[int]
) -> tuple[Tensor, dict[str, GradientEdge]]:
    """Apply a batch norm to the samples of each objective, as in a pass of its own.

    The running statistics take the objectives in their order. On the CPU each objective is one
    native call, which gives them bit for bit. On other devices, where launches are what costs,
    objectives of one size are one call over n · C channels.

    :param layer: layer for which :func:`is_batch_norm` is true.
    :param x: inputs ``[N, C, ...]``, of the first objective's samples first.
    :param sizes: samples of each of the n objectives, N in all.
    :return: output of the shape of ``x``, and by name for each trained parameter where gradients
        ``[n, C]`` by its rows, one for each objective, are found.
    """
    layer._check_input_dim(x)
    found: dict[str, GradientEdge] = {}
    rows: dict[str, Tensor | None] = {}
    for name in ("weight", "bias"):
        parameter: Tensor | None = getattr(layer, name, None)  # a buffer, perhaps
        # Each objective has a row of its own, which its gradients arrive at.
        row = None if parameter is None else parameter.expand(len(sizes), -1)
        if row is not None and row.requires_grad:
            found[name] = get_gradient_edge(row)
        rows[name] = row
    at_once = x.device.type != "cpu" and len(set(sizes)) == 1 and len(sizes) > 1
    apply = _at_once if at_once else _one_by_one
    return apply(layer, x, sizes, rows["weight"], rows["bias"]), found


def _one_by_one(
    layer: Any,
    x: Tensor,
    sizes: Sequence[int],
    weights: Tensor | None,
    biases: Tensor | None,
) -> Tensor:
    none = [None] * len(sizes)
    return torch.cat(
        [
            functional.batch_norm(
                piece,
                *_running(layer),
                weight,
                bias,
                _uses_batch(layer),
                _counted(layer),
                layer.eps,
            )
            for piece, weight, bias in zip(
                x.split(list(sizes)),
                none if weights is None else weights.unbind(),
                none if biases is None else biases.unbind(),
                strict=True,
            )
        ]
    )


def _at_once(
    layer: Any,
    x: Tensor,
    sizes: Sequence[int],
    weights: Tensor | None,
    biases: Tensor | None,
) -> Tensor:
    """All objectives as channels of one call, with their samples side by side."""
    n, size, channels = len(sizes), sizes[0], x.shape[1]
    beside = x.reshape(n, size, channels, -1).transpose(0, 1).reshape(size, n * channels, -1)
    own_mean, own_variance = _running(layer)
    uses_batch = _uses_batch(layer)
    if own_mean is not None and own_variance is not None and not uses_batch:
        mean, variance = own_mean.repeat(n), own_variance.repeat(n)
    else:
        # With momentum 1 these become the statistics of the batches.
        like = x if own_mean is None else own_mean
        mean, variance = like.new_zeros(n * channels), like.new_ones(n * channels)
    output = functional.batch_norm(
        beside,
        mean,
        variance,
        None if weights is None else weights.reshape(-1),
        None if biases is None else biases.reshape(-1),
        uses_batch,
        1.0,
        layer.eps,
    )
    if uses_batch and own_mean is not None and own_variance is not None:
        for of_mean, of_variance in zip(mean.view(n, -1), variance.view(n, -1), strict=True):
            factor = _counted(layer)
            own_mean.data.lerp_(of_mean, factor)
            own_variance.data.lerp_(of_variance, factor)
    return output.view(size, n, channels, -1).transpose(0, 1).reshape(x.shape)


def _uses_batch(layer: Any) -> bool:
    """Whether samples are normalised by their own statistics, not by the running ones."""
    return layer.training or (layer.running_mean is None and layer.running_var is None)


def _running(layer: Any) -> tuple[Tensor | None, Tensor | None]:
    """Give the running mean and variance that a call reads or updates."""
    reads = not layer.training or layer.track_running_stats
    return (layer.running_mean, layer.running_var) if reads else (None, None)


def _counted(layer: Any) -> float:
    """Count one more batch; return the share of its statistics in the running ones."""
    if not (tracks(layer) and layer.num_batches_tracked is not None):
        return 0.0 if layer.momentum is None else layer.momentum
    layer.num_batches_tracked.data.add_(1)  # `data`, so that other writes can be told apart
    if layer.momentum is None:  # the average of all batches
        return 1.0 / float(layer.num_batches_tracked)
    return layer.momentum

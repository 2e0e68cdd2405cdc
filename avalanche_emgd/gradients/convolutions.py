"""Gradients of several objectives by a convolution's kernel in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .layer_gradient import LayerGradient

__all__ = ["CONVOLUTIONS", "as_channels", "as_products", "gradients_at_once"]

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def gradients_at_once(layer: Any, gradient: LayerGradient) -> Mapping[str, Tensor] | None:
    """Gradients of all objectives, ``[n, ...]`` by name; ``None`` where one by one is quicker.

    A kernel of one pixel is a product of matrices. On the CPU, one native call for each objective
    is the quickest for all others, or nearly so, and needs no memory for patches. On other devices
    launches dominate the cost, and objectives are groups of one convolution.

    :param layer: one of :data:`CONVOLUTIONS`.
    :param gradient: gradient of the layer.
    """
    if len(gradient.blocks) > 1 or layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        return None
    inputs, backprops, sizes = gradient.blocks[0]
    if len(set(sizes)) > 1 or len(sizes) == 1 or inputs.ndim != layer.weight.ndim:
        return None
    if layer.groups == 1 and set(layer.kernel_size) == {1} and set(layer.padding) == {0}:
        return as_products(layer, inputs, backprops, len(sizes))
    if inputs.is_cpu:
        return None
    return as_channels(layer, inputs, backprops, len(sizes))


def as_products(layer: Any, inputs: Tensor, backprops: Tensor, n: int) -> Mapping[str, Tensor]:
    """Gradients by a kernel of one pixel: a product of matrices for each objective.

    :param layer: convolution without groups and padding, with a kernel of one pixel.
    :param inputs: activations ``[N, C, ...]``.
    :param backprops: backprops ``[N, K, ...]``.
    :param n: objectives of N / n samples each.
    """
    steps = [slice(None, None, stride) for stride in layer.stride]
    seen = inputs[(slice(None), slice(None), *steps)]
    pixels = [  # [n, samples · pixels, channels]
        each.flatten(2).transpose(1, 2).reshape(n, -1, each.shape[1]) for each in (seen, backprops)
    ]
    weight = torch.bmm(pixels[1].transpose(1, 2), pixels[0])
    return {"weight": weight.view(n, *layer.weight.shape), "bias": pixels[1].sum(dim=1)}


def as_channels(layer: Any, inputs: Tensor, backprops: Tensor, n: int) -> Mapping[str, Tensor]:
    """Gradients by the kernel: objectives are groups of one convolution.

    :param layer: convolution that pads with zeros, if at all.
    :param inputs: activations ``[N, C, ...]``.
    :param backprops: backprops ``[N, K, ...]``.
    :param n: objectives of N / n samples each.
    """
    beside = [  # samples of objectives side by side, [samples, n · channels, ...]
        each.reshape(n, -1, *each.shape[1:]).transpose(0, 1).flatten(1, 2)
        for each in (inputs, backprops)
    ]
    kernels = layer.weight.repeat(n, *[1] * (layer.weight.ndim - 1))
    _, weight, _ = torch.ops.aten.convolution_backward(
        beside[1],
        beside[0],
        kernels,
        None,
        layer.stride,
        layer.padding,
        layer.dilation,
        False,
        [0] * len(layer.stride),
        n * layer.groups,
        (False, True, False),
    )
    bias = backprops.flatten(2).sum(dim=2).view(n, -1, backprops.shape[1]).sum(dim=1)
    return {"weight": weight.view(n, *layer.weight.shape), "bias": bias}

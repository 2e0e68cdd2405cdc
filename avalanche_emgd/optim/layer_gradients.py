"""Gradients of layers' parameters from what went into the layers and what came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_weight

__all__ = ["MANY", "GradientRule", "gradient_rule", "rule_of", "write_rows"]

GradientRule = Callable[[Any, Tensor, Tensor], Mapping[str, Tensor]]
"""``rule(layer, inputs, gradients)``: from the inputs ``[b, ...]`` of a layer and the gradients
``[b, ...]`` of a loss by its outputs to those by its parameters, by name, summed over samples. A
layer with a rule must treat each sample by itself."""

Rule = TypeVar("Rule", bound=GradientRule)

# Objectives from which on products of all of them at once pay: PyTorch has them only for results
# that are in one piece of memory. What is written to rows that are apart is computed one by one.
MANY = 6

_RULES: dict[type[nn.Module], GradientRule] = {}


def gradient_rule(kind: type[nn.Module]) -> Callable[[Rule], Rule]:
    """Register the rule of a type of layers; subclasses need rules of their own.

    :param kind: whose ``forward`` takes one tensor and gives one.
    """

    def register(rule: Rule) -> Rule:
        _RULES[kind] = rule
        return rule

    return register


def rule_of(layer: nn.Module) -> GradientRule | None:
    """Rule for a layer; ``None`` if there is none for exactly its type."""
    return _RULES.get(type(layer))


def write_rows(
    layer: nn.Module,
    inputs: Tensor,
    gradients: Tensor,
    sizes: Sequence[int],
    targets: Mapping[str, Tensor],
    add: bool,
) -> None:
    """Write the gradients of n objectives by a layer's parameters, by the rule of its type.

    :param layer: with a rule.
    :param inputs: ``[N, ...]``, of the first objective's samples first.
    :param gradients: ``[N, ...]``, what came back to its outputs.
    :param sizes: samples of each objective.
    :param targets: where to, ``[n, size]``, by the names of the parameters; others are left out.
    :param add: to what is there, instead of replacing it.
    """
    if not targets:
        return
    if type(layer) is nn.Linear:
        _write_linear(inputs, gradients, sizes, targets, add)
        return
    rule = _RULES[type(layer)]
    pieces = zip(inputs.split(list(sizes)), gradients.split(list(sizes)), strict=True)
    for row, (into, back) in enumerate(pieces):
        for name, found in rule(layer, into, back).items():
            if name in targets:
                target = targets[name][row]
                target.add_(found.reshape(-1)) if add else target.copy_(found.reshape(-1))


def _write_linear(
    inputs: Tensor,
    gradients: Tensor,
    sizes: Sequence[int],
    targets: Mapping[str, Tensor],
    add: bool,
) -> None:
    """All rows in one product where batches are of one size, without copies in any case."""
    n, wide, high = len(sizes), inputs.shape[-1], gradients.shape[-1]
    weights, bias = targets.get("weight"), targets.get("bias")
    if len(set(sizes)) == 1:
        into, back = inputs.reshape(n, -1, wide), gradients.reshape(n, -1, high)
        if weights is not None:
            weight = weights.view(n, high, wide)
            if add:
                weight.baddbmm_(back.transpose(1, 2), into)
            elif n < MANY or weight.is_contiguous():
                torch.bmm(back.transpose(1, 2), into, out=weight)
            else:
                weight.copy_(torch.bmm(back.transpose(1, 2), into))
        if bias is not None:
            bias.add_(back.sum(dim=1)) if add else torch.sum(back, dim=1, out=bias)
        return
    pieces = list(zip(inputs.split(list(sizes)), gradients.split(list(sizes)), strict=True))
    for row, (some, slope) in enumerate(pieces):
        slope = slope.flatten(0, -2)
        if weights is not None:
            weights[row].view(high, wide).addmm_(slope.T, some.flatten(0, -2), beta=float(add))
        if bias is not None:
            bias[row].add_(slope.sum(dim=0)) if add else torch.sum(slope, dim=0, out=bias[row])


@gradient_rule(nn.Linear)
def _linear(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    outer = gradients.flatten(0, -2).T @ inputs.flatten(0, -2)
    return {"weight": outer, "bias": gradients.flatten(0, -2).sum(dim=0)}


@gradient_rule(nn.Conv2d)
def _conv2d(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    padding = layer.padding
    if isinstance(padding, str) or layer.padding_mode != "zeros":
        inputs = functional.pad(
            inputs,
            layer._reversed_padding_repeated_twice,
            mode="constant" if layer.padding_mode == "zeros" else layer.padding_mode,
        )
        padding = (0, 0)
    weight = conv2d_weight(
        inputs, layer.weight.shape, gradients, layer.stride, padding, layer.dilation, layer.groups
    )
    return {"weight": weight, "bias": gradients.sum(dim=(0, 2, 3))}


@gradient_rule(nn.LayerNorm)
def _layer_norm(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    normalised = functional.layer_norm(inputs, layer.normalized_shape, eps=layer.eps)
    rest = tuple(range(inputs.ndim - len(layer.normalized_shape)))
    return {"weight": (gradients * normalised).sum(dim=rest), "bias": gradients.sum(dim=rest)}


@gradient_rule(nn.GroupNorm)
def _group_norm(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    normalised = functional.group_norm(inputs, layer.num_groups, eps=layer.eps)
    rest = (0, *range(2, inputs.ndim))
    return {"weight": (gradients * normalised).sum(dim=rest), "bias": gradients.sum(dim=rest)}


@gradient_rule(nn.Embedding)
def _embedding(layer: Any, inputs: Tensor, gradients: Tensor) -> Mapping[str, Tensor]:
    flat = gradients.reshape(-1, gradients.shape[-1])
    if layer.padding_idx is not None:
        flat = flat * (inputs.reshape(-1) != layer.padding_idx)[:, None]
    weight = torch.zeros_like(layer.weight).index_add_(0, inputs.reshape(-1), flat)
    return {"weight": weight}

"""Gradients of layers' parameters from what went into the layers and what came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_weight

__all__ = ["GradientRule", "gradient_rule", "rule_of"]

GradientRule = Callable[[Any, Tensor, Tensor], Mapping[str, Tensor]]
"""``rule(layer, inputs, gradients)``: from the inputs ``[b, ...]`` of a layer and the gradients
``[b, ...]`` of a loss by its outputs to those by its parameters, by name, summed over samples. A
layer with a rule must treat each sample by itself."""

Rule = TypeVar("Rule", bound=GradientRule)

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

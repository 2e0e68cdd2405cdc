"""Gradients of layers' parameters from what went into the layers and what came back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.grad import conv2d_weight

__all__ = [
    "MANY",
    "GradientRule",
    "Writer",
    "gradient_rule",
    "rule_of",
    "why_rule_fails",
    "writer_for",
]

GradientRule = Callable[[Any, Tensor, Tensor], Mapping[str, Tensor]]
"""``rule(layer, inputs, gradients)``: from the inputs ``[b, ...]`` of a layer and the gradients
``[b, ...]`` of a loss by its outputs to those by its parameters, by name, summed over samples. A
layer with a rule must treat each sample by itself."""

Rule = TypeVar("Rule", bound=GradientRule)

# Objectives from which on products of all of them at once pay: PyTorch has them only for results
# that are in one piece of memory. What is written to rows that are apart is computed one by one.
MANY = 6

_RULES: dict[type[nn.Module], GradientRule] = {}
# What these types compute: a class can be patched after its rule was registered.
_FORWARDS: dict[type[nn.Module], Any] = {}


def gradient_rule(kind: type[nn.Module]) -> Callable[[Rule], Rule]:
    """Register the rule of a type of layers; subclasses need rules of their own.

    :param kind: whose ``forward`` takes one tensor and gives one.
    """

    def register(rule: Rule) -> Rule:
        _RULES[kind], _FORWARDS[kind] = rule, kind.forward
        return rule

    return register


def rule_of(layer: nn.Module) -> GradientRule | None:
    """Rule for a layer; ``None`` if there is none for exactly its type."""
    return _RULES.get(type(layer))


def why_rule_fails(layer: nn.Module) -> str | None:
    """Say why the rule of a layer's type does not hold for one layer; ``None`` if it does.

    :param layer: with a rule.
    """
    kind = type(layer)
    if "forward" in vars(layer) or kind.forward is not _FORWARDS.get(kind, kind.forward):
        return "has another `forward`"
    if any(p is not None and p.is_complex() for p in layer._parameters.values()):
        return "has complex parameters"
    if kind is nn.Embedding and (layer.max_norm is not None or layer.scale_grad_by_freq):
        return "couples samples by `max_norm` or `scale_grad_by_freq`"
    return None


Writer = Callable[[Tensor, Tensor, Sequence[int]], None]
"""``writer(inputs, gradients, sizes)`` writes the gradients of n objectives by a layer's parameters
from its inputs ``[N, ...]``, of the first objective's samples first, what came back to its outputs
``[N, ...]`` and how many samples each has."""


def writer_for(layer: nn.Module, targets: Mapping[str, Tensor], add: bool) -> Writer:
    """Prepare to write gradients by the rule of a layer's type.

    :param layer: with a rule.
    :param targets: where to, ``[n, size]``, by the names of the parameters; others are left out.
    :param add: to what is there, instead of replacing it.
    """
    if type(layer) is nn.Linear:
        return _LinearWriter(layer, targets, add)
    return _RuleWriter(layer, targets, add)


class _RuleWriter:
    """One row after the other."""

    def __init__(self, layer: nn.Module, targets: Mapping[str, Tensor], add: bool) -> None:
        self._layer = layer
        self._rule = _RULES[type(layer)]
        self._targets = targets
        self._add = add

    def __call__(self, inputs: Tensor, gradients: Tensor, sizes: Sequence[int]) -> None:
        pieces = zip(inputs.split(list(sizes)), gradients.split(list(sizes)), strict=True)
        for row, (into, back) in enumerate(pieces):
            for name, found in self._rule(self._layer, into, back).items():
                if name in self._targets:
                    target, value = self._targets[name][row], found.reshape(-1)
                    target.add_(value) if self._add else target.copy_(value)


class _LinearWriter:
    """All rows in one product where batches are of one size, without copies in any case."""

    def __init__(self, layer: nn.Linear, targets: Mapping[str, Tensor], add: bool) -> None:
        self._bias = targets.get("bias")
        self._add = add
        self._weights: Tensor | None = None
        self._is_direct = False
        if "weight" in targets:
            rows = targets["weight"]
            self._weights = rows.view(len(rows), layer.out_features, layer.in_features)
            self._is_direct = len(rows) < MANY or self._weights.is_contiguous()

    def __call__(self, inputs: Tensor, gradients: Tensor, sizes: Sequence[int]) -> None:
        weights, bias = self._weights, self._bias
        if len(set(sizes)) > 1:
            self._write_one_by_one(inputs, gradients, sizes)
            return
        n = len(sizes)
        into = inputs.reshape(n, -1, inputs.shape[-1])
        back = gradients.reshape(n, -1, gradients.shape[-1])
        if weights is not None:
            if self._add:
                weights.baddbmm_(back.transpose(1, 2), into)
            elif self._is_direct:
                torch.bmm(back.transpose(1, 2), into, out=weights)
            else:
                weights.copy_(torch.bmm(back.transpose(1, 2), into))
        if bias is not None:
            bias.add_(back.sum(dim=1)) if self._add else torch.sum(back, dim=1, out=bias)

    def _write_one_by_one(self, inputs: Tensor, gradients: Tensor, sizes: Sequence[int]) -> None:
        pieces = zip(inputs.split(list(sizes)), gradients.split(list(sizes)), strict=True)
        for row, (into, back) in enumerate(pieces):
            into, back = into.flatten(0, -2), back.flatten(0, -2)
            if self._weights is not None:
                self._weights[row].addmm_(back.T, into, beta=float(self._add))
            if self._bias is not None:
                bias = self._bias[row]
                bias.add_(back.sum(dim=0)) if self._add else torch.sum(back, dim=0, out=bias)


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

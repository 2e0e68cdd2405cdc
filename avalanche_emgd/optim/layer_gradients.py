"""Gradients of several objectives by a layer's parameters, written into rows of memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from .batch_norm import is_batch_norm
from .layer_rules import rule_of

__all__ = ["MANY", "Returned", "Writer", "writer_for"]

# Objectives from which on products of all of them at once pay: PyTorch has them only for results
# that are in one piece of memory. What is written to rows that are apart is computed one by one.
MANY = 6


@dataclass(frozen=True)
class Returned:
    """A call of a layer and the gradients of a backward pass.

    :param layer: that was called.
    :param inputs: activations ``[N, ...]``, of the first objective's samples first.
    :param backprops: gradients by the outputs, ``[N, ...]``.
    :param own: gradients by the layer's parameters, by name, ``[n, ...]``, if the graph has them
        for each objective; empty otherwise.
    """

    layer: nn.Module
    inputs: Tensor
    backprops: Tensor
    own: Mapping[str, Tensor]


Writer = Callable[[Returned, Sequence[int]], None]
"""``writer(returned, sizes)`` writes the gradients of n objectives by a layer's parameters;
``sizes`` are the samples of each."""


def writer_for(layer: nn.Module, targets: Mapping[str, Tensor], add: bool) -> Writer:
    """Prepare to write gradients by the rule of a layer's type.

    :param layer: :func:`is_known`.
    :param targets: where to, ``[n, size]``, by the names of the parameters; others are left out.
    :param add: to what is there, instead of replacing it.
    """
    if type(layer) is nn.Linear:
        return _LinearWriter(layer, targets, add)
    if is_batch_norm(layer):
        return partial(_write_own, targets, add)
    return _RuleWriter(layer, targets, add)


def _write_own(
    targets: Mapping[str, Tensor], add: bool, returned: Returned, sizes: Sequence[int]
) -> None:
    """Write gradients that the graph has for each objective."""
    for name, target in targets.items():
        rows = returned.own[name].reshape(len(sizes), -1)
        target.add_(rows) if add else target.copy_(rows)


class _RuleWriter:
    """One row after the other."""

    def __init__(self, layer: nn.Module, targets: Mapping[str, Tensor], add: bool) -> None:
        self._layer = layer
        self._rule = rule_of(layer)
        self._targets = targets
        self._add = add

    def __call__(self, returned: Returned, sizes: Sequence[int]) -> None:
        pieces = [each.split(list(sizes)) for each in (returned.inputs, returned.backprops)]
        for row, (into, back) in enumerate(zip(*pieces, strict=True)):
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

    def __call__(self, returned: Returned, sizes: Sequence[int]) -> None:
        inputs, gradients = returned.inputs, returned.backprops
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

"""Gradients of several objectives by a layer's parameters, written into rows of memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from .batch_norm import is_batch_norm
from .convolutions import CONVOLUTIONS, gradients_at_once
from .layer_gradient import LayerGradient
from .rules import rule_of

__all__ = ["MANY", "Writer", "writer_for"]

# Objectives from which on products of all of them at once pay: PyTorch has them only for results
# in one piece of memory. Rows in separate pieces are computed one by one.
MANY = 6

Writer = Callable[[LayerGradient], None]
"""Writes the gradients of n objectives by a layer's parameters."""


def writer_for(layer: nn.Module, targets: Mapping[str, Tensor], add: bool) -> Writer:
    """Prepare to write gradients by the rule of a layer's type.

    :param layer: layer for which :func:`~.rules.is_known` is true.
    :param targets: rows to write, ``[n, size]``, by the names of the parameters; other parameters
        are left out.
    :param add: whether to add to the rows, instead of replacing them.
    """
    if type(layer) is nn.Linear:
        return _LinearWriter(layer, targets, add)
    if is_batch_norm(layer):
        return partial(_write_own, targets, add)
    if isinstance(layer, CONVOLUTIONS):
        return partial(_write_convolution, layer, targets, add)
    return partial(_write_by_rule, layer, targets, add)


def _write(target: Tensor, value: Tensor, add: bool) -> None:
    target.add_(value) if add else target.copy_(value)


def _write_own(targets: Mapping[str, Tensor], add: bool, gradient: LayerGradient) -> None:
    """Write gradients that the graph has for each objective."""
    for name, target in targets.items():
        _write(target, gradient.own[name].reshape(target.shape), add)


def _write_by_rule(
    layer: nn.Module, targets: Mapping[str, Tensor], add: bool, gradient: LayerGradient
) -> None:
    """One row after the other."""
    rule = rule_of(layer)
    for row, (activations, backprops) in enumerate(gradient.pieces()):
        for name, value in rule(layer, activations, backprops).items():
            if name in targets:
                _write(targets[name][row], value.reshape(-1), add)


def _write_convolution(
    layer: nn.Module, targets: Mapping[str, Tensor], add: bool, gradient: LayerGradient
) -> None:
    """All rows at once where that is quicker."""
    rows = gradients_at_once(layer, gradient)
    if rows is None:
        _write_by_rule(layer, targets, add, gradient)
        return
    for name, target in targets.items():
        _write(target, rows[name].reshape(target.shape), add)


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

    def __call__(self, gradient: LayerGradient) -> None:
        counts = {size for _, _, sizes in gradient.blocks for size in sizes}
        if len(counts) > 1:
            self._write_one_by_one(gradient)
            return
        weights, bias = self._weights, self._bias
        size = counts.pop()
        inputs, backprops = gradient.inputs, gradient.backprops
        n = len(inputs) // size
        into = inputs.reshape(n, -1, inputs.shape[-1])
        back = backprops.reshape(n, -1, backprops.shape[-1])
        if weights is not None:
            if self._add:
                weights.baddbmm_(back.transpose(1, 2), into)
            elif self._is_direct:
                torch.bmm(back.transpose(1, 2), into, out=weights)
            else:
                weights.copy_(torch.bmm(back.transpose(1, 2), into))
        if bias is not None:
            bias.add_(back.sum(dim=1)) if self._add else torch.sum(back, dim=1, out=bias)

    def _write_one_by_one(self, gradient: LayerGradient) -> None:
        for row, (into, back) in enumerate(gradient.pieces()):
            into, back = into.flatten(0, -2), back.flatten(0, -2)
            if self._weights is not None:
                self._weights[row].addmm_(back.T, into, beta=float(self._add))
            if self._bias is not None:
                bias = self._bias[row]
                bias.add_(back.sum(dim=0)) if self._add else torch.sum(back, dim=0, out=bias)

"""Gradients of one objective after the other, in the memory of one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .layer_gradient import LayerGradient
from .layout import make_layout
from .workspace import Workspace

__all__ = ["SingleRows"]


class SingleRows:
    """Computes the gradient of one objective at a time by the rules of the layers.

    :param found: gradients of layers, for each call; ``None`` where no loss depends on it.
    :param parameters: parameters with P elements in all.
    """

    def __init__(self, found: Sequence[LayerGradient | None], parameters: Sequence[Tensor]) -> None:
        kept = [each for each in found if each is not None]
        layers = [each.layer for each in kept]
        self._gradients = [(each, list(each.pieces())) for each in kept]
        self._layout = make_layout(1, layers, [False] * len(kept), parameters, Workspace())
        self._lengths = [p.numel() for p in parameters]

    @torch.no_grad()
    def row(self, k: int) -> Sequence[Tensor]:
        """Gradient of objective ``k`` by each parameter, flat; valid until the next call."""
        for position, write in self._layout.steps:
            write(_of_one(*self._gradients[position], k))
        for piece in self._layout.unused:
            piece.zero_()
        (whole,) = (piece.rows[0] for piece in self._layout.dense.pieces)
        return whole.split(self._lengths)


def _of_one(
    gradient: LayerGradient, pieces: Sequence[tuple[Tensor, Tensor]], k: int
) -> LayerGradient:
    inputs, backprops = pieces[k]
    own = {name: rows[k : k + 1] for name, rows in gradient.own.items()}
    return LayerGradient(gradient.layer, [(inputs, backprops, [len(inputs)])], own)

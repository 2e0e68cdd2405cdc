"""From the gradients of layers' calls to one gradient per objective."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .layer_gradient import LayerGradient
from .layerwise_gradients import LayerwiseGradients, OuterProducts
from .layout import Layout, make_layout
from .workspace import Workspace

__all__ = ["Assembly"]

# The engine keeps outer products if N² (in + out) is at most this many times n · in · out. Beyond
# it, products of all pairs of samples cost more than gradients that are written and read.
_WORTH_IT = 12


class Assembly:
    """Puts gradients of layers together; the layout of a tick serves those that are like it.

    :param workspace: workspace that gives the memory that gradients are written to.
    :param lean: whether to keep outer products wherever possible.
    """

    def __init__(self, workspace: Workspace, *, lean: bool) -> None:
        self._workspace = workspace
        self._lean = lean
        self._layout: Layout | None = None
        self._key: Any = None
        self._involved: list[Any] = []  # references, so that `id()` values are not reused

    def __getstate__(self) -> dict[str, Any]:
        """State without the memory."""
        return {**vars(self), "_layout": None, "_key": None, "_involved": []}

    def lend(self) -> Workspace:
        """Lend the memory for gradients that separate passes write."""
        self._layout = None  # whose zeros they overwrite
        return Workspace(self._workspace)

    @torch.no_grad()
    def gradients(
        self,
        found: Sequence[LayerGradient | None],
        sizes: Sequence[int],
        parameters: Sequence[Tensor],
    ) -> LayerwiseGradients:
        """Gradients of all objectives.

        :param found: gradient of each call of a layer; ``None`` where no loss depends on the call.
        :param sizes: samples that the gradient of each objective is a sum over.
        :param parameters: parameters with P elements in all.
        """
        kept = [each for each in found if each is not None]
        layout = self._layout_for(kept, sizes, parameters)
        for position, write in layout.steps:
            write(kept[position])
        for piece in layout.unused:
            piece.zero_()
        outer = [
            OuterProducts(start, kept[position].inputs, kept[position].backprops)
            for position, start in layout.outer
        ]
        return LayerwiseGradients(
            sizes, outer, layout.dense, layout.size, parameters[0], layout.used
        )

    def _layout_for(
        self,
        found: Sequence[LayerGradient],
        sizes: Sequence[int],
        parameters: Sequence[Tensor],
    ) -> Layout:
        """Give the layout of the last tick, unless something is different."""
        like, n = parameters[0], len(sizes)
        layers = [each.layer for each in found]
        shapes = [[(*inputs.shape[:1], inputs.ndim) for inputs, *_ in e.blocks] for e in found]
        own = [p for layer in layers for p in layer._parameters.values()]
        involved = [*layers, *own, *parameters]
        key = (n, shapes, like.dtype, like.device, list(map(id, involved)))
        if self._layout is None or key != self._key:
            samples = sum(sizes)
            products = [
                isinstance(each.layer, nn.Linear)
                and type(each.layer) is nn.Linear
                and each.blocks[0][0].ndim == 2
                and (self._lean or _is_worth_it(each.layer, samples, n))
                for each in found
            ]
            self._layout = make_layout(n, layers, products, parameters, self._workspace)
            self._key, self._involved = key, involved
        return self._layout


def _is_worth_it(layer: nn.Linear, samples: int, n: int) -> bool:
    wide, high = layer.in_features, layer.out_features
    return samples * samples * (wide + high) <= _WORTH_IT * n * wide * high

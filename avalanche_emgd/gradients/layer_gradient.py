"""Activations and backprops of one call of a layer, objective by objective."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["LayerGradient"]


@dataclass(frozen=True)
class LayerGradient:
    """Where the gradients of n objectives by a layer's parameters follow from.

    :param layer: layer of the call.
    :param blocks: activations ``[N, ...]``, backprops ``[N, ...]`` and the number of samples of
        each objective in them. Each objective of a group has a block with all samples of the group.
    :param own: gradients ``[n, ...]`` by the layer's parameters, by name, where the graph has them
        for each objective; empty otherwise.
    """

    layer: nn.Module
    blocks: Sequence[tuple[Tensor, Tensor, Sequence[int]]]
    own: Mapping[str, Tensor]

    @property
    def inputs(self) -> Tensor:
        """Activations of all blocks, ``[N, ...]``."""
        return _joined([inputs for inputs, _, _ in self.blocks])

    @property
    def backprops(self) -> Tensor:
        """Backprops of all blocks, ``[N, ...]``."""
        return _joined([backprops for _, backprops, _ in self.blocks])

    def pieces(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Activations and backprops of each objective."""
        for inputs, backprops, sizes in self.blocks:
            yield from zip(inputs.split(list(sizes)), backprops.split(list(sizes)), strict=True)


def _joined(tensors: Sequence[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors))

"""Updates of the model by the mean of the gradients of several ticks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn

from ..._numbers import check_whole

__all__ = ["GradientAccumulationPlugin"]


class GradientAccumulationPlugin(SupervisedPlugin):
    """Plugin that updates the model at every k-th tick, by the mean of the gradients of k ticks.

    The gradient of a tick is what the strategy gives to the optimizer, such as the weighted sum of
    the objectives' gradients. At the other ticks parameters have no gradient, so that PyTorch's
    optimizers leave them and their momentum alone. Ticks are counted across experiences. Plugins
    that change gradients, for instance by clipping, belong behind this one to see the mean, and
    before it to see each tick.

    :param every: number k of ticks of an update, ≥ 1.
    :raises ValueError: if ``every`` is no whole number of at least 1.
    """

    def __init__(self, every: int) -> None:
        super().__init__()
        check_whole("every", every, 1)
        self.every = every
        self._ticks = 0
        self._sums: dict[str, Tensor] = {}

    def before_update(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Add the gradients of the tick; give the optimizer their mean if an update is due."""
        self._ticks += 1
        is_due = self._ticks % self.every == 0
        for name, parameter in strategy.model.named_parameters():
            found, parameter.grad = parameter.grad, None
            if found is not None:
                former = self._sums.get(name)
                # A copy, because the next tick may overwrite the gradient.
                self._sums[name] = (
                    found.clone() if former is None else _grown(former, found) + found
                )
            if is_due and name in self._sums:
                parameter.grad = _grown(self._sums[name], parameter) / self.every
        if is_due:
            self._sums = {}

    def state_dict(self) -> dict[str, Any]:
        """Copy the sums since the last update, and the number of ticks."""
        return {"ticks": self._ticks, "sums": {n: each.clone() for n, each in self._sums.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`."""
        self._ticks = int(state["ticks"])
        self._sums = {name: each.clone() for name, each in state["sums"].items()}


def _grown(former: Tensor, like: Tensor | nn.Parameter) -> Tensor:
    """Extend a gradient by zeros to the shape of a parameter that has grown since."""
    if former.shape == like.shape:
        return former
    grown = torch.zeros_like(like.detach())
    grown[tuple(map(slice, former.shape))] = former
    return grown

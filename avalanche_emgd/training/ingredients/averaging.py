"""Moving average of the weights, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from ..._numbers import check_in_range

__all__ = ["AveragedWeights", "AveragedWeightsPlugin"]


@dataclass(frozen=True)
class AveragedWeights:
    r"""Tests with an exponential moving average of the weights over the ticks.

    After the update of tick k = 1, 2, 3 ... the average θ̄ becomes

    .. math:: \bar\theta \leftarrow \gamma \bar\theta + (1 - \gamma) \theta, \qquad
        \gamma = \min\Bigl(\texttt{decay}, \frac{1 + k}{10 + k}\Bigr)

    and begins as the weights after the first tick, k = 0. In short runs the fraction decides: the
    window grows with the run. Running statistics of batch norm are averaged in the same way; whole
    numbers are copied. Training is the same as without average.

    :param decay: γ in [0, 1) after many ticks.
    :raises ValueError: if it is outside.
    """

    decay: float = 0.99

    def __post_init__(self) -> None:
        check_in_range("decay` of `tested_weights", self.decay, 0.0, 1.0, open_above=True)

    def make_plugin(self) -> AveragedWeightsPlugin:
        """Make the plugin that averages the weights of one strategy."""
        return AveragedWeightsPlugin(self.decay)


class AveragedWeightsPlugin(SupervisedPlugin):
    """Averages the weights of a strategy's model over the ticks.

    The average is a ``torch.optim.swa_utils.AveragedModel``. Where parts of the model grow, the new
    weights begin with their present values. Another model in place of the strategy's begins a new
    average.

    :param decay: decay, see :class:`AveragedWeights`.
    """

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self._source: nn.Module | None = None
        self._average: AveragedModel | None = None

    def before_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Follow the model to where it has grown."""
        self._follow(strategy.model)

    def after_update(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Average the weights of one more tick."""
        average = self._follow(strategy.model)
        k = int(average.n_averaged)
        average.multi_avg_fn = partial(_approach, min(self.decay, (1 + k) / (10 + k)))
        average.update_parameters(strategy.model)

    def model_for(self, model: nn.Module) -> nn.Module:
        """Averaged model in place of a model; the model itself before its first tick.

        :param model: model that is trained.
        """
        if self._average is None or self._source is not model or not int(self._average.n_averaged):
            return model
        averaged: nn.Module = self._follow(model).module
        return averaged

    def state_dict(self) -> dict[str, Any]:
        """Copy the average and the number of its ticks; empty before the first experience."""
        if self._average is None:
            return {}
        return {name: value.clone() for name, value in self._average.state_dict().items()}

    def load_state_dict(self, state: dict[str, Any], model: nn.Module) -> None:
        """Restore what :meth:`state_dict` gave.

        :param state: state of the average.
        :param model: model that is trained, with weights of the same shapes.
        """
        self._source = self._average = None
        if state:
            self._follow(model).load_state_dict(state)

    def _follow(self, model: nn.Module) -> AveragedModel:
        """Make the average, or give it the shapes that the model has now."""
        before = self._average if self._source is model else None
        if before is not None and _layout(before.module) == _layout(model):
            return before
        try:
            average = AveragedModel(model, use_buffers=True)
        except Exception as error:
            raise ValueError(
                f"`tested_weights` needs a copy of `model`, which cannot be copied: {error}"
            ) from error
        average.module.requires_grad_(False)
        average.module.zero_grad(set_to_none=True)
        if before is not None:
            average.n_averaged.copy_(before.n_averaged)
            _take_over(before.module, average.module)
        self._source, self._average = model, average
        return average


def _approach(
    decay: float, averages: Sequence[Tensor], values: Sequence[Tensor], _: Tensor | int
) -> None:
    """Move averages towards values; whole numbers and booleans become the values."""
    if averages[0].is_floating_point() or averages[0].is_complex():
        torch._foreach_lerp_(list(averages), list(values), 1.0 - decay)
    else:
        torch._foreach_copy_(list(averages), list(values))


def _layout(model: nn.Module) -> list[tuple[torch.Size, torch.dtype, torch.device]]:
    tensors = chain(model.parameters(), model.buffers())
    return [(tensor.shape, tensor.dtype, tensor.device) for tensor in tensors]


@torch.no_grad()
def _take_over(old: nn.Module, new: nn.Module) -> None:
    """Copy the values of tensors of the same name, as far as both shapes reach."""
    known = dict(chain(old.named_parameters(), old.named_buffers()))
    for name, tensor in chain(new.named_parameters(), new.named_buffers()):
        former = known.get(name)
        if former is not None and former.ndim == tensor.ndim:
            common = tuple(
                slice(min(sizes)) for sizes in zip(former.shape, tensor.shape, strict=True)
            )
            tensor[common] = former[common].to(tensor)

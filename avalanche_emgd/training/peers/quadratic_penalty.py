"""Quadratic penalties on the distance of parameters to earlier values."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ..options import StrategyOptions
from .memory_free import MemoryFreeStrategy

__all__ = ["QuadraticPenaltyStrategy"]


class QuadraticPenaltyStrategy(MemoryFreeStrategy):
    r"""Strategy with the penalty ½ λ Σ_j Σ_i Ω_ji (θ_i − θ*_ji)², without memory.

    Each consolidation j has importances Ω_j and an anchor θ*_j. The strategy stores only
    A = Σ_j Ω_j and b = Σ_j Ω_j θ*_j. It adds the penalty's gradient λ (A θ − b) to the update, at a
    cost independent of the number of consolidations. ``loss`` does not include the penalty.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``. The argument
    ``memory_size`` has no effect.

    :param strength: strength λ ≥ 0 of the penalty.
    """

    _derived: ClassVar[frozenset[str]] = frozenset(("data_gradient", "_curvature", "_pull"))

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        strength: float,
        **options: Unpack[StrategyOptions],
    ) -> None:
        super().__init__(model, optimizer=optimizer, **options)
        self.strength = strength
        self.data_gradient = torch.empty(0)
        """Mean of the tasks' gradients at this tick, without the penalty's gradient, ``[P]``."""
        self._curvatures: dict[str, Tensor] = {}
        self._pulls: dict[str, Tensor] = {}

    def _before_training_exp(self, **kwargs: Any) -> None:
        super()._before_training_exp(**kwargs)
        self._lay_out()

    def combine(self) -> Tensor:
        """Compute the mean of the gradients plus the penalty's gradient, ``[P]``."""
        self.data_gradient = super().combine()
        return self.data_gradient + self.strength * self.penalty_gradient()

    def penalty_gradient(self) -> Tensor:
        """Compute A θ − b, ``[P]``."""
        return self._curvature * self.flat_parameters() - self._pull

    def flat_parameters(self) -> Tensor:
        """Copy the trained parameters, ``[P]``, in the order of ``space.parameters``."""
        return torch.cat([p.detach().reshape(-1) for p in self.space.parameters])

    def consolidate(self, importances: Tensor, anchor: Tensor) -> None:
        """Add a penalty on the distance to an anchor.

        :param importances: importances Ω ≥ 0, ``[P]``.
        :param anchor: anchor θ*, ``[P]``.
        """
        sizes = [p.numel() for p in self.space.parameters]
        pulls = (importances * anchor).split(sizes)
        for (name, parameter), omega, pull in zip(
            self._named(), importances.split(sizes), pulls, strict=True
        ):
            for kept, new in ((self._curvatures, omega), (self._pulls, pull)):
                kept[name] = _grown(kept.get(name), parameter) + new.view_as(parameter)
        self._lay_out()

    def _named(self) -> list[tuple[str, nn.Parameter]]:
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        return [(names[id(parameter)], parameter) for parameter in self.space.parameters]

    def _lay_out(self) -> None:
        """Arrange A and b in the order of the currently trained parameters."""
        self._curvature, self._pull = (
            torch.cat([_grown(kept.get(name), p).reshape(-1) for name, p in self._named()])
            for kept in (self._curvatures, self._pulls)
        )


def _grown(values: Tensor | None, parameter: Tensor) -> Tensor:
    """Pad values with zeros to the shape of a parameter that may have grown."""
    grown = torch.zeros_like(parameter, requires_grad=False)
    if values is not None:
        grown[tuple(slice(size) for size in values.shape)] = values
    return grown

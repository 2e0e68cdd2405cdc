"""Elastic factors σ: how much each objective is relaxed in the common descent."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._numbers import check_in_range, check_not_negative, check_positive
from .checks import check_identities

__all__ = [
    "EGDA",
    "GMC",
    "GS",
    "Constant",
    "ElasticFactor",
]


_DOWN = 2.0**-64  # exact


class ElasticFactor(ABC):
    r"""Rule that gives each objective its elastic factor σ_i in (0, ∞].

    A large σ_i relaxes the objective (it must merely not get worse), a small one makes it descend
    faster. All rules share one scale, mean(1/σ) = 1. With this scale a lone objective takes plain
    gradient descent, and orthogonal gradients of equal length take their average.

    State is kept for each objective *identity*, not for each row, because the set of objectives
    changes from tick to tick.

    :param lower_bound: c in [0, 1): the smallest weight λ_i as a share of the uniform weight;
        towards 1 the weights become those of the plain average.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, lower_bound: float = 0.0) -> None:
        check_in_range("lower_bound", lower_bound, 0.0, 1.0, open_above=True)
        self._lower_bound = lower_bound
        self._state: dict[Hashable, float] = {}

    def __call__(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        """Update the state with this tick's gradients and return σ.

        :param gramian: Gramian ``[n, n]``, finite.
        :param objectives: n distinct identities, in the order of the rows.
        :return: σ ``[n]``, float64 on the CPU, mean(1/σ) = 1.
        :raises ValueError: if the Gramian is not square, identities are missing or repeated, or the
            rule gives a value ≤ 0.
        """
        if gramian.ndim != 2 or gramian.shape[0] != gramian.shape[1]:
            raise ValueError(
                f"`gramian` must be a square matrix, found shape {tuple(gramian.shape)}."
            )
        check_identities(objectives, len(gramian))
        inverse = self._inverse(gramian.detach().cpu().double(), objectives)
        mean = sum(inverse) / len(inverse)
        if mean == 0.0:  # all gradients are zero
            return torch.ones(len(inverse), dtype=torch.float64)
        # Plain numbers, here and below: n is small, and this is in every tick.
        sigma = [mean / each if each > 0.0 else math.inf for each in inverse]
        return torch.from_numpy(np.array(sigma))  # faster than `torch.tensor`

    @abstractmethod
    def _inverse(self, gramian: Tensor, objectives: Sequence[Hashable]) -> list[float]:
        """1/σ up to scale, n entries ≥ 0.

        :param gramian: Gramian ``[n, n]`` float64 on the CPU.
        """

    def lower_bound(self, n: int) -> float:
        """Smallest weight for n objectives, as a share of the uniform one."""
        return self._lower_bound

    def forget(self, objectives: Iterable[Hashable]) -> None:
        """Drop the state of objectives that do not return."""
        for objective in objectives:
            self._state.pop(objective, None)

    def reset(self) -> None:
        """Drop all state."""
        self._state.clear()

    def state_dict(self) -> dict[str, Any]:
        """State as plain Python objects; loads with ``torch.load(..., weights_only=True)``."""
        return {"objectives": list(self._state.items())}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned."""
        self._state = dict(state["objectives"])

    def _smooth(
        self, values: list[float], objectives: Sequence[Hashable], decay: float
    ) -> list[float]:
        """Exponential moving average; an objective seen for the first time starts at its value."""
        if decay == 0.0:
            return values
        for objective, value in zip(objectives, values, strict=True):
            before = self._state.get(objective, value)
            self._state[objective] = decay * before + (1.0 - decay) * value
        return [self._state[objective] for objective in objectives]


class _PowerFactor(ElasticFactor):
    """The family 1/σ_i ∝ EMA(⟨g_i, r_i⟩)^(exponent/2) with a reference r_i."""

    def __init__(self, exponent: float, decay: float, lower_bound: float) -> None:
        super().__init__(lower_bound)
        check_not_negative("exponent", exponent)
        check_in_range("decay", decay, 0.0, 1.0, open_above=True)
        self.exponent, self.decay = exponent, decay

    @abstractmethod
    def _products(self, squares: list[float], gramian: Tensor) -> list[float]:
        """⟨g_i, r_i⟩, n entries ≥ 0.

        :param squares: ‖g_i‖², the diagonal of the Gramian.
        :param gramian: Gramian ``[n, n]``.
        """

    def _inverse(self, gramian: Tensor, objectives: Sequence[Hashable]) -> list[float]:
        squares = gramian.diagonal().tolist()
        products = self._smooth(self._products(squares, gramian), objectives, self.decay)
        # Powers of numbers of order one neither overflow nor vanish.
        largest, power = max(products) or 1.0, self.exponent / 2.0
        # An objective without a gradient is relaxed completely (σ = ∞), which is the limit of the
        # rule. A finite factor would make the direction zero.
        return [
            (product / largest) ** power if square > 0.0 else 0.0
            for product, square in zip(products, squares, strict=True)
        ]


class GMC(_PowerFactor):
    r"""Gradient magnitude change: σ_i depends on the objective itself.

    .. math:: 1/\sigma_i \propto \big(\mathrm{EMA}\,\|g_i\|^2\big)^{p/2}

    A new task has a large gradient and descends faster; a converged one is relaxed. arXiv
    2401.01054 names the rule without a formula, and this package explores one family. p = 0 is
    MGDA, p = 1 without smoothing is MGDA on normalised gradients, and p = 2 gives the plain average
    wherever gradients are orthogonal.

    :param exponent: p ≥ 0.
    :param decay: decay of the moving average, in [0, 1); 0 means no smoothing.
    :param lower_bound: lower bound, see :class:`ElasticFactor`.
    """

    def __init__(self, exponent: float = 2.0, decay: float = 0.8, lower_bound: float = 0.5) -> None:
        super().__init__(exponent, decay, lower_bound)

    def _products(self, squares: list[float], gramian: Tensor) -> list[float]:
        return squares

    def __repr__(self) -> str:
        return f"GMC(exponent={self.exponent}, decay={self.decay}, lower_bound={self._lower_bound})"


class GS(_PowerFactor):
    r"""Gradient similarity: σ_i depends on the other objectives, too.

    .. math:: 1/\sigma_i \propto \max\big(\langle g_i, \bar g\rangle,\ f \|g_i\|^2\big)^{p/2},
        \quad \bar g = \tfrac1n \sum_j g_j

    With p = 2 and f = 0 the weights are those of the plain average wherever the average raises no
    loss. They differ only where it raises one. arXiv 2401.01054 names the rule without a formula.

    :param exponent: p ≥ 0.
    :param decay: decay of the moving average, in [0, 1); 0 means no smoothing.
    :param floor: f ≥ 0, the share of ‖g_i‖² that an objective in conflict still counts for.
    :param lower_bound: lower bound, see :class:`ElasticFactor`.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(
        self,
        exponent: float = 2.0,
        decay: float = 0.0,
        floor: float = 0.1,
        lower_bound: float = 0.0,
    ) -> None:
        super().__init__(exponent, decay, lower_bound)
        check_not_negative("floor", floor)
        self.floor = floor

    def _products(self, squares: list[float], gramian: Tensor) -> list[float]:
        means = gramian.mean(dim=1).tolist()
        if not all(map(math.isfinite, means)):  # sums that float64 cannot hold, unlike the means
            means = ((gramian * _DOWN).mean(dim=1) / _DOWN).tolist()
        return [
            min(max(mean, self.floor * square, 0.0), sys.float_info.max)
            for mean, square in zip(means, squares, strict=True)
        ]

    def __repr__(self) -> str:
        return (
            f"GS(exponent={self.exponent}, decay={self.decay}, floor={self.floor}, "
            f"lower_bound={self._lower_bound})"
        )


class Constant(ElasticFactor):
    """σ = 1 for all objectives: MGDA (Désidéri 2012).

    :param lower_bound: lower bound, see :class:`ElasticFactor`.
    """

    def _inverse(self, gramian: Tensor, objectives: Sequence[Hashable]) -> list[float]:
        return [1.0] * len(objectives)

    def __repr__(self) -> str:
        return f"Constant(lower_bound={self._lower_bound})"


class EGDA(ElasticFactor):
    r"""The softmax rule of EMGD's predecessor.

    .. math:: 1/\sigma = \mathrm{softmax}\big(\mathrm{EMA}\,\|g\| / 5\big), \qquad
        \lambda_i \ge \tfrac1{n+1} \text{ of the uniform weight}

    :param temperature: divisor of the norms, > 0.
    :param decay: decay of the moving average, in [0, 1).
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, temperature: float = 5.0, decay: float = 0.9) -> None:
        super().__init__()
        check_positive("temperature", temperature)
        check_in_range("decay", decay, 0.0, 1.0, open_above=True)
        self.temperature, self.decay = temperature, decay

    def _inverse(self, gramian: Tensor, objectives: Sequence[Hashable]) -> list[float]:
        norms = [math.sqrt(square) for square in gramian.diagonal().tolist()]
        smoothed = self._smooth(norms, objectives, self.decay)
        largest = max(smoothed)
        return [math.exp((each - largest) / self.temperature) for each in smoothed]

    def lower_bound(self, n: int) -> float:
        """1/(n + 1) of the uniform weight."""
        return 1.0 / (n + 1)

    def __repr__(self) -> str:
        return f"EGDA(temperature={self.temperature}, decay={self.decay})"

"""ExcessMTL, with a memory of objectives."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor
from torchjd.aggregation import ExcessMTLWeighting

from ..._numbers import check_positive
from .gradient_state import GradientStateWeighting

__all__ = ["ExcessMTL"]

_LEAST_SHARE = 1e-12  # an objective that has lost all of its weight can come back


class ExcessMTL(GradientStateWeighting):
    r"""ExcessMTL (He et al., "Robust multi-task learning with excess risks", ICML 2024).

    Computed by TorchJD. Weights on the simplex grow with the objectives' excess risks, each a share
    of its first:

    .. math:: w_i \propto w_i \exp(\eta E_i / E_i^{(1)}), \qquad
        E_i = \sum_p g_{ip}^2 \Big/ \sqrt{\textstyle\sum_{\text{ticks}} g_{ip}^2}

    TorchJD 0.18 drops its state as soon as n changes. Here each objective keeps its sums of
    squares, first excess risk and weight, and TorchJD receives them before each call. For a fixed
    set of objectives the weights are TorchJD's with one warm-up step. An objective that comes in
    gets the weight 1/n, and the others share the rest as they did before. Alone, an objective adds
    to its sum of squares and keeps its weight.

    :param rate: η > 0; TorchJD's default.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, rate: float = 1.0) -> None:
        super().__init__()
        check_positive("rate", rate)
        self.rate = rate
        self._shares = torch.empty(0, dtype=torch.float64)

    def _look(self, gradients: Tensor, objectives: Sequence[Hashable]) -> Tensor | None:
        states = [self._state_of(o, row) for o, row in zip(objectives, gradients, strict=True)]
        n, length = gradients.shape
        units = gradients.new_tensor([state["unit"] for state in states])
        # TorchJD adds 1e-7 to squares: gradients are in units of the objective's first.
        scaled = gradients / units[:, None]
        # There is no public way in for another set of objectives.
        inner: Any = ExcessMTLWeighting(self.rate)
        inner._sq_grad_sum = torch.stack([state["squares"] for state in states])
        inner._weights = self._shares_of(states).to(gradients.device)
        inner._initial_w = gradients.new_tensor(
            [self._first(state, row) for state, row in zip(states, scaled, strict=True)]
        )
        inner._state_key = (n, length, gradients.dtype, gradients.device)
        self._shares = inner(scaled).cpu()
        new = zip(objectives, states, inner._sq_grad_sum, self._shares.tolist(), strict=True)
        for objective, state, squares, share in new:
            if state["first"] > 0.0:
                state["squares"] = squares.clone()
                state["share"] = state["share"] if n == 1 else max(share, _LEAST_SHARE)
                self._state[objective] = state
        return None

    def _state_of(self, objective: Hashable, row: Tensor) -> dict[str, Any]:
        if objective in self._state:
            return dict(self._state[objective])
        length = float(torch.linalg.vector_norm(row, dtype=torch.float64))
        unit = length / math.sqrt(len(row)) or 1.0
        return {"unit": unit, "squares": torch.zeros_like(row), "first": 0.0, "share": None}

    @staticmethod
    def _first(state: dict[str, Any], row: Tensor) -> float:
        """Excess risk at the objective's first tick with a gradient; 1 before that."""
        if state["first"] == 0.0:
            squares = row.square()
            state["first"] = float((squares / (squares + 1e-7).sqrt()).sum())
        return state["first"] or 1.0

    @staticmethod
    def _shares_of(states: list[dict[str, Any]]) -> Tensor:
        """Weights before this tick, ``[n]``, of the sum one."""
        known = [state["share"] for state in states if state["share"] is not None]
        part = len(known) / len(states)
        shares = [
            1.0 / len(states) if state["share"] is None else part * state["share"] / sum(known)
            for state in states
        ]
        return torch.tensor(shares, dtype=torch.float64)

    def _combine(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        return self._shares.double()

    def extra_repr(self) -> str:
        """Show the settings."""
        return f"rate={self.rate}"

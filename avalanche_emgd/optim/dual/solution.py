"""What the elastic dual has for an answer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

__all__ = ["DualSolution"]


@dataclass(frozen=True)
class DualSolution:
    """Solution of the elastic dual.

    :param weights: λ, shape ``[n]``, float64 on the CPU, entries ≥ 0, Σ λ_i/σ_i = 1.
    :param squared_norm: ‖Σ λ_i g_i‖² = λᵀGλ ≥ 0; zero means Pareto-critical, and infinite that
        float64 cannot hold it.
    :param residual: relative KKT residual in [0, 1e-9], see
        :func:`~avalanche_emgd.optim.kkt_residual`.
    :param solver: method that has found the weights: ``"closed-form"``, ``"active-set"`` or
        ``"cvxopt"``.
    """

    weights: Tensor
    squared_norm: float
    residual: float
    solver: str

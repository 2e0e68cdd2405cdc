"""Weights that a method proposes, with the problem that it has solved for."""

from __future__ import annotations

from operator import mul
from typing import NamedTuple, Protocol

import numpy as np
import torch

from ..arrays import Array
from .kkt import array_residual, scalar_residual
from .problem import Problem
from .scalar_problem import ScalarProblem, Scalars
from .solution import DualSolution

__all__ = ["ArrayCandidate", "Candidate", "ScalarCandidate"]


class Candidate(Protocol):
    """Weights that may be the solution."""

    def residual(self) -> float:
        """KKT residual of the weights."""

    def solution(self, residual: float) -> DualSolution:
        """Solution with these weights.

        :raises ArithmeticError: if they show that the matrix is not a Gramian.
        """


class ArrayCandidate(NamedTuple):
    """Weights in arrays.

    :param problem: given problem, or that of the closest Gramian.
    :param x: point ``[n]``, in the units of the problem.
    :param solver: method that proposes them.
    """

    problem: Problem
    x: Array
    solver: str

    def residual(self) -> float:
        """KKT residual of the weights."""
        return array_residual(self.problem, self.x)

    def solution(self, residual: float) -> DualSolution:
        """Solution with these weights; see :class:`Candidate`."""
        weights = torch.from_numpy(self.problem.weights(self.x))
        return DualSolution(weights, self.problem.squared_norm(self.x), residual, self.solver)


class ScalarCandidate(NamedTuple):
    """Weights of a few objectives.

    :param problem: given problem.
    :param u: n numbers, in the units of the problem.
    :param v: their products with the rows of the problem's matrix.
    :param weights: the same as λ.
    """

    problem: ScalarProblem
    u: Scalars
    v: Scalars
    weights: Scalars

    def residual(self) -> float:
        """KKT residual of the weights."""
        return scalar_residual(self.problem, self.u, self.v, self.weights)

    def solution(self, residual: float) -> DualSolution:
        """Solution with these weights; see :class:`Candidate`."""
        squared_norm = self.problem.scale * sum(map(mul, self.u, self.v))
        name = "closed-form" if len(self.u) <= 2 else "active-set"
        return DualSolution(torch.from_numpy(np.array(self.weights)), squared_norm, residual, name)

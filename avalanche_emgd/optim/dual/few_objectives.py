"""Weights of a few well-conditioned objectives, most of which take part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from operator import ge, le, mul, sub, truediv

from .candidates import ScalarCandidate
from .scalar_problem import Matrix, ScalarProblem, Scalars

__all__ = ["few_objectives_candidates"]

# Functions of `operator` and indices, not `zip`, whose argument `strict` costs more than the few
# numbers themselves.

# Smallest Cholesky pivot, squared, with which a system is solved as it is.
_WELL_CONDITIONED = 1e-8


def few_objectives_candidates(problem: ScalarProblem) -> Iterator[ScalarCandidate]:
    """Propose the weights where each objective is held at its bound that would fall below it.

    Starts with all objectives taking part and holds those that would fall below their bounds, until
    none does. If the multipliers of the held ones are not negative, that is the only optimum. No
    weights are proposed if one is negative, if gradients are nearly dependent, or if the matrix is
    no Gramian.
    """
    found = _without_return(problem)
    if found is None:
        return
    u, nu = found
    v = [sum(map(mul, row, u)) for row in problem.C]
    if any(map(le, u, problem.lower)):
        held = [i for i, low in enumerate(problem.lower) if u[i] <= low]
        if any(v[i] - nu * problem.a[i] < 0.0 for i in held):
            return
    yield ScalarCandidate(problem, u, v, list(map(truediv, u, problem.norms)))


def _without_return(problem: ScalarProblem) -> tuple[Scalars, float] | None:
    """Solve as if held objectives never wanted to take part again; u, and the multiplier ν."""
    C, a, lower = problem.C, problem.a, problem.lower
    part, own, least, held = C, a, lower, list[int]()
    taking_part: Sequence[int] = range(len(a))
    while True:
        factor = _cholesky(part)
        if factor is None:
            return None
        free = _solve(factor, own)
        rest = problem.total
        bound: Scalars = []
        if held and lower[0] > 0.0:
            rest -= sum(a[j] * lower[j] for j in held)
            bound = _solve(factor, [sum(C[i][j] * lower[j] for j in held) for i in taking_part])
            rest += sum(map(mul, own, bound))
        curvature = sum(map(mul, own, free))
        nu = rest / curvature if curvature > 0.0 else 0.0
        if not nu > 0.0:
            return None
        values = [nu * each for each in free]
        if bound:
            values = list(map(sub, values, bound))
        if all(map(ge, values, least)):
            break
        low = [i for i, value in zip(taking_part, values, strict=True) if not value >= lower[i]]
        held += low
        taking_part = [i for i in taking_part if i not in low]
        if not taking_part:
            return None
        own, least = [a[i] for i in taking_part], [lower[i] for i in taking_part]
        part = [[C[i][j] for j in taking_part] for i in taking_part]
    if not held:
        return values, nu
    u = list(lower)
    for i, value in zip(taking_part, values, strict=True):
        u[i] = value
    return u, nu


def _cholesky(matrix: Matrix) -> Matrix | None:
    """Cholesky factor, of which the rows go up to the diagonal; ``None`` if a pivot is small."""
    factor: Matrix = []
    for i, row in enumerate(matrix):
        own: Scalars = []
        for j, above in enumerate(factor):
            own.append((row[j] - sum(map(mul, own, above))) / above[j])
        pivot = row[i] - sum(map(mul, own, own))
        if not pivot > _WELL_CONDITIONED:
            return None
        own.append(sqrt(pivot))
        factor.append(own)
    return factor


def _solve(factor: Matrix, right: Scalars) -> Scalars:
    """Solve L Lᵀ x = b."""
    solution: Scalars = []
    for i, row in enumerate(factor):
        solution.append((right[i] - sum(map(mul, row, solution))) / row[i])
    for i in range(len(factor) - 1, -1, -1):
        row = factor[i]
        value = solution[i] = solution[i] / row[i]
        for j in range(i):
            solution[j] -= row[j] * value
    return solution

"""The elastic dual of a few well-conditioned objectives, in plain numbers.

A tick has a handful of objectives, and most or all of them take part. Plain numbers solve the small
systems of equations that are left then faster than calls of a library for large ones: in the middle
of training, these find their code and data evicted from the caches.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt
from operator import mul

__all__ = ["solve_few"]

Rows = list[list[float]]

# Smallest Cholesky pivot, squared, with which a system is solved as it is.
_WELL_CONDITIONED = 1e-8
_EPS = 2.0**-52
# Smallest share of the longest gradient whose square has all its digits.
_LEAST = 1e-150
# How far from symmetric a normalised Gramian may be.
_ROUNDING = 1e-3


def solve_few(
    gramian: Rows, tau: Sequence[float], lower_bound: float
) -> tuple[list[float], float, float] | None:
    """Weights that satisfy the optimality conditions, found by holding what falls below its bound.

    Starts with all objectives taking part and holds those at their bound that would fall below it,
    until none does. If what is held would rather stay there, that is the optimum, and the only one.

    :param gramian: n rows of n numbers.
    :param tau: n numbers ≥ 0.
    :param lower_bound: c in [0, 1), as in :func:`~avalanche_emgd.optim.solve_dual`.
    :return: weights, the squared norm of the direction and the KKT residual; ``None`` if the
        gradients are nearly dependent, if one that is held wants to take part again, or if the
        matrix is no Gramian: cases for slower methods.
    """
    squares = [row[i] for i, row in enumerate(gramian)]
    if not (isfinite(sum(squares)) and min(squares) > 0.0):
        return None
    scale = max(squares)
    norms = [sqrt(square / scale) for square in squares]
    if min(norms) < _LEAST:
        return None
    C = _normalised(gramian, scale, norms)
    if C is None:
        return None
    # In units of unit gradients: u = λ · norm, and so on.
    a = [t / norm for t, norm in zip(tau, norms, strict=True)]
    largest, total = max(a), sum(tau)
    if not (0.0 < largest < float("inf") and total < float("inf")):
        return None
    a = [each / largest for each in a]
    lower = lower_bound / total
    found = _optimum(C, a, [lower * norm for norm in norms], 1.0 / largest)
    if found is None:
        return None
    u, nu = found
    products = [sum(map(mul, row, u)) for row in C]
    residual = 0.0
    for row, product, each, own, norm in zip(C, products, a, u, norms, strict=True):
        slack = product - nu * each
        if own <= lower * norm:  # held
            if slack < 0.0:
                return None
            continue
        size = sum(map(mul, map(abs, row), u)) + nu * each
        residual = max(residual, abs(slack) / size)
    weights = [each / norm for each, norm in zip(u, norms, strict=True)]
    deviation = abs(sum(map(mul, tau, weights)) - 1.0)
    if not (isfinite(sum(weights)) and deviation <= 1.0):
        return None
    if lower:  # what the bounds leave must be right, too, but for rounding
        deviation = max(deviation, (deviation - len(tau) * _EPS) / (1.0 - lower_bound))
    residual = max(residual, deviation)
    return weights, scale * sum(map(mul, u, products)), residual


def _normalised(gramian: Rows, scale: float, norms: Sequence[float]) -> Rows | None:
    """Gramian of the unit gradients, symmetric; ``None`` if it was far from that."""
    C: Rows = []
    for i, (row, norm) in enumerate(zip(gramian, norms, strict=True)):
        own: list[float] = []
        for j, (other, above) in enumerate(zip(norms[:i], C, strict=False)):
            entry = row[j] / scale / norm / other
            if row[j] != gramian[j][i]:
                mirrored = gramian[j][i] / scale / norm / other
                if not abs(entry - mirrored) <= _ROUNDING:
                    return None
                entry = 0.5 * (entry + mirrored)
            own.append(entry)
            above.append(entry)
        own.append(1.0)
        C.append(own)
    return C


def _optimum(
    C: Rows, a: Sequence[float], lower: Sequence[float], total: float
) -> tuple[list[float], float] | None:
    """Minimise ½uᵀCu subject to aᵀu = total, u ≥ lower; the multiplier of the equality, too."""
    taking_part, held = list(range(len(a))), list[int]()
    while True:
        part = [[C[i][j] for j in taking_part[: k + 1]] for k, i in enumerate(taking_part)]
        factor = _cholesky(part)
        if factor is None:
            return None
        own = [a[i] for i in taking_part]
        free = _solve(factor, own)
        rest = total
        bound: list[float] = []
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
            values = [value - each for value, each in zip(values, bound, strict=True)]
        low = [i for i, value in zip(taking_part, values, strict=True) if not value >= lower[i]]
        if not low:
            break
        held += low
        taking_part = [i for i in taking_part if i not in low]
        if not taking_part:
            return None
    u = list(lower)
    for i, value in zip(taking_part, values, strict=True):
        u[i] = value
    return u, nu


def _cholesky(part: Rows) -> Rows | None:
    """Cholesky factor of a matrix of which the rows go up to the diagonal; so do the factor's."""
    factor: Rows = []
    for row in part:
        own: list[float] = []
        for entry, above in zip(row, factor, strict=False):
            own.append((entry - sum(map(mul, own, above))) / above[-1])
        pivot = row[-1] - sum(map(mul, own, own))
        if not pivot > _WELL_CONDITIONED:
            return None
        own.append(sqrt(pivot))
        factor.append(own)
    return factor


def _solve(factor: Rows, right: Sequence[float]) -> list[float]:
    """Solve L Lᵀ x = b."""
    solution: list[float] = []
    for row, value in zip(factor, right, strict=True):
        solution.append((value - sum(map(mul, row, solution))) / row[-1])
    for i in range(len(factor) - 1, -1, -1):
        row = factor[i]
        value = solution[i] = solution[i] / row[-1]
        for j in range(i):
            solution[j] -= row[j] * value
    return solution

"""The elastic dual in numbers that neither overflow nor vanish, after its arguments are checked."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import isfinite, isinf
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..arrays import Array, as_array
from ..checks import check_finite, check_symmetric, negative_square, rounding_of

__all__ = ["Problem", "make_problem", "nonzero_norms"]

# Between these, products of squared norms and factors neither overflow nor vanish.
_SMALL, _LARGE = 1e-120, 1e120
_TINY = float(np.finfo(np.float64).tiny)
_ULP = 0.5 * float(np.finfo(np.float64).eps)


class Problem(NamedTuple):
    """Minimise ½ xᵀGx subject to τᵀx = 1, x ≥ lower, where λ_i = x_i · 2^exponents_i.

    :param G: symmetric ``[n, n]``; divided by ``scale`` and, where it is given, by the powers of
        two in the units of x.
    :param tau: reciprocals ``1/σ`` in the units of x, entries ≥ 0.
    :param lower: lower bounds in the units of x; all positive or all zero.
    :param scale: factor from xᵀGx to the squared norm, up to ``2^doublings``; zero if there is no
        gradient at all.
    :param exponents: exponents ``[n]``, whole numbers; ``None`` where all are zero.
    :param doublings: the power of two that is left of the scale.
    :param rounding: largest allowed distance of the normalised Gramian from positive semi-definite
        matrices.
    """

    G: Array
    tau: Array
    lower: Array
    scale: float
    exponents: np.ndarray | None
    doublings: int
    rounding: float

    @property
    def room(self) -> float:
        """Part of the sum τᵀx = 1 that the lower bounds leave, 1 − τᵀ lower > 0."""
        return max(1.0 - float(self.tau.dot(self.lower)), _ULP)

    def weights(self, x: Array) -> Array:
        """Convert x to λ."""
        return x if self.exponents is None else np.ldexp(x, self.exponents)

    def unknowns(self, weights: Array) -> Array:
        """Convert λ to x."""
        return weights if self.exponents is None else np.ldexp(weights, -self.exponents)

    @np.errstate(all="ignore")
    def squared_norm(self, x: Array) -> float:
        """‖Σ λ_i g_i‖²; infinite if float64 cannot hold it.

        :raises ArithmeticError: if it is negative beyond rounding.
        """
        doublings = self.doublings
        if self.exponents is not None:  # a bound can be far above one in a long gradient's units
            longest = float((np.abs(x) * np.sqrt(self.G.diagonal())).max())
            shift = int(np.frexp(longest)[1])
            x, doublings = np.ldexp(x, -shift), doublings + 2 * shift
        value = float(x.dot(self.G.dot(x)))
        if value < 0.0 and value < -self.rounding * float(x @ np.abs(self.G) @ x):
            raise not_a_gramian("it gives the direction a negative squared norm")
        value = max(0.0, value) * self.scale
        return float(np.ldexp(value, doublings)) if doublings else value

    def on_nearest_gramian(self) -> Problem:
        """Make the problem of the closest positive semi-definite matrix.

        The inner products of dependent gradients, once rounded, can be a slightly indefinite
        matrix. The closest one, in the Frobenius norm and in units of unit gradients, has no
        negative eigenvalues and the same eigenvectors (Higham 1988).

        :raises ArithmeticError: if an eigenvalue is negative beyond rounding.
        """
        norms = nonzero_norms(self.G)
        values, vectors = np.linalg.eigh(self.G / np.outer(norms, norms))
        if values[0] < -self.rounding * len(norms):
            raise not_a_gramian(f"its smallest normalised eigenvalue is {values[0]:.1e}")
        C = (vectors * np.maximum(values, 0.0)) @ vectors.T
        norms[self.G.diagonal() <= 0.0] = 0.0  # a gradient of length zero has no rounding
        return self._replace(G=C * np.outer(norms, norms))


def make_problem(
    gramian: Tensor,
    sigma: Tensor | None,
    lower_bound: float,
    objectives: Sequence[Hashable] | None,
) -> Problem:
    """Check the arguments of :func:`~avalanche_emgd.optim.solve_dual`, and make its problem.

    Where squared norms or factors are near the ends of float64's range, gradients and factors have
    units of their own. The units are powers of two, which change no digit.
    """
    if gramian.ndim != 2 or gramian.shape[0] != gramian.shape[1] or gramian.shape[0] == 0:
        raise ValueError(
            f"`gramian` must be a square matrix with at least one row, found shape "
            f"{tuple(gramian.shape)}."
        )
    if gramian.is_complex():
        raise ValueError(f"`gramian` must be of a real dtype, found {gramian.dtype}.")
    if not 0.0 <= lower_bound < 1.0:
        raise ValueError(f"`lower_bound` must be in [0, 1), found {lower_bound!r}.")
    # Every tick comes here. One comparison is enough where nothing is wrong, and Python's sums of a
    # few numbers are faster than numpy's.
    G = as_array(gramian)
    n = len(G)
    names: Sequence[Hashable] = range(n) if objectives is None else objectives
    if len(names) != n:
        raise ValueError(f"`objectives` must name {n} rows, found {len(names)}: {names!r}.")
    squares = G.diagonal().tolist()
    if not isfinite(sum(squares)):  # or finite numbers have a sum that is not
        check_finite(gramian, names)
    if min(squares) < 0.0:
        raise negative_square(squares, names)
    factors, is_extreme = (np.ones(n), False) if sigma is None else _factors(sigma, names)
    scale, rounding = max(squares), rounding_of(gramian.dtype)
    if is_extreme or _is_extreme(squares, min(squares), scale):
        return _in_own_units(G, factors, lower_bound, names, rounding)
    if not _check_products(G, np.sqrt(G.diagonal()), names, rounding):
        G = 0.5 * (G + G.T)
    symmetric = G / (scale or 1.0)
    tau = 1.0 / factors
    lower = np.full(n, lower_bound / sum(tau.tolist())) if lower_bound else np.zeros(n)
    return Problem(symmetric, tau, lower, scale, None, 0, rounding)


def nonzero_norms(G: Array) -> Array:
    """Lengths of the gradients of a Gramian, to divide by: 1 for a gradient of length zero."""
    norms = np.sqrt(np.diag(G))
    return np.where(norms > 0.0, norms, 1.0)


def not_a_gramian(why: str) -> ArithmeticError:
    """Error to raise where no weights are optimal."""
    return ArithmeticError(
        f"`gramian` is not positive semi-definite ({why}), so no weights are optimal. Compute it "
        "from the gradients in float64."
    )


def _factors(sigma: Tensor, names: Sequence[Hashable]) -> tuple[Array, bool]:
    """σ, and whether a factor is extreme."""
    s = as_array(sigma)
    if s.shape != (len(names),):
        raise ValueError(f"`sigma` must have shape ({len(names)},), found {s.shape}.")
    factors = s.tolist()
    least = min(factors)
    if not (least > 0.0 and sum(factors) > 0.0):  # or one is NaN, which not every min is
        name, factor = next((k, f) for k, f in zip(names, factors, strict=True) if not f > 0.0)
        raise ValueError(f"`sigma` must be positive, found {factor!r} at objective {name!r}.")
    if isinf(least):
        raise ValueError("`sigma` must be finite for at least one objective, found only inf.")
    return s, _is_extreme(factors, least, max(factors))


def _is_extreme(values: list[float], least: float, most: float) -> bool:
    """Whether the finite values that are not zero are near the ends of float64's range."""
    if least > _SMALL and most < _LARGE:
        return False
    return any(not _SMALL < value < _LARGE for value in values if value > 0.0 and isfinite(value))


def _check_products(
    G: Array, norms: Array, names: Sequence[Hashable], rounding: float, units: Array | None = None
) -> bool:
    """Check inner products against the norms, and the two triangles against each other.

    :return: whether these are the same.
    """
    products = norms * norms[:, None]
    within = np.abs(G) <= (1.0 + rounding) * products
    is_within = np.count_nonzero(within) == within.size  # quicker than `all`
    if not is_within:
        if not np.isfinite(G).all():
            check_finite(torch.from_numpy(G), names)
        for i in np.flatnonzero(~within.all(axis=1)).tolist():
            square = float(G[i, i]) if units is None else float(np.ldexp(G[i, i], 2 * units[i]))
            if square < _TINY:
                raise ArithmeticError(
                    f"`gramian` has the diagonal entry {square!r} at objective {names[i]!r}, too "
                    "small for float64 beside its products with others: the square of a short "
                    "gradient has vanished. Scale the gradients up, or leave this one out."
                )
    is_symmetric = not np.count_nonzero(G != G.T)
    if not is_symmetric:
        check_symmetric(G, rounding, names)
    if not is_within:
        raise not_a_gramian("an entry is larger than the product of the norms")
    return is_symmetric


def _in_own_units(
    G: Array, factors: Array, lower_bound: float, names: Sequence[Hashable], rounding: float
) -> Problem:
    """Make the problem in which each gradient is between 1 and 2 long."""
    squares = G.diagonal()
    halves = (np.frexp(squares)[1] - 1) // 2
    if not (squares > 0.0).all():  # gradients of length zero are as good in any units
        halves = np.where(squares > 0.0, halves, halves[squares > 0.0].max(initial=0))
    scaled = np.ldexp(G, -(halves[:, None] + halves))
    norms = np.sqrt(scaled.diagonal())
    _check_products(scaled, norms, names, rounding, halves)
    # 1/σ = mantissas · 2^powers, which may be beyond float64 itself.
    mantissas, powers = np.frexp(factors)
    finite = np.isfinite(factors)
    inverse, powers = np.where(finite, 1.0 / mantissas, 0.0), np.where(finite, -powers, 0)
    largest, shift = int(powers[finite].max()), int((powers - halves)[finite].max())
    total = float(np.ldexp(inverse, powers - largest).sum())
    exponents = -halves - shift
    tau = np.ldexp(inverse, powers + exponents)
    lower = np.ldexp(np.full(len(G), lower_bound / total), -exponents - largest)
    if lower_bound:
        lower = np.maximum(lower, _TINY)
    scale = float(scaled.diagonal().max())
    symmetric = 0.5 * (scaled + scaled.T) / (scale or 1.0)
    return Problem(symmetric, tau, lower, scale, exponents, -2 * shift, rounding)

"""The elastic dual by cvxopt's interior-point method: general, slower, independent."""

from __future__ import annotations

import cvxopt
import numpy as np
from cvxopt import solvers

from ._active_set import Array, divisors

_OPTIONS = {
    "show_progress": False,
    "abstol": 1e-13,
    "reltol": 1e-13,
    "feastol": 1e-13,
    "maxiters": 200,
}


def interior_point(G: Array, tau: Array, lower: Array) -> Array:
    """Solve min ½ λᵀGλ subject to τᵀλ = 1, λ ≥ lower.

    Works on gradients scaled to unit length, where the interior-point method meets numbers
    of one size; the bounds are given to it as they are.

    :param G: Gramian ``[n, n]`` with at least one positive diagonal entry.
    :param tau: ``1/σ``, entries ≥ 0, at least one positive.
    :param lower: lower bounds on λ, with τᵀ lower < 1.
    :return: λ ``[n]``.
    :raises ArithmeticError: if cvxopt finds no solution.
    """
    n = len(tau)
    norms = divisors(G)
    a = tau / norms
    scale = a.max()
    a /= scale  # u is measured in 1/scale, so that aᵀu = 1 keeps numbers of order one
    with np.errstate(all="ignore"):
        try:
            answer = solvers.qp(
                P=cvxopt.matrix(G / np.outer(norms, norms)),
                q=cvxopt.matrix(0.0, (n, 1)),
                G=cvxopt.matrix(-np.eye(n)),
                h=cvxopt.matrix(-lower * norms * scale),
                A=cvxopt.matrix(a[None, :]),
                b=cvxopt.matrix(1.0),
                options=_OPTIONS,
            )
        except (ValueError, ArithmeticError) as error:  # a singular system, an overflow
            raise ArithmeticError(f"cvxopt could not solve the elastic dual: {error}") from error
    if answer["x"] is None:
        raise ArithmeticError(
            f"cvxopt could not solve the elastic dual: status {answer['status']}."
        )
    u = np.array(answer["x"], dtype=np.float64).ravel()
    return np.maximum(u / (norms * scale), lower)

"""How far weights are from the optimality conditions of the elastic dual."""

from __future__ import annotations

from math import isfinite

import numpy as np

from ._active_set import Array

__all__ = ["ACCEPT", "residual_of", "room_of"]

ACCEPT = 1e-9
"""Relative residual up to which a fast answer is accepted."""

# Keeps 0/0 zero.
_TINY = float(np.finfo(np.float64).tiny)
_ULP = 0.5 * float(np.finfo(np.float64).eps)


def room_of(tau: Array, lower: Array) -> float:
    """Part of the sum τᵀλ = 1 that lower bounds leave, > 0."""
    return max(1.0 - float(tau.dot(lower)), _ULP)


def residual_of(G: Array, tau: Array, lower: Array, weights: Array) -> float:
    """Relative violation of the conditions; see :func:`~avalanche_emgd.optim.kkt_residual`."""
    bounded = lower[0] > 0.0
    above, room = weights, 1.0
    if bounded:
        above, room = weights - lower, room_of(tau, lower)
    positive = np.abs(weights)
    v = G.dot(weights)
    nu = float(above.dot(v)) / room
    terms = np.abs(G).dot(positive)
    distance = np.abs(above) if bounded else positive
    size = terms + (float(distance.dot(terms)) / room) * tau  # of v_i, and of the sum that ν is
    size += _TINY  # size is zero only where the numerator is
    length = positive * np.sqrt(G.diagonal())
    total = sum(length.tolist())
    if not isfinite(total):
        return float("inf")
    share = above / (weights + (weights <= 0.0)) if bounded else np.sign(weights)
    if total > 0.0:
        share *= length / total
    feasible = max(abs(float(tau.dot(weights)) - 1.0), -min((above * tau).tolist()))
    slack = (v - nu * tau) / size
    # Where the slack is negative, so is the smaller of the two.
    found = max(*np.abs(np.minimum(share, slack)).tolist(), feasible)
    if not bounded:
        return found
    # Of what the bounds leave of the sum, but for its rounding.
    feasible = max(feasible, (feasible - 2.0 * len(tau) * _ULP) / room)
    if not max(found, feasible) <= ACCEPT:
        # Close to their bounds, weights are too coarse to tell ν: the multiplier with which no
        # objective wants less serves as well.
        finite = tau > 0.0
        nu = float((v[finite] / tau[finite]).min())
        slack = (v - nu * tau) / (terms + abs(nu) * tau + _TINY)
        found = min(found, float(np.abs(np.minimum(share, slack)).max()))
    return max(found, feasible)

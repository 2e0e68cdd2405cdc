"""Minima on a weighted simplex, with a linear term."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim.dual.primal_active_set import minimum_on_simplex

EPS = np.finfo(np.float64).eps


def problem_of(n, seed):
    rng = np.random.default_rng(seed)
    J = rng.standard_normal((n, 2 * n + 2))
    J /= np.linalg.norm(J, axis=1, keepdims=True)
    return J @ J.T, rng.uniform(0.1, 1.0, n), rng.standard_normal(n), float(rng.uniform(0.5, 2.0))


@given(st.integers(1, 10), st.integers(0, 2**32 - 1), st.booleans())
def test_no_vertex_is_a_direction_of_descent(n, seed, started):
    """The objective is convex: then no point of the simplex is better."""
    C, a, q, total = problem_of(n, seed)
    start = np.full(n, total / a.sum()) if started else None
    u = minimum_on_simplex(C, a, q, total, start)
    assert u.min() >= 0.0
    bound = 64 * n * EPS * np.linalg.cond(C)
    assert abs(a @ u - total) <= bound * total
    gradient, vertices = C @ u + q, total / a
    size = (np.abs(C) @ u + np.abs(q)) @ (u + vertices)
    assert (gradient * vertices - gradient @ u >= -bound * size).all()


@given(st.integers(2, 10), st.integers(0, 2**32 - 1))
def test_a_large_linear_term_leaves_one_vertex(n, seed):
    C, a, q, total = problem_of(n, seed)
    large = 1e6
    u = minimum_on_simplex(C, a, large * q, total)
    best = np.argmin(q / a)
    assert np.flatnonzero(u).tolist() == [best]
    # The system of equations has the multiplier among its unknowns, which is as large as q.
    assert abs(u[best] * a[best] - total) <= 64 * EPS * large * np.abs(q / a).max()

"""Minima on a weighted simplex, with a linear term."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim.dual import primal_active_set
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


@given(st.integers(2, 10), st.integers(0, 2**32 - 1))
def test_it_starts_at_the_best_vertex(n, seed):
    C, a, q, total = problem_of(n, seed)
    a[: n // 2] = 0.0  # no vertices there
    C[:: n - 1] = C[:, :: n - 1] = 0.0  # gradients of length zero
    u = primal_active_set._best_vertex(C, a, q, total)
    (place,) = np.flatnonzero(u)
    vertices = [total / a[i] * np.eye(n)[i] for i in range(n) if a[i] > 0.0]
    values = [0.5 * v @ C @ v + q @ v for v in vertices]
    assert a @ u == pytest.approx(total)
    assert a[place] > 0.0
    assert 0.5 * u @ C @ u + q @ u <= min(values) + 64 * EPS * np.abs(values).max()


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_the_minimum_on_a_face_has_one_multiplier(n, seed):
    C, a, q, total = problem_of(n, seed)
    u, nu = primal_active_set._on_face(C, a, q, total)
    bound = 64 * n * EPS * np.linalg.cond(C) * (1.0 + np.abs(u).max() + np.abs(nu))
    np.testing.assert_allclose(C @ u + q, nu * a, rtol=0.0, atol=bound)
    assert a @ u == pytest.approx(total, abs=bound)


def test_a_singular_face_has_a_minimum_too():
    u, nu = primal_active_set._on_face(np.ones((2, 2)), np.ones(2), np.zeros(2), 2.0)
    np.testing.assert_allclose(u, [1.0, 1.0])
    assert nu == pytest.approx(2.0)


@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_it_never_rises(n, seed):
    """From any point: the objective at each face's minimum is at most that of the one before."""
    C, a, q, total = problem_of(n, seed)
    seen = []
    on_face = primal_active_set._on_face

    def watched(C_, a_, q_, total_):
        target, nu = on_face(C_, a_, q_, total_)
        if (target >= 0.0).all():
            seen.append(0.5 * target @ C_ @ target + q_ @ target)
        return target, nu

    with patch.object(primal_active_set, "_on_face", watched):
        minimum_on_simplex(C, a, q, total)
    size = np.abs(q).sum() / a.min() * total + n * (total / a.min()) ** 2
    assert (np.diff(seen) <= 64 * n * EPS * size).all()

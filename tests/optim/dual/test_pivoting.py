"""Block principal pivoting, by the conditions of its complementarity problem."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.optim.dual import pivoting
from avalanche_emgd.optim.dual.pivoting import min_norm, min_norm_pair

EPS = np.finfo(np.float64).eps


def correlations(n, width, seed):
    J = np.random.default_rng(seed).standard_normal((n, width)) + 0.3
    J /= np.linalg.norm(J, axis=1, keepdims=True)
    C = J @ J.T
    np.fill_diagonal(C, 1.0)
    return C


def check(C, a, x):
    """Check x ≥ 0, Cx − a ≥ 0 and their complementarity, for terms of one size."""
    slack = C @ x - a
    size = np.abs(C) @ x + a
    bound = 64 * len(a) * EPS * np.linalg.cond(C) * size.max()
    assert x.min() >= 0.0
    assert (slack >= -bound).all()
    assert (np.minimum(x / x.max(), np.abs(slack) / size.max()) <= bound).all()


@given(st.integers(1, 15), st.integers(0, 2**32 - 1))
def test_its_answer_is_complementary(n, seed):
    C = correlations(n, 2 * n + 2, seed)
    a = np.random.default_rng(seed).uniform(0.1, 1.0, n)
    check(C, a, min_norm(C, a))


@given(st.integers(0, 2**32 - 1))
def test_two_objectives_have_the_same_answer_up_to_scale(seed):
    C = correlations(2, 5, seed)
    a = np.random.default_rng(seed).uniform(0.1, 1.0, 2)
    pair, x = min_norm_pair(float(C[0, 1]), a), min_norm(C, a)
    bound = 64 * EPS * np.linalg.cond(C)
    np.testing.assert_allclose(pair / (a @ pair), x / (a @ x), rtol=0.0, atol=bound)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_equal_gradients_have_equal_entries(n):
    x = min_norm(np.ones((n, n)), np.ones(n))
    np.testing.assert_allclose(x, np.full(n, x[0]), rtol=64 * n * EPS)
    assert x[0] > 0.0


@settings(max_examples=50)
@given(st.integers(6, 15), st.integers(0, 2**32 - 1))
def test_single_exchanges_end_where_blocks_end(n, seed):
    """They take over where blocks of exchanges go in circles, which is rare."""
    C = correlations(n, n + 1, seed)
    a = np.random.default_rng(seed).uniform(0.1, 1.0, n)
    with patch.object(pivoting, "_PATIENCE", 0):
        check(C, a, min_norm(C, a))


def test_two_equal_gradients_share():
    assert min_norm_pair(1.0, np.array([0.5, 0.5])).tolist() == [1.0, 1.0]
    assert min_norm_pair(0.5, np.array([1.0, 0.25])).tolist() == [0.875, 0.0]
    assert min_norm_pair(0.0, np.array([1.0, 0.25])).tolist() == [1.0, 0.25]

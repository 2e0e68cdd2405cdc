r"""Every rule of elastic factors converges to Pareto-critical points.

Let :math:`\bar f` be the mean of the objectives, L a bound of its curvature, and
:math:`u = -d = \sum \lambda_i g_i` with :math:`\lambda_i \ge c/n`, mean(1/σ) = 1. The optimality
conditions of the dual are :math:`\langle g_i, u \rangle = \tau / \sigma_i + m_i` with
:math:`m_i \ge 0` and :math:`m_i (\lambda_i - c/n) = 0`. Their sum with the weights λ is
:math:`\|u\|^2 = \tau + c\,\bar m`, and their mean is
:math:`\langle \bar g, u \rangle = \tau + \bar m = \|u\|^2 + (1 - c)\,\bar m \ge \|u\|^2`. So
whatever the σ, also those that change from step to step, a step :math:`t \le 1/L` has

.. math:: \bar f(x + t d) \le \bar f(x) - t (1 - t L / 2) \|d\|^2 \le \bar f(x) - \tfrac t2 \|d\|^2

and :math:`\min_k \|d_k\|^2 \le 2 (\bar f(x_0) - \inf \bar f) / \sum_k t_k`, which tends to 0 with
steps whose sum diverges. As :math:`1/\sigma_i \le n` and :math:`\sum \lambda_i/\sigma_i = 1`, the
weights sum up to 1/n at least. So the convex hull of the gradients comes as near to 0 as n‖d‖.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.optim import EGDA, GMC, GS, Constant, CustomFactor, EMGDWeighting, solve_dual
from tests.tolerance import tolerance

RULES = [
    GMC(),
    GMC(exponent=1.0, decay=0.0, lower_bound=0.0),
    GMC(exponent=2.0, decay=0.9, lower_bound=0.0),
    GMC(exponent=0.5, decay=0.5, lower_bound=0.9),
    GS(),
    GS(exponent=1.0, decay=0.9, floor=0.0, lower_bound=0.3),
    Constant(),
    EGDA(),
    CustomFactor(lambda gramian, names: torch.arange(1.0, len(names) + 1.0)),
]
STEPS = 60


class Quadratics:
    """f_i(x) = ½ (x − c_i)ᵀ A_i (x − c_i), i = 1 … n, in ``width`` dimensions."""

    def __init__(self, n, width, seed):
        rng = np.random.default_rng(seed)
        factors = rng.standard_normal((n, width, width)) * 10.0 ** rng.uniform(-1, 1, (n, 1, 1))
        self.A = torch.from_numpy(factors @ factors.transpose(0, 2, 1) + 0.01 * np.eye(width))
        self.centres = torch.from_numpy(rng.standard_normal((n, width)))
        self.start = torch.from_numpy(3.0 * rng.standard_normal(width))
        self.curvature = float(torch.linalg.eigvalsh(self.A.mean(0))[-1])

    def gradients(self, x):
        return torch.einsum("nij,nj->ni", self.A, x - self.centres)

    def mean(self, x):
        away = x - self.centres
        return float(0.5 * torch.einsum("ni,nij,nj->n", away, self.A, away).mean())

    def least(self):
        pulls = torch.einsum("nij,nj->i", self.A, self.centres)
        return self.mean(torch.linalg.solve(self.A.sum(0), pulls))


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=8, deadline=None)
@given(n=st.integers(2, 20), width=st.integers(1, 10), seed=st.integers(0, 2**32 - 1))
def test_directions_vanish_on_convex_quadratics(rule, n, width, seed):
    problem, weighting = Quadratics(n, width, seed), EMGDWeighting(rule)
    weighting.reset()
    x, total, shortest = problem.start.clone(), 0.0, math.inf
    before = first = problem.mean(x)
    nearest = None
    for k in range(STEPS):
        rows = problem.gradients(x)
        u = weighting(rows @ rows.T) @ rows
        step = 1.0 / (problem.curvature * math.sqrt(k + 1.0))
        x = x - step * u
        after = problem.mean(x)
        # Each step lowers the mean by half of its length times its direction's, but for rounding.
        rounding = tolerance(torch.float64, n * width**2, scale=before)
        assert after <= before - 0.5 * step * float(u @ u) + rounding
        total, before = total + step, after
        if float(u.norm()) < shortest:
            shortest, nearest = float(u.norm()), rows
    bound = 2.0 * (first - problem.least()) / total
    assert shortest**2 <= bound + tolerance(torch.float64, n * width**2, first / total) * STEPS
    # The gradients that are combined into so short a direction are nearly Pareto-critical.
    hull = solve_dual(nearest @ nearest.T, torch.ones(n)).weights @ nearest
    longest = float(nearest.norm(dim=1).max())
    assert float(hull.norm()) <= n * shortest + longest * tolerance(torch.float64, 10 * n) ** 0.5


@pytest.mark.parametrize("rule", [r for r in RULES if r.lower_bound(20) == 0.0])
@settings(max_examples=20, deadline=None)
@given(n=st.integers(2, 20), seed=st.integers(0, 2**32 - 1))
def test_without_a_lower_bound_no_objective_rises_to_first_order(rule, n, seed):
    problem, weighting = Quadratics(n, 30, seed), EMGDWeighting(rule)
    weighting.reset()
    rows = problem.gradients(problem.start)
    u = weighting(rows @ rows.T) @ rows
    products = rows @ u
    needed = u.square().sum() / weighting.sigma
    scale = float(rows.norm(dim=1).max()) * float(u.norm())
    assert (products >= needed - tolerance(torch.float64, 100 * n, scale)).all()

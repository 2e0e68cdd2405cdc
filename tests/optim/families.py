"""Gradient matrices of all kinds, for property tests."""

import numpy as np
import torch
from hypothesis import strategies as st

from avalanche_emgd.optim.dual.problem import make_problem

KINDS = ("plain", "cone", "duplicates", "opposite", "zero", "dominant", "scales", "near")
TAME = tuple(kind for kind in KINDS if kind != "scales")

bounds = st.sampled_from([0.0, 0.0, 0.1, 0.5, 0.99])


@st.composite
def gradients(draw, max_n=12, kinds=KINDS):
    """Float64 ``[n, P]`` of one of the kinds above."""
    n = draw(st.integers(1, max_n))
    width = draw(st.sampled_from([1, 2, n, 3 * n]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = rng.standard_normal((n, width))
    kind = draw(st.sampled_from(kinds))
    if kind == "cone":
        rows += 2.0
    elif kind == "duplicates":
        rows[rng.integers(n, size=n // 2)] = rows[0]
    elif kind == "opposite":
        rows[-1] = -rows[0] * rng.uniform(0.1, 10.0)
    elif kind == "zero":
        rows[rng.integers(n)] = 0.0
    elif kind == "dominant":
        rows[rng.integers(n)] *= 1e9
    elif kind == "scales":
        rows *= 10.0 ** rng.uniform(-15, 15, size=(n, 1))
    elif kind == "near":
        rows[1:] = rows[0] + 1e-7 * rows[1:]
    return torch.from_numpy(rows)


@st.composite
def problems(draw, max_n=12, kinds=KINDS, spreads=(0.0, 1.0, 4.0)):
    """Gradients ``[n, P]`` and elastic factors ``[n]``."""
    J = draw(gradients(max_n, kinds))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from(spreads))
    sigma = torch.from_numpy(10.0 ** rng.uniform(-spread, spread, size=len(J)))
    if len(J) > 1 and draw(st.booleans()):
        sigma[draw(st.integers(0, len(J) - 1))] = float("inf")
    return J, sigma


def vertex_scale(J, sigma):
    """Smallest squared norm of a vertex: what the optimum is measured against."""
    finite = sigma.isfinite()
    return float((J[finite].square().sum(1) * sigma[finite] ** 2).min())


def problem_of(J, bound):
    """The dual of gradients with one lower bound, without elastic factors."""
    return make_problem(J @ J.T, None, bound, None)


def unit(vector):
    """The vector divided by its length."""
    return vector / vector.norm()

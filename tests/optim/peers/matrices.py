"""Matrices of gradients for tests of weightings."""

import torch
from hypothesis import strategies as st

seeds = st.integers(0, 10**6)
sizes = st.integers(2, 8)


def matrix(n, seed=0, width=20):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, width, generator=generator, dtype=torch.float64)

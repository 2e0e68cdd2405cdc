import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim import peers


def matrix(n, seed=0, width=20):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, width, generator=generator, dtype=torch.float64)


seeds = st.integers(0, 10**6)


sizes = st.integers(2, 8)


@given(sizes, seeds)
def test_orthogonal_sum_by_singular_values(n, seed):
    rows = matrix(n, seed)
    u, s, v = torch.linalg.svd(rows, full_matrices=False)
    expected = (s.min() * u @ v).sum(dim=0)
    found = peers.OrthogonalSum()(rows @ rows.T) @ rows
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)

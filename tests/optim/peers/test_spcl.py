import torch
from hypothesis import given

from avalanche_emgd.optim import peers
from tests.optim.peers.matrices import matrix, seeds, sizes


@given(sizes, seeds)
def test_orthogonal_sum_by_singular_values(n, seed):
    rows = matrix(n, seed)
    u, s, v = torch.linalg.svd(rows, full_matrices=False)
    expected = (s.min() * u @ v).sum(dim=0)
    found = peers.OrthogonalSum()(rows @ rows.T) @ rows
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)

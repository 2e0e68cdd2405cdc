import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.gradients import StackedGradients


@given(st.integers(1, 5), st.integers(1, 9), st.data(), st.integers(0, 2**31))
def test_stacked_gradients(n, size, data, seed):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(n, size, generator=generator, dtype=torch.float64)
    weights = torch.rand(n, generator=generator)
    shared = data.draw(st.integers(0, size))
    gradients = StackedGradients(rows.clone(), [True])
    assert torch.equal(gradients.rows, rows)
    torch.testing.assert_close(gradients.gramian(shared), rows[:, :shared] @ rows[:, :shared].T)
    expected = torch.cat([weights.double() @ rows[:, :shared], rows[:, shared:].sum(0)])
    torch.testing.assert_close(gradients.combine(weights, shared), expected)
    out = torch.empty(size, dtype=torch.float64)
    assert gradients.combine(weights, shared, out) is out
    torch.testing.assert_close(out, expected)
    gradients.divide(2.0)
    torch.testing.assert_close(gradients.rows, rows / 2)

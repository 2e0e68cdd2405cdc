import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.gradients import ObjectiveGradients, StackedGradients


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


class Least(ObjectiveGradients):
    """What an engine has to say at least."""

    def __init__(self, rows):
        self.found = rows

    @property
    def rows(self):
        return self.found

    def gramian(self, num_shared):
        raise NotImplementedError

    def combine(self, weights, num_shared, out=None):
        raise NotImplementedError

    def divide(self, scale):
        raise NotImplementedError


def test_rows_and_columns_are_those_of_the_whole():
    rows = torch.randn(3, 10)
    for gradients in (Least(rows), StackedGradients(rows, [True, False])):
        assert torch.equal(torch.stack([gradients.row(k) for k in range(3)]), rows)
        out = torch.full((3, 4), torch.nan)
        gradients.write_columns(5, 9, out)
        assert torch.equal(out, rows[:, 5:9])
    assert list(gradients.used) == [True, False]
    assert list(Least(rows).used) == list(StackedGradients(rows).used) == []

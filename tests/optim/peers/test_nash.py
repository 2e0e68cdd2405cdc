import torch
from hypothesis import given

from avalanche_emgd.optim import peers
from avalanche_emgd.optim.peers import nash_weights
from tests.optim.peers.matrices import matrix, seeds, sizes


@given(sizes, seeds)
def test_nash_weights_solve_the_bargaining_equations(n, seed):
    rows = matrix(n, seed)
    gramian = rows @ rows.T
    alpha = nash_weights(gramian)
    assert (alpha > 0).all()
    torch.testing.assert_close(gramian @ alpha * alpha, torch.ones(n).double(), atol=1e-5, rtol=0)


def test_nash_of_orthogonal_gradients_is_the_inverse_of_their_lengths():
    weights = peers.NashMTL()(torch.diag(torch.tensor([1.0, 4.0, 16.0])))
    torch.testing.assert_close(weights, torch.tensor([4.0, 2.0, 1.0]) / 7.0)


def test_nash_of_opposite_gradients_cancels_them():
    rows = torch.tensor([[1.0, 0.0], [-3.0, 0.0]], dtype=torch.float64)
    weights = peers.NashMTL()(rows @ rows.T)
    torch.testing.assert_close(weights, torch.tensor([0.75, 0.25]).double())

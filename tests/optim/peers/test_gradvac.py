import torch
from torchjd import aggregation

from avalanche_emgd.optim import peers
from tests.optim.peers.matrices import matrix


def test_gradvac_keeps_what_torchjd_forgets():
    """With b away for a tick, the pair (a, b) goes on from where it was."""
    inner, ours = aggregation.GradVacWeighting(0.5), peers.GradVac(0.5)
    for tick in range(6):
        rows = matrix(2, tick, 3)
        torch.manual_seed(tick)
        expected = inner(rows @ rows.T)
        ours.set_objectives(["a", "b"])
        torch.manual_seed(tick)
        torch.testing.assert_close(ours(rows @ rows.T), expected, rtol=1e-6, atol=1e-9)
        ours.set_objectives(["a", "c", "d"])
        ours(matrix(3, tick) @ matrix(3, tick).T)

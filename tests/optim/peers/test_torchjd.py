import pytest
import torch
from torchjd import aggregation

from avalanche_emgd.optim import peers
from tests.optim.peers.matrices import matrix


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (peers.Sum(), aggregation.Sum()),
        (peers.PCGrad(), aggregation.PCGrad()),
        (peers.IMTLG(), aggregation.IMTLG()),
        (peers.CAGrad(0.4), aggregation.CAGrad(0.4)),
        (peers.AlignedMTL(), aggregation.AlignedMTL()),
        (peers.UPGrad(), aggregation.UPGrad()),
        (peers.GradVac(0.3), aggregation.GradVac(0.3)),
    ],
)
def test_what_torchjd_computes_is_what_torchjd_computes(ours, theirs):
    for seed in range(5):
        rows = matrix(4, seed)
        torch.manual_seed(seed)
        expected = theirs(rows)
        torch.manual_seed(seed)
        torch.testing.assert_close(ours(rows @ rows.T) @ rows, expected, rtol=1e-5, atol=1e-7)


def test_proportional_fairness_is_nash_bargaining():
    for seed in range(5):
        gramian = matrix(4, seed) @ matrix(4, seed).T
        torch.testing.assert_close(
            peers.FairGrad(1.0)(gramian), peers.NashMTL()(gramian), rtol=1e-4, atol=1e-6
        )


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_fairness_equations(alpha):
    gramian = matrix(3) @ matrix(3).T
    weights = peers.FairGrad(alpha)(gramian)
    ratios = gramian @ weights * weights ** (1.0 / alpha)
    torch.testing.assert_close(ratios, ratios.mean().expand(3), rtol=1e-4, atol=0)


@pytest.mark.parametrize("kind", [peers.NashMTL, peers.FairGrad])
def test_objectives_without_gradient_have_nothing_to_bargain_for(kind):
    rows = matrix(3)
    rows[1] = 0.0
    weights = kind()(rows @ rows.T)
    assert weights[1] == 0.0
    alone = kind()(rows[[0, 2]] @ rows[[0, 2]].T)
    torch.testing.assert_close(weights[[0, 2]], alone)

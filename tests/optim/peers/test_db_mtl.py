import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim import GMC, EMGDWeighting
from avalanche_emgd.optim.peers import DBMTL
from tests.optim.families import gradients
from tests.tolerance import assert_near, tolerance


def direction(weighting, rows, losses, names=None):
    weighting.set_objectives(list(range(len(rows))) if names is None else names, losses)
    seen = weighting.see(rows)
    seen = rows if seen is None else seen
    return weighting(seen @ seen.T) @ seen


@given(gradients(max_n=6, kinds=("plain", "cone", "duplicates", "opposite")), st.integers(0, 99))
def test_without_average_it_adds_directions_in_the_length_of_the_longest(rows, seed):
    if len(rows) == 1:
        return
    losses = 0.1 + torch.rand(len(rows), generator=torch.Generator().manual_seed(seed)).double()
    of_logs = rows / (losses + 1e-8)[:, None]
    lengths = of_logs.norm(dim=1)
    expected = (of_logs * (lengths.max() / lengths)[:, None]).sum(0)
    # Squares lose half of the digits of a length only where products cancel, and these do not.
    bound = tolerance(torch.float64, 10 * rows.shape[1], float(lengths.max()) * len(rows))
    found = direction(DBMTL(beta=0.0), rows, losses)
    torch.testing.assert_close(found, expected, rtol=0.0, atol=bound)


def test_without_average_it_is_gmc_of_exponent_one_on_orthogonal_gradients():
    rows = torch.diag(torch.tensor([1.0, 5.0, 0.1]).double())
    ours = direction(DBMTL(beta=0.0), rows, torch.tensor([1.0, 2.0, 0.3]))
    theirs = EMGDWeighting(GMC(1.0, decay=0.0, lower_bound=0.0))(rows @ rows.T) @ rows
    torch.testing.assert_close(ours / ours.norm(), theirs / theirs.norm())


@pytest.mark.parametrize(("beta", "power"), [(0.9, 0.0), (0.7, 0.5)])
def test_the_average_by_its_definition(beta, power):
    generator = torch.Generator().manual_seed(0)
    weighting, average = DBMTL(beta, power), torch.zeros(2, 6, dtype=torch.float64)
    for tick in range(1, 8):
        rows = torch.randn(2, 6, generator=generator, dtype=torch.float64)
        losses = 0.5 + torch.rand(2, generator=generator, dtype=torch.float64)
        kept = beta / tick**power
        average = kept * average + (1.0 - kept) * rows / (losses + 1e-8)[:, None]
        lengths = average.norm(dim=1, keepdim=True)
        expected = (average * lengths.max() / lengths).sum(0)
        assert_near(direction(weighting, rows, losses), expected, 6 * 10 * tick)


def test_losses_may_have_any_scale():
    """A factor on one stream's loss, whose gradient it multiplies, changes nothing."""
    plain, scaled = DBMTL(), DBMTL()
    for tick in range(4):
        rows = torch.randn(3, 5, generator=torch.Generator().manual_seed(tick)).double()
        losses = torch.tensor([1.0, 2.0, 0.5]).double()
        factor = torch.tensor([1.0, 100.0, 1.0]).double()
        expected = direction(plain, rows, losses)
        found = direction(scaled, rows * factor[:, None], losses * factor)
        # 1e-8 is added to losses of at least 0.5.
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)


def test_alone_an_objective_follows_its_own_gradient_which_is_remembered():
    weighting = DBMTL(beta=0.5)
    row = torch.tensor([[3.0, 4.0]]).double()
    assert torch.equal(direction(weighting, row, torch.tensor([2.0]), ["a"]), row[0])
    both = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).double()
    weighting.set_objectives(["a", "b"], torch.ones(2))
    seen = weighting.see(both)
    expected = 0.5 * 0.5 * row[0] / 2.0 + 0.5 * both[0]
    torch.testing.assert_close(seen[0], expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 1.0}, r"`beta` must be in \[0, 1\), found 1.0"),
        ({"beta": -0.1}, r"`beta` must be in"),
        ({"power": -0.5}, "`power` must be at least 0 and finite, found -0.5"),
        ({"power": float("inf")}, "`power` must be at least 0 and finite"),
    ],
)
def test_settings_out_of_their_range(settings, message):
    with pytest.raises(ValueError, match=message):
        DBMTL(**settings)


def test_gradients_of_length_zero_have_no_weight():
    weighting = DBMTL(beta=0.0)
    for lengths, expected in (([3.0, 0.0, 1.0], [1.0, 0.0, 3.0]), ([0.0] * 3, [1 / 3] * 3)):
        rows = torch.diag(torch.tensor(lengths)).double()
        weighting.set_objectives(["a", "b", "c"], torch.ones(3))
        seen = weighting.see(rows)
        assert weighting(seen @ seen.T).tolist() == pytest.approx(expected, rel=1e-14)

"""Where rules of elastic factors and weightings of the literature are the same thing."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.optim import GMC, GS, Constant, ElasticFactor, EMGDWeighting, solve_dual
from avalanche_emgd.optim.peers import DBMTL, IMTLG, NashMTL, UPGrad
from tests.optim.families import gradients, unit
from tests.tolerance import tolerance

seeds = st.integers(0, 2**32 - 1)


def normalising() -> GMC:
    return GMC(exponent=1.0, decay=0.0, lower_bound=0.0)


def direction(weighting, rows):
    weighting = EMGDWeighting(weighting) if isinstance(weighting, ElasticFactor) else weighting
    return weighting(rows @ rows.T) @ rows


def condition(rows):
    """Of the Gramian: the error of its inverse in units of the rounding of its entries."""
    return float(torch.linalg.cond(rows @ rows.T))


@st.composite
def orthogonal(draw, max_n=12):
    """Rows at right angles, of lengths from 0.01 to 100, ``[n, n + 3]``."""
    n = draw(st.integers(2, max_n))
    rng = np.random.default_rng(draw(seeds))
    basis, _ = np.linalg.qr(rng.standard_normal((n + 3, n)))
    return torch.from_numpy(10.0 ** rng.uniform(-2, 2, size=(n, 1)) * basis.T)


@st.composite
def pairs(draw):
    """Two rows of lengths from 0.1 to 10, neither nearly parallel nor nearly opposite."""
    rng = np.random.default_rng(draw(seeds))
    basis, _ = np.linalg.qr(rng.standard_normal((6, 2)))
    angle = draw(st.floats(0.2, 2.9))
    turned = np.stack([basis[:, 0], np.cos(angle) * basis[:, 0] + np.sin(angle) * basis[:, 1]])
    return torch.from_numpy(10.0 ** rng.uniform(-1, 1, size=(2, 1)) * turned)


@given(gradients(kinds=("plain", "cone", "duplicates", "opposite", "dominant", "near")))
def test_gmc_of_exponent_one_is_mgda_on_unit_gradients(rows):
    """At any n; the common length is the mean of the lengths, which fixes mean(1/σ) = 1."""
    lengths = rows.norm(dim=1, keepdim=True)
    units = rows / lengths
    mgda = solve_dual(units @ units.T, torch.ones(len(rows))).weights @ units
    ours = direction(normalising(), rows) / lengths.mean()
    # p and p' are nearest to 0 in two hulls within δ of each other. So ⟨p, p'⟩ is at least ‖p‖² −
    # δ‖p‖ and ‖p'‖² − δ‖p'‖, and ‖p − p'‖² is at most δ (‖p‖ + ‖p'‖) ≤ 2δ.
    close = tolerance(torch.float64, 10 * rows.shape[1] + len(rows))
    assert float((ours - mgda).norm()) <= (2.0 * close) ** 0.5


@given(pairs())
def test_for_two_gradients_gmc_imtl_g_and_nash_follow_the_bisector(rows):
    bisector = unit((rows / rows.norm(dim=1, keepdim=True)).sum(0))
    # IMTL-G inverts the Gramian; the sum of nearly opposite directions is 2 cos(1.45) > 0.2 long.
    bound = tolerance(torch.float64, 20, condition(rows) / 0.2)
    for weighting in (normalising(), IMTLG(), NashMTL()):
        torch.testing.assert_close(unit(direction(weighting, rows)), bisector, rtol=0.0, atol=bound)


@pytest.mark.parametrize("make", [IMTLG, NashMTL, lambda: DBMTL(beta=0.0)])
@given(rows=orthogonal())
def test_for_orthogonal_gradients_gmc_is_imtl_g_nash_and_db_mtl(make, rows):
    weighting = make()
    if weighting.needs_gradients:
        weighting.set_objectives(list(range(len(rows))), torch.ones(len(rows)))
        weighting.see(rows)
    expected = unit((rows / rows.norm(dim=1, keepdim=True)).sum(0))
    bound = tolerance(torch.float64, 20 * len(rows))
    torch.testing.assert_close(unit(direction(normalising(), rows)), expected, rtol=0.0, atol=bound)
    # IMTL-G inverts the Gramian. The 1e-8 that Nash-MTL adds to its diagonal are alike for all.
    torch.testing.assert_close(
        unit(direction(weighting, rows)), expected, rtol=0.0, atol=bound * condition(rows)
    )


@given(orthogonal())
def test_exponent_two_averages_orthogonal_gradients(rows):
    bound = tolerance(torch.float64, 20 * len(rows), float(rows.norm(dim=1).max()))
    for rule in (
        GMC(exponent=2.0, decay=0.0, lower_bound=0.0),
        GMC(exponent=2.0, decay=0.0, lower_bound=0.5),
        GS(exponent=2.0, decay=0.0, floor=0.0),
        GS(exponent=2.0, decay=0.0, floor=0.1),
    ):
        found = direction(rule, rows)
        torch.testing.assert_close(found, rows.mean(0), rtol=0.0, atol=bound)


@given(orthogonal(), st.floats(0.0, 3.0))
def test_weights_of_orthogonal_gradients_are_a_power_of_their_lengths(rows, exponent):
    """λ_i ∝ ‖g_i‖^(p−2): MGDA, unit gradients and the average are p = 0, 1 and 2."""
    lengths = rows.norm(dim=1)
    found = EMGDWeighting(GMC(exponent, decay=0.0, lower_bound=0.0))(rows @ rows.T)
    expected = lengths ** (exponent - 2.0)
    # Products of rounded rows are not zero, but ε of both lengths.
    bound = tolerance(torch.float64, 20 * len(rows), float(lengths.max() / lengths.min()))
    torch.testing.assert_close(
        found / found.sum(), expected / expected.sum(), rtol=bound, atol=bound
    )


@given(orthogonal())
def test_upgrad_of_orthogonal_gradients_is_the_average(rows):
    found, expected = direction(UPGrad(), rows), rows.mean(0)
    # TorchJD adds 1e-4 to a diagonal, by which it divides products that rounding leaves of zero.
    bound = tolerance(torch.float64, 20 * len(rows), scale=1e4)
    torch.testing.assert_close(unit(found), unit(expected), rtol=0.0, atol=bound)


@given(gradients(max_n=6, kinds=("plain", "cone", "duplicates")))
def test_gs_of_exponent_two_is_the_average_wherever_it_hurts_no_objective(rows):
    mean = rows.mean(0)
    helped = rows @ mean
    if float(helped.min()) <= 1e-6 * float((rows @ rows.T).diagonal().max()):
        return
    found = direction(GS(exponent=2.0, decay=0.0, floor=0.0), rows)
    # 1/σ_i is ⟨g_i, ḡ⟩ in units of its mean: errors of σ are those of a share of 1e-6.
    bound = tolerance(torch.float64, 60, scale=1e6) * float(rows.norm(dim=1).max())
    torch.testing.assert_close(found, mean, rtol=0.0, atol=bound)
    # So it is with the floor, where no objective falls below it.
    if bool((helped > 0.1 * rows.square().sum(1)).all()):
        torch.testing.assert_close(direction(GS(), rows), mean, rtol=0.0, atol=bound)


@given(gradients(max_n=8, kinds=("plain", "cone", "duplicates", "opposite")))
def test_exponent_zero_is_mgda(rows):
    assert torch.equal(
        EMGDWeighting(GMC(0.0, decay=0.0, lower_bound=0.0))(rows @ rows.T),
        EMGDWeighting(Constant())(rows @ rows.T),
    )

"""What goes into weightings, and what they give."""

import pytest
import torch

from avalanche_emgd.optim import EMGD, EMGDWeighting, checked_weights, peers
from avalanche_emgd.optim.checks import checked_gramian, rounding_of, without_negligible

OBJECTIVES = ["new", "memory"]


def weightings():
    made = [
        getattr(peers, name) for name in peers.__all__ if isinstance(getattr(peers, name), type)
    ]
    bases = (peers.PeerWeighting, peers.GradientStateWeighting)
    return [EMGDWeighting, *(kind for kind in made if kind not in bases)]


def ready(make):
    """Weighting that knows all that it may ask for."""
    weighting = make()
    weighting.set_objectives(OBJECTIVES, torch.tensor([1.0, 2.0]), [False, True])
    if isinstance(weighting, peers.GradientStateWeighting):
        weighting.see(torch.tensor([[2.0, 0.0], [0.5, 1.5]]))
    return weighting


@pytest.mark.parametrize("make", weightings())
def test_a_gramian_of_whole_numbers_is_converted_to_float64(make):
    torch.manual_seed(0)
    expected = ready(make)(torch.tensor([[4.0, 1.0], [1.0, 3.0]], dtype=torch.float64))
    torch.manual_seed(0)
    found = ready(make)(torch.tensor([[4, 1], [1, 3]]))
    assert found.dtype == torch.float64
    assert torch.equal(found, expected)


@pytest.mark.parametrize("make", weightings())
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_gramian_of_few_bits_gives_the_same_weights_in_its_dtype(make, dtype):
    torch.manual_seed(0)
    expected = ready(make)(torch.tensor([[4.0, 1.0], [1.0, 3.0]], dtype=torch.float64))
    torch.manual_seed(0)
    found = ready(make)(torch.tensor([[4, 1], [1, 3]], dtype=dtype))
    assert torch.equal(found, expected.to(dtype))


@pytest.mark.parametrize("make", weightings())
@pytest.mark.parametrize(
    ("gramian", "message"),
    [
        (torch.ones(2, 3), r"square matrix of real numbers, found shape \(2, 3\)"),
        (torch.ones(2), r"square matrix of real numbers, found shape \(2,\)"),
        (torch.eye(2, dtype=torch.complex64), "real numbers, found.*complex64"),
        (torch.tensor([[1.0, 0.0], [0.0, -1.0]]), r"negative diagonal entry -1\.0.*'memory'"),
        (torch.tensor([[1.0, 0.0], [0.0, torch.inf]]), "objective 'memory' is NaN or infinite"),
        (torch.tensor([[1.0, torch.nan], [torch.nan, 1.0]]), "is NaN or infinite"),
        (torch.tensor([[1.0, 0.5], [0.0, 1.0]]), r"must be symmetric, found 0\.5.*'memory'"),
        (torch.eye(3), "`objectives` must be 3 distinct"),
    ],
)
def test_other_matrices_than_gramians_are_refused_before_any_state_changes(make, gramian, message):
    weighting = ready(make)
    before = str(weighting.state_dict())
    with pytest.raises(ValueError, match=message):
        weighting(gramian)
    assert str(weighting.state_dict()) == before


def test_weights_that_a_dtype_cannot_hold_are_refused():
    gramian = torch.eye(2)
    assert _Large()(gramian).tolist() == [1.0, 1e6]
    with pytest.raises(ValueError, match=r"torch\.float16, which cannot hold.*_Large"):
        _Large()(gramian.half())


class _Large(EMGDWeighting):
    def _weights(self, gramian, objectives):
        return torch.tensor([1.0, 1e6], dtype=torch.float64)


def test_gradients_whose_squares_vanish_are_refused():
    rows = torch.tensor([[1e-170, 0.0], [0.0, 1e-170]], dtype=torch.float64)
    with pytest.raises(ArithmeticError, match=r"longest entry of 1\.0e-170.*scale the losses up"):
        EMGD()(rows)
    assert torch.equal(EMGD()(rows * 0.0), torch.zeros(2, dtype=torch.float64))


class Wrong(torch.nn.Module):
    """Weighting of a user's."""


def by_function(gramian):
    return gramian.diagonal()


@pytest.mark.parametrize("weighting", [Wrong(), by_function])
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (torch.tensor([0.5, torch.nan]), r"not finite, though the Gramian is: \{'memory': nan\}"),
        (torch.tensor([torch.inf, 0.5]), r"not finite, though the Gramian is: \{'new': inf\}"),
        (torch.ones(3), r"2 weights.*'new', 'memory'.*found \(3,\) of torch.float32"),
        (torch.ones(2, 1), r"found \(2, 1\)"),
        (torch.ones(2, dtype=torch.int64), "floating dtype.*int64"),
        (torch.ones(2, dtype=torch.complex64), "floating dtype.*complex64"),
        ([0.5, 0.5], "found list"),
        (None, "found NoneType"),
    ],
)
def test_wrong_weights_are_blamed_on_the_weighting(weighting, weights, message):
    name = "Wrong" if isinstance(weighting, Wrong) else "by_function"
    with pytest.raises(ValueError, match=f"`weighting` {name} .*{message}"):
        checked_weights(weights, OBJECTIVES, weighting)


def test_right_weights_lose_their_graph_alone():
    weights = torch.tensor([0.5, -2.0], requires_grad=True)
    found = checked_weights(weights, OBJECTIVES, Wrong())
    assert not found.requires_grad
    assert torch.equal(found, weights)
    large = torch.full((2,), 1e308, dtype=torch.float64)  # finite, though their sum is not
    assert torch.equal(checked_weights(large, OBJECTIVES, Wrong()), large)


@pytest.mark.parametrize("n", [3, 12])  # plain numbers check a few objectives, arrays many
def test_gramians_of_all_sizes_are_checked_alike(n):
    names = [f"task{i}" for i in range(n)]
    lengths = torch.arange(1, n + 1, dtype=torch.float64) / 4.0
    G = torch.diag(lengths.square())
    G[0, 0] = 0.0
    assert checked_gramian(G, names) is G
    assert torch.equal(checked_gramian(G.float(), names), G)
    with pytest.raises(ValueError, match=r"negative diagonal entry -1e-300 at objective 'task1'"):
        checked_gramian(with_entries(G, {(1, 1): -1e-300}), names)
    # Of 1e-3 each, the rounding of two entries is allowed, relative to the two lengths.
    unit = 1e-3 * float(lengths[1] * lengths[2])
    for sign in (1.0, -1.0):
        near = with_entries(G, {(1, 2): sign * 1.9 * unit})
        assert checked_gramian(near, names) is near
        far = with_entries(G, {(1, 2): sign * 2.1 * unit})
        with pytest.raises(ValueError, match=r"for objectives 'task1' and 'task2' but 0\.0 for"):
            checked_gramian(far, names)
    # A diagonal that is not finite names its objective alone, other entries both of theirs.
    infinite = with_entries(G, {(1, 1): torch.inf, (1, 2): torch.nan, (2, 1): torch.nan})
    with pytest.raises(ValueError, match=r"objective 'task1' is NaN or infinite"):
        checked_gramian(infinite, names)
    mixed = with_entries(G, {(1, 2): torch.nan, (2, 1): torch.nan})
    with pytest.raises(ValueError, match=r"objective 'task1', 'task2' is NaN or infinite"):
        checked_gramian(mixed, names)


def with_entries(gramian, entries):
    gramian = gramian.clone()
    for place, value in entries.items():
        gramian[place] = value
    return gramian


@pytest.mark.parametrize(
    ("dtype", "rounding"),
    [
        (torch.float64, 1e-3),
        (torch.float32, 1e-3),
        (torch.int64, 1e-3),
        (torch.float16, 2.0**-9),
        (torch.bfloat16, 2.0**-6),
    ],
)
def test_rounding_of_dtypes(dtype, rounding):
    """Twice the epsilon, unless that is less than what is allowed anyway."""
    assert rounding_of(dtype) == rounding


def test_negligible_gradients_become_zero():
    J = torch.diag(torch.tensor([1e3, 1e-8, 1e-10, 0.0], dtype=torch.float64))
    J[2, 0] = 1e-10
    G = J @ J.T
    found = without_negligible(G)
    assert torch.equal(found[:2, :2], G[:2, :2])
    assert torch.equal(found[2:], torch.zeros(2, 4, dtype=torch.float64))
    assert torch.equal(found, found.T)
    usual = G[:2, :2].clone()
    assert without_negligible(usual) is usual

import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.joint_forward import UntrustedError
from avalanche_emgd.gradients.layer_gradient import LayerGradient
from avalanche_emgd.gradients.row_comparison import RowComparison


@pytest.fixture
def case():
    layer = nn.Linear(3, 2).double()
    x, back = torch.randn(5, 3).double(), torch.randn(5, 2).double()
    found = [LayerGradient(layer, [(x, back, [2, 3])], {}), None]
    expected = [
        [(b.T @ a).flatten(), b.sum(0)]
        for a, b in zip(x.split([2, 3]), back.split([2, 3]), strict=True)
    ]
    return RowComparison(found, 2, list(layer.parameters()), 1e-9), expected


def never():
    raise AssertionError("another pass")


def test_equal_rows(case):
    rows, expected = case
    assert rows.compare(1, expected[1], never)
    assert rows.compare(0, expected[0], never)
    assert rows.seen() == [True, True]


def test_other_rows(case):
    rows, expected = case
    with pytest.raises(UntrustedError, match="gradients differ"):
        rows.compare(0, expected[1], never)


def test_a_wrong_element_of_a_small_parameter_counts(case):
    rows, expected = case
    expected[0][1] = expected[0][1] + 1e-3
    with pytest.raises(UntrustedError, match="gradients differ"):
        rows.compare(0, expected[0], lambda: expected[0])


def test_near_rows_may_be_right_for_their_own_pass(case):
    rows, expected = case
    other = [each * (1 + 1e-3) for each in expected[0]]
    assert rows.compare(0, other, lambda: expected[0])


def test_rows_that_are_not_finite_are_not_compared(case):
    rows, expected = case
    assert not rows.compare(0, [expected[0][0] * float("inf"), expected[0][1]], never)
    assert rows.seen() == [False, True]


def test_zeros_tell_nothing():
    layer = nn.Linear(3, 2)
    gradient = LayerGradient(layer, [(torch.randn(2, 3), torch.zeros(2, 2), [1, 1])], {})
    rows = RowComparison([gradient], 2, list(layer.parameters()), 1e-4)
    for k in range(2):
        assert rows.compare(k, [torch.zeros(6), torch.zeros(2)], never)
    assert rows.seen() == [False]

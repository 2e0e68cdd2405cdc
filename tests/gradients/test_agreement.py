import pytest
import torch
from torch import nn

from avalanche_emgd.gradients import agreement
from avalanche_emgd.gradients.agreement import (
    agree,
    are_small,
    distances,
    floors_of,
    lengths_of,
    seen_of,
    tolerance_of,
    ways_agree,
)
from avalanche_emgd.gradients.layer_gradient import LayerGradient


@pytest.mark.parametrize("chunk", [3, 10, 1 << 18])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_lengths_in_chunks_are_those_of_whole_gradients(monkeypatch, chunk, dtype):
    monkeypatch.setattr(agreement, "_CHUNK", chunk)
    one, other = torch.randn(2, 4, 5).to(dtype), torch.randn(2, 4, 5).to(dtype)
    for found, expected in (
        (lengths_of([one, one.transpose(0, 2)]), [one.double().norm()] * 2),
        (distances([one], [other]), [(one - other).double().norm()]),
    ):
        torch.testing.assert_close(torch.tensor(found).double(), torch.stack(expected).cpu())


def test_tiny_gradients_have_a_length():
    assert lengths_of([torch.full((4,), 1e-30)]) == pytest.approx([2e-30])


def test_rounding_is_that_of_the_coarsest_layer():
    assert tolerance_of([torch.float64, torch.float32]) == tolerance_of([torch.float32])
    assert tolerance_of([torch.float64]) < tolerance_of([torch.float32])
    assert tolerance_of([torch.bfloat16, torch.float64]) == 5e-2


def test_errors_are_small_beside_the_gradient_or_its_terms():
    assert are_small([1e-3], [1.0], [0.0], 1e-3)
    assert not are_small([2e-3], [1.0], [0.0], 1e-3)
    assert are_small([2e-3], [1.0], [2.0], 1e-3)
    assert not are_small([float("nan")], [1.0], [1.0], 1e-3)
    assert not are_small([0.0, 1.0], [1.0, 0.0], [1.0, 0.0], 1e-3)


def test_tensors_agree():
    x = torch.randn(5)
    assert agree(x, x * (1 + 1e-6), 1e-5)
    assert not agree(x, -x, 1e-5)


def gradient_of(layer, x, backprops):
    return LayerGradient(layer, [(x, backprops, [2, 1])], {})


def test_floors_are_products_of_lengths():
    layer = nn.Linear(2, 1)
    x, back = torch.tensor([[3.0, 0], [4, 0], [6, 8]]), torch.tensor([[1.0], [0], [2]])
    other = nn.Parameter(torch.ones(1))
    floors = floors_of([gradient_of(layer, x, back), None], 2, [*layer.parameters(), other])
    assert floors == [[pytest.approx(5.0), pytest.approx(20.0)]] * 2 + [[0.0, 0.0]]


def test_layers_are_seen_by_gradients_that_are_not_zero():
    layer, frozen = nn.Linear(2, 1), nn.Linear(2, 1)
    x, back = torch.ones(3, 2), torch.ones(3, 1)
    found = [gradient_of(layer, x, back), gradient_of(layer, x, 0 * back), None]
    found.append(gradient_of(frozen, x, back))
    parameters = list(layer.parameters())
    told = {id(layer.weight)}
    assert seen_of(found, parameters, told) == [True, False, True, True]
    assert seen_of(found, parameters, set()) == [False, False, True, True]


def test_ways_to_compute_a_kernel_agree(monkeypatch):
    layer = nn.Conv2d(3, 4, 1)
    gradient = LayerGradient(
        layer, [(torch.randn(4, 3, 5, 5), torch.randn(4, 4, 5, 5), [2, 2])], {}
    )
    assert ways_agree(gradient, 1e-4)
    assert ways_agree(gradient_of(nn.Linear(2, 1), torch.ones(3, 2), torch.ones(3, 1)), 1e-4)
    at_once = agreement.gradients_at_once

    def shifted(layer, gradient):
        return {name: rows.roll(1, 0) for name, rows in at_once(layer, gradient).items()}

    monkeypatch.setattr(agreement, "gradients_at_once", shifted)
    assert not ways_agree(gradient, 1e-4)

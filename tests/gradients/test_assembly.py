import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.assembly import Assembly, _is_worth_it
from avalanche_emgd.gradients.layer_gradient import LayerGradient
from avalanche_emgd.gradients.workspace import Workspace

SIZES = [12, 13]


def gradients(assembly, layer, x, back):
    found = [LayerGradient(layer, [(x, back, SIZES)], {}), None]
    return assembly.gradients(found, SIZES, list(layer.parameters()))


def expected(x, back):
    pairs = zip(x.split(SIZES), back.split(SIZES), strict=True)
    return torch.stack([torch.cat([(b.T @ a).flatten(), b.sum(0)]) for a, b in pairs])


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("width", [3, 700])
def test_rows_of_a_linear_layer(lean, width):
    layer = nn.Linear(width, 200).double()
    assembly = Assembly(Workspace(), lean=lean)
    for _ in range(2):  # the second time with the layout of the first
        x, back = torch.randn(25, width).double(), torch.randn(25, 200).double()
        found = gradients(assembly, layer, x, back)
        torch.testing.assert_close(found.rows, expected(x, back))
        assert bool(found.outer) is (lean or width == 700)


def test_lent_memory_may_be_overwritten():
    layer = nn.Linear(3, 2)
    assembly = Assembly(Workspace(), lean=False)
    x, back = torch.randn(25, 3), torch.randn(25, 2)
    before = gradients(assembly, layer, x, back).rows.clone()
    lent = assembly.lend().take(16, x)
    lent.fill_(7.0)
    found = gradients(assembly, layer, x, back)
    assert torch.equal(found.rows, before)
    torch.testing.assert_close(found.gramian(8).float(), before @ before.T)


def test_parameters_that_no_layer_uses_have_zeros_in_memory_that_was_used():
    layer, unused = nn.Linear(3, 2), nn.Parameter(torch.ones(5))
    workspace = Workspace()
    assembly = Assembly(workspace, lean=False)
    workspace.take(10_000, unused).fill_(7.0)
    x, back = torch.randn(25, 3, requires_grad=True), torch.randn(25, 2)
    for _ in range(2):
        found = assembly.gradients(
            [LayerGradient(layer, [(x, back, SIZES)], {})], SIZES, [unused, *layer.parameters()]
        )
        assert not found.rows[:, :5].any()
        assert list(found.used) == [False, True, True]
        assert not found.rows.requires_grad  # the gradients are constants, whatever the inputs are
        assembly.lend().take(20, unused).fill_(7.0)


def test_outer_products_are_kept_while_they_are_worth_it():
    """N² (in + out) ≤ 12 n · in · out."""
    layer = nn.Linear(100, 100)
    assert _is_worth_it(layer, 54, 5)
    assert not _is_worth_it(layer, 55, 5)

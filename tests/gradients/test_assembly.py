import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.assembly import Assembly
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

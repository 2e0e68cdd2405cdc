import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.layer_gradient import LayerGradient
from avalanche_emgd.gradients.rules import rule_of
from avalanche_emgd.gradients.writers import MANY, writer_for

LAYERS = [
    (lambda: nn.Linear(4, 3), (4,), (3,)),
    (lambda: nn.Linear(4, 3), (5, 4), (5, 3)),
    (lambda: nn.Conv2d(2, 3, 1), (2, 4, 4), (3, 4, 4)),
    (lambda: nn.Conv2d(2, 3, 3), (2, 4, 4), (3, 2, 2)),
    (lambda: nn.LayerNorm(4), (4,), (4,)),
]


@pytest.mark.parametrize("case", LAYERS)
@pytest.mark.parametrize("sizes", [[2, 2], [1, 3, 2], [2] * MANY])
@pytest.mark.parametrize("add", [False, True])
@pytest.mark.parametrize("names", [("weight", "bias"), ("bias",)])
def test_rows_are_those_of_the_rule(case, sizes, add, names):
    make, inside, outside = case
    layer = make().double()
    x = torch.randn(sum(sizes), *inside).double()
    back = torch.randn(sum(sizes), *outside).double()
    memory = {
        name: torch.randn(len(sizes), layer._parameters[name].numel()).double() for name in names
    }
    before = {name: rows.clone() for name, rows in memory.items()}
    writer_for(layer, memory, add)(LayerGradient(layer, [(x, back, sizes)], {}))
    for k, piece in enumerate(zip(x.split(sizes), back.split(sizes), strict=True)):
        for name in names:
            expected = rule_of(layer)(layer, *piece)[name].flatten()
            expected = expected + before[name][k] if add else expected
            torch.testing.assert_close(memory[name][k], expected)


def test_own_gradients_of_batch_norm():
    layer, rows = nn.BatchNorm1d(3), torch.randn(2, 3)
    memory = {"bias": torch.zeros(2, 3)}
    gradient = LayerGradient(layer, [], {"weight": torch.ones(2, 3), "bias": rows})
    writer_for(layer, memory, True)(gradient)
    writer_for(layer, memory, True)(gradient)
    assert torch.equal(memory["bias"], 2 * rows)

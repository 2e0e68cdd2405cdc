import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.rules import (
    gradient_rule,
    has_rule,
    is_known,
    rule_of,
    why_rule_fails,
)

LAYERS = {
    "linear": (lambda: nn.Linear(4, 3), (4,)),
    "linear of tokens": (lambda: nn.Linear(4, 3, bias=False), (5, 4)),
    "conv 1": (lambda: nn.Conv1d(4, 6, 3, groups=2, padding=1), (4, 7)),
    "conv 2": (lambda: nn.Conv2d(2, 3, 2, stride=2, padding="valid"), (2, 6, 6)),
    "conv circular": (lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), (2, 5, 5)),
    "conv 3": (lambda: nn.Conv3d(2, 3, 2), (2, 3, 3, 3)),
    "transposed 1": (lambda: nn.ConvTranspose1d(2, 3, 3, dilation=2), (2, 6)),
    "transposed 2": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2), (2, 4, 4)),
    "transposed 3": (lambda: nn.ConvTranspose3d(2, 4, 2, groups=2), (2, 3, 3, 3)),
    "layer norm": (lambda: nn.LayerNorm((3, 4)), (2, 3, 4)),
    "group norm": (lambda: nn.GroupNorm(2, 4), (4, 5)),
    "instance norm 1": (lambda: nn.InstanceNorm1d(4, affine=True), (4, 5)),
    "instance norm 2": (lambda: nn.InstanceNorm2d(4, affine=True), (4, 2, 3)),
    "instance norm 3": (lambda: nn.InstanceNorm3d(4, affine=True), (4, 2, 3, 2)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_rules_are_gradients(name):
    make, shape = LAYERS[name]
    layer, x = make().double(), torch.randn(3, *shape).double()
    output = layer(x)
    back = torch.randn_like(output)
    names, parameters = zip(*layer.named_parameters(), strict=True)
    expected = torch.autograd.grad(output, parameters, back)
    found = rule_of(layer)(layer, x, back)
    for each, gradient in zip(names, expected, strict=True):
        torch.testing.assert_close(found[each], gradient)


def test_tokens_that_pad_have_no_gradient():
    layer = nn.Embedding(6, 3, padding_idx=1).double()
    x = torch.tensor([[0, 1], [5, 5]])
    back = torch.randn(2, 2, 3).double()
    expected = torch.autograd.grad(layer(x), [layer.weight], back)[0]
    torch.testing.assert_close(rule_of(layer)(layer, x, back)["weight"], expected)


def test_layers_whose_rule_does_not_hold():
    layer = nn.Linear(2, 2)
    assert why_rule_fails(layer) is None
    layer.forward = lambda x: x
    assert "another `forward`" in why_rule_fails(layer)
    assert "max_norm" in why_rule_fails(nn.Embedding(3, 2, max_norm=1.0))
    assert "complex" in why_rule_fails(nn.Linear(2, 2, dtype=torch.complex64))
    assert "running" in why_rule_fails(nn.InstanceNorm1d(2, track_running_stats=True))


def test_only_exact_types_have_rules():
    class Own(nn.Linear):
        pass

    assert has_rule(nn.Linear(2, 2))
    assert not has_rule(Own(2, 2))
    assert not is_known(Own(2, 2))
    assert is_known(nn.BatchNorm1d(2))
    assert not has_rule(nn.BatchNorm1d(2))


def test_a_rule_of_ones_own():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3))

        def forward(self, x):
            return x * self.weight

    assert not has_rule(Scale())

    @gradient_rule(Scale)
    def scale(layer, inputs, gradients):
        return {"weight": (inputs * gradients).sum(0)}

    assert rule_of(Scale()) is scale

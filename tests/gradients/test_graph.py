import pytest
import torch
from torch import nn
from torch.nn import functional

from avalanche_emgd.gradients.graph import (
    GraphError,
    loss_is_separable,
    shape_of,
    uses_parameters,
)
from avalanche_emgd.gradients.recording import record


def recorded(model, x=None):
    layers = [each for each in model.modules() if isinstance(each, nn.Linear)]
    x = torch.randn(5, 3) if x is None else x
    recording = record(model, x, layers, [len(x)])
    return recording.output, recording.calls


class With(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.layer, self.scale = nn.Linear(3, 3), nn.Parameter(torch.ones(3))
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


def test_shapes_do_not_depend_on_numbers():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    first, second = shape_of(*recorded(model)), shape_of(*recorded(model, torch.randn(2, 3)))
    assert first == second
    assert first != shape_of(*recorded(model[:1]))
    assert first.count(nn.Linear) == 2


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        (lambda m, x: m.layer(x) * m.scale, "acts by other ways"),
        (lambda m, x: functional.linear(x, m.layer.weight), "acts by other ways"),
        (lambda m, x: m.scale, "is the output itself"),
    ],
)
def test_parameters_that_act_otherwise(forward, words):
    with pytest.raises(GraphError, match=words):
        shape_of(*recorded(With(forward)))


def test_losses_that_use_parameters():
    model = nn.Linear(3, 2)
    output, _ = recorded(model)
    parameters = list(model.parameters())
    loss = output.square().sum()
    assert not uses_parameters([loss], parameters, output)
    assert uses_parameters([loss + model.weight.sum()], parameters, output)


def test_losses_of_pieces_are_separable():
    output = recorded(nn.Linear(3, 2))[0]
    sizes = [2, 3]
    pieces = output.split(sizes)
    for k, piece in enumerate(pieces):
        assert loss_is_separable(piece.square().sum(), k, output, sizes)
        assert not loss_is_separable(piece.square().sum(), 1 - k, output, sizes)
    both = pieces[0].sum() + pieces[1].sum()
    assert not loss_is_separable(both, 0, output, sizes)
    assert not loss_is_separable(output.sum(), 0, output, sizes)
    masked = output.masked_fill(torch.zeros(2, dtype=torch.bool), 0.0).split(sizes)
    assert loss_is_separable(masked[1].sum(), 1, output, sizes)
    assert not loss_is_separable(output.flip(0).split(sizes)[1].sum(), 1, output, sizes)

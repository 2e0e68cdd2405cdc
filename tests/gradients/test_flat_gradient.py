import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.flat_gradient import flat_gradient, flat_pieces, flattened


def test_gradients_one_after_the_other():
    model, unused = nn.Linear(3, 2), nn.Parameter(torch.ones(2))
    x = torch.randn(4, 3)
    parameters = [model.bias, unused, model.weight]
    found = flat_gradient(model(x).sum(), parameters)
    expected = [torch.full((2,), 4.0), torch.zeros(2), x.sum(0).repeat(2)]
    torch.testing.assert_close(found, torch.cat(expected))


def test_sparse_gradients_are_laid_out():
    layer = nn.Embedding(5, 2, sparse=True)
    found = flat_gradient(layer(torch.tensor([1, 1, 3])).sum(), [layer.weight])
    assert found.tolist() == [0, 0, 2, 2, 0, 0, 1, 1, 0, 0]


def test_into_given_memory():
    parameters = [torch.zeros(2, 2), torch.zeros(3)]
    gradients = [torch.ones(2, 2), None]
    out = torch.full((7,), 9.0)
    assert flattened(gradients, parameters, out).data_ptr() == out.data_ptr()
    assert out.tolist() == [1, 1, 1, 1, 0, 0, 0]
    assert [each.shape for each in flat_pieces(gradients, parameters)] == [(4,), (3,)]


def test_the_graph_is_kept_on_request():
    x = torch.ones(2, requires_grad=True)
    loss = x.square().sum()
    first = flat_gradient(loss, [x], retain_graph=True)
    assert torch.equal(first, flat_gradient(loss, [x]))
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        flat_gradient(loss, [x])

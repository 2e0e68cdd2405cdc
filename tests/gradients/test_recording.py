import pytest
import torch
from torch import nn

from avalanche_emgd.gradients.recording import record


def recorded(model, x, sizes, kinds=(nn.Linear, nn.BatchNorm1d)):
    layers = [each for each in model.modules() if isinstance(each, kinds)]
    return record(model, x, layers, sizes)


def test_calls_are_those_of_the_pass_in_order():
    first, second = nn.Linear(3, 4), nn.Linear(4, 4)
    model = nn.Sequential(first, nn.Tanh(), second, second)
    x = torch.randn(5, 3)
    recording = recorded(model, x, [2, 3])
    assert [call.layer for call in recording.calls] == [first, second, second]
    assert recording.unlike(5) is None
    assert recording.unlike(4) == "Linear"
    back = torch.randn_like(recording.output)
    found = list(recording.backward([recording.output], [back], retain_graph=False))
    assert torch.equal(found[2][1], back)
    torch.testing.assert_close(found[1][1], back @ second.weight)
    assert torch.equal(found[0][0].inputs, x)


def test_layers_keep_no_hooks_even_after_an_error():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    with pytest.raises(RuntimeError):
        recorded(model, torch.randn(5, 7), [5])
    recorded(model, torch.randn(5, 3), [5])
    for each in model:
        assert not each._forward_hooks
        assert not each._forward_hooks_with_kwargs
        assert "forward" not in vars(each)


def test_batch_norm_normalises_by_objective():
    norm = nn.BatchNorm1d(3)
    x = torch.randn(7, 3)
    recording = recorded(norm, x, [3, 4])
    other = nn.BatchNorm1d(3)
    torch.testing.assert_close(recording.output, torch.cat([other(p) for p in x.split([3, 4])]))
    torch.testing.assert_close(norm.running_mean, other.running_mean)
    ((_, _, own),) = recording.backward([recording.output], [torch.ones(7, 3)], retain_graph=False)
    assert {name: rows.shape for name, rows in own.items()} == {"weight": (2, 3), "bias": (2, 3)}
    assert torch.equal(own["bias"], torch.tensor([[3.0] * 3, [4.0] * 3]))


def test_frozen_layers_are_no_calls():
    model = nn.Linear(3, 2).requires_grad_(False)
    assert recorded(model, torch.randn(4, 3), [4]).calls == []

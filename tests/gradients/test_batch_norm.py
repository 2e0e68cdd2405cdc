"""Batch norm of several objectives at once, against one call for each."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.gradients import batch_norm
from avalanche_emgd.gradients.batch_norm import normalised_by_objective, normalises_by_batch
from tests.tolerance import tolerance

KINDS = {
    nn.BatchNorm1d: [(), (5,)],
    nn.BatchNorm2d: [(3, 2)],
    nn.BatchNorm3d: [(2, 1, 3)],
}


def draw_layer(draw):
    kind = draw(st.sampled_from(list(KINDS)))
    layer = kind(
        3,
        affine=draw(st.booleans()),
        track_running_stats=draw(st.booleans()),
        momentum=draw(st.sampled_from([None, 0.0, 0.1, 1.0])),
        eps=draw(st.sampled_from([1e-5, 1e-2])),
    ).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    if layer.affine:
        layer.weight.requires_grad_(draw(st.booleans()))
    return layer.train(draw(st.booleans())), draw(st.sampled_from(KINDS[kind]))


def separate(layer, x, sizes, back):
    """Outputs, gradients by inputs and gradients of each objective by the parameters."""
    x = x.clone().requires_grad_()
    outputs = [layer(piece) for piece in x.split(sizes)]
    trained = {name: p for name, p in layer.named_parameters() if p.requires_grad}
    rows = {name: [] for name in trained}
    for output, output_gradient in zip(outputs, back.split(sizes), strict=True):
        grads = torch.autograd.grad(
            output, [*trained.values(), x], output_gradient, retain_graph=True
        )
        for name, grad in zip(trained, grads, strict=False):
            rows[name].append(grad)
    by_inputs = torch.autograd.grad(torch.cat(outputs), x, back)[0]
    return torch.cat(outputs), by_inputs, {name: torch.stack(r) for name, r in rows.items()}


def together(layer, x, sizes, back):
    x = x.clone().requires_grad_()
    output, edges = normalised_by_objective(layer, x, sizes)
    by_inputs, *rows = torch.autograd.grad(output, [x, *edges.values()], back)
    return output, by_inputs, dict(zip(edges, rows, strict=True))


def check(layer, x, sizes, back):
    twin = copy.deepcopy(layer)
    for _ in range(3):
        found, expected = together(layer, x, sizes, back), separate(twin, x, sizes, back)
        bound = tolerance(torch.float64, 100, scale=1e4)
        for ours, theirs in zip(found[:2], expected[:2], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=bound, atol=bound)
        assert found[2].keys() == expected[2].keys()
        for name, rows in expected[2].items():
            torch.testing.assert_close(found[2][name], rows, rtol=bound, atol=bound)
        for ours, theirs in zip(layer.buffers(), twin.buffers(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=bound, atol=bound)
        x = 0.5 * x + 1.0


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(st.integers(2, 5), min_size=1, max_size=5), st.integers(0, 10**6))
def test_objectives_of_any_sizes(data, sizes, seed):
    torch.manual_seed(seed)
    layer, rest = draw_layer(data.draw)
    x = torch.randn(sum(sizes), 3, *rest, dtype=torch.float64) + 2.0
    check(layer, x, sizes, torch.randn_like(x))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(2, 5), st.integers(2, 5), st.integers(0, 10**6))
def test_objectives_as_channels_of_one_call(data, n, size, seed):
    """The way of other devices, on this one."""
    torch.manual_seed(seed)
    layer, rest = draw_layer(data.draw)
    x = torch.randn(n * size, 3, *rest, dtype=torch.float64) + 2.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_norm, "_one_by_one", batch_norm._at_once)
        check(layer, x, [size] * n, torch.randn_like(x))


@pytest.mark.parametrize("way", ["_one_by_one", "_at_once"])
def test_channels_last(way, monkeypatch):
    monkeypatch.setattr(batch_norm, "_one_by_one", getattr(batch_norm, way))
    x = torch.randn(6, 3, 4, 4, dtype=torch.float64).to(memory_format=torch.channels_last)
    check(nn.BatchNorm2d(3).double(), x, [3, 3], torch.randn_like(x))


def test_running_statistics_are_those_of_separate_passes_bit_by_bit():
    layer = nn.BatchNorm2d(3)
    twin = copy.deepcopy(layer)
    for _ in range(3):
        x = torch.randn(9, 3, 4, 4)
        normalised_by_objective(layer, x, [4, 2, 3])
        for piece in x.split([4, 2, 3]):
            twin(piece)
    for ours, theirs in zip(layer.buffers(), twin.buffers(), strict=True):
        assert torch.equal(ours, theirs)  # on the CPU: the same calls in the same order


def test_a_lone_sample_is_an_error_as_in_a_pass_of_its_own():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        normalised_by_objective(nn.BatchNorm1d(3), torch.randn(4, 3), [3, 1])


def test_which_models_couple_samples():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    assert normalises_by_batch(model)
    assert not normalises_by_batch(model.eval())
    assert normalises_by_batch(nn.BatchNorm1d(3, track_running_stats=False).eval())
    assert not normalises_by_batch(nn.LayerNorm(3))

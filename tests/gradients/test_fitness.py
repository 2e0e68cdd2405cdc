"""Models and batches that are not fused."""

import pytest
import torch
from torch import nn

from avalanche_emgd.gradients import Batches, FusedEngine, PlainEngine
from avalanche_emgd.gradients.fitness import slower_fused
from tests.tolerance import assert_near

IMAGE, FEW = (2, 5, 5), 16


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 4)
    )


def images(*sizes):
    return [torch.randn(size, *IMAGE, generator=torch.manual_seed(size)) for size in sizes]


@pytest.mark.parametrize(
    ("sizes", "is_slower"),
    [((FEW, FEW), False), ((FEW, FEW + 1), True), ((1, 2 * FEW), True), ((1, FEW), False)],
)
def test_convolutions_of_many_samples_are_slower_fused(sizes, is_slower):
    layers = list(network())
    for batches in (images(*sizes), [(x, x) for x in images(*sizes)]):
        assert (slower_fused(layers, batches) is not None) is is_slower


@pytest.mark.parametrize(
    "batches",
    [
        [{"x": 1}, {"x": 2}],
        [(), ()],
        [torch.tensor(1.0), torch.tensor(2.0)],
        Batches(torch.zeros(60, *IMAGE), [30, 30], [2]),
        [x.to("meta") for x in images(40, 40)],
    ],
)
def test_the_rule_says_nothing_of_other_batches(batches):
    assert slower_fused(list(network()), batches) is None


def test_linear_layers_are_fused_at_any_size():
    assert slower_fused([nn.Linear(3, 2)], [torch.zeros(500, 3)] * 2) is None


def _gradients(engine, batches, model):
    made = engine.forward(model, batches)
    losses = [output.square().sum() for output in made.outputs]
    found = made.gradients(losses, list(model.parameters()))
    return found.gramian(sum(p.numel() for p in model.parameters())).float()


def test_the_engine_chooses_at_each_tick_and_says_why():
    fused, plain = network(), network()
    engine, reference = FusedEngine(fused), PlainEngine()
    for sizes in [(4, 4), (4, 4), (4, 4), (40, 40), (4, 4), (3, 50), (50,)]:
        batches = images(*sizes)
        ours, theirs = _gradients(engine, batches, fused), _gradients(reference, batches, plain)
        assert_near(ours, theirs, terms=1000)
        is_slower = len(sizes) > 1 and sum(sizes) > len(sizes) * FEW
        assert ("quicker in separate passes" in (engine.reason or "")) is is_slower
    for one, other in zip(fused.buffers(), plain.buffers(), strict=True):
        torch.testing.assert_close(one, other)
    lean = FusedEngine(network(), lean=True)
    lean.forward(network(), images(40, 40))
    assert "quicker" not in (lean.reason or "")

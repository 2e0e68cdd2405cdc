"""Faults that hostile models have shown."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from avalanche_emgd.gradients import FusedEngine, PlainEngine
from tests.gradients.soundness.test_never_wrong import close


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 5), nn.Linear(6, 5)

    def forward(self, x):
        return self.first(x) + self.second(x)


class WithTensors(Sum):
    def __init__(self):
        super().__init__()
        self.constants = (torch.ones(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64))
        self.register_buffer("sparse", torch.eye(3).to_sparse())

    def forward(self, x):
        self.constants = tuple(each.clone() for each in self.constants)
        return super().forward(x) * self.constants[0]


def scaled_by_a_buffer():
    norm = nn.BatchNorm1d(5)
    del norm._parameters["weight"]
    norm.register_buffer("weight", torch.full((5,), 3.0))
    return nn.Sequential(nn.Linear(6, 5), norm)


def ticks(make, number=7, parameters=None, change=lambda model, k: None):
    """Compare the engines tick by tick, with gradients divided by a number."""
    torch.manual_seed(0)
    model = make().double()
    twin = copy.deepcopy(model)
    fused, plain = FusedEngine(model), PlainEngine()
    for k in range(number):
        torch.manual_seed(k)
        batches = [torch.randn(4, 6, dtype=torch.float64) for _ in range(3)]
        found = []
        for engine, each in ((fused, model), (plain, twin)):
            change(each, k)
            made = engine.forward(each, batches)
            losses = [functional.cross_entropy(o, torch.arange(4)) for o in made.outputs]
            gradients = made.gradients(losses, list(each.parameters()))
            gradients.divide(4.0)
            found.append(gradients.rows.clone())
        assert close(*found, float(found[1].abs().max())), (k, fused.reason)
    return fused.reason


@pytest.mark.parametrize("make", [Sum, WithTensors, scaled_by_a_buffer])
def test_divided_gradients(make):
    ticks(make)


def test_a_batch_norm_whose_class_is_patched_in_mid_training(monkeypatch):
    original = nn.BatchNorm1d.forward

    def patched(model, k):
        if k == 4:
            monkeypatch.setattr(nn.BatchNorm1d, "forward", lambda s, x: 2.0 * original(s, x))

    for affine in (True, False):
        monkeypatch.setattr(nn.BatchNorm1d, "forward", original)
        ticks(
            lambda affine=affine: nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5, affine=affine)),
            change=patched,
        )


def test_gradients_by_a_tensor_that_is_no_parameter():
    scale = torch.ones(5, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    model = Sum().double()
    fused, plain = FusedEngine(model), PlainEngine()
    for k in range(7):
        batches = [torch.randn(4, 6, dtype=torch.float64) for _ in range(3)]
        weight = 0.0 if k < 3 else 1.0
        found = []
        for engine in (fused, plain):
            made = engine.forward(lambda x, w=weight: model(x) * (1.0 + w * (scale - 1.0)), batches)
            losses = [output.square().mean() for output in made.outputs]
            gradients = made.gradients(losses, [*model.parameters(), scale])
            found.append((gradients.rows.clone(), list(gradients.used)))
        assert close(found[0][0], found[1][0], float(found[1][0].abs().max()))
        assert found[0][1] == found[1][1]
    assert "no parameters" in fused.reason

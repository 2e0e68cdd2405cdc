"""Parameters that are frozen, unused or of some objectives only, and their optimizers."""

import pytest
import torch
from torch import nn

from avalanche_emgd import (
    EMGDStrategy,
)
from tests.toy import toy_benchmark
from tests.training.common import (
    quiet,
    toy_model,
    toy_strategy,
    weights_of,
)
from tests.training.recorder import Recorder


def test_frozen_parameters_stay():
    model = toy_model()
    model.backbone.requires_grad_(False)
    before = weights_of(model.backbone)
    toy_strategy(model=model, memory_size=6).train(toy_benchmark().train_stream)
    assert torch.equal(weights_of(model.backbone), before)


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "RMSprop", "Adagrad"])
def test_any_optimizer(optimizer):
    model = toy_model()
    before = weights_of(model)
    strategy = EMGDStrategy(
        model,
        optimizer=getattr(torch.optim, optimizer)(model.parameters()),
        memory_size=6,
        evaluator=quiet(),
    )
    strategy.train(toy_benchmark().train_stream)
    assert not torch.equal(weights_of(model), before)


def test_an_objective_of_frozen_parameters_alone_has_no_gradient():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(5, 6), nn.Linear(5, 6)

        def forward(self, x):
            late = x[0, -1] * 1e5 >= 1000  # of another task than the first
            return self.second(x) if late else self.first(x)

    model = Heads()
    model.first.requires_grad_(False)
    recorder = Recorder()
    toy_strategy(model=model, plugins=[recorder]).train(toy_benchmark().train_stream)
    assert float(recorder.ticks[0]["gramian"].abs().max()) == 0.0
    assert float(recorder.ticks[-1]["gramian"].abs().max()) > 0.0


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW"])
def test_parameters_that_no_objective_uses_do_not_change(optimizer):
    model = toy_model()
    model.add_module("unused", nn.Linear(3, 3))
    before = weights_of(model.unused)
    strategy = EMGDStrategy(
        model,
        optimizer=getattr(torch.optim, optimizer)(model.parameters(), lr=0.1),
        memory_size=6,
        evaluator=quiet(),
    )
    strategy.train(toy_benchmark().train_stream)
    assert torch.equal(weights_of(model.unused), before)

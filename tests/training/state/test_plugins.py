"""States of plugins, of Avalanche and of the user's."""

import pytest
import torch
from avalanche.training.plugins import EWCPlugin, LRSchedulerPlugin
from torch import nn

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.training.plugins import MultiGradientPlugin
from avalanche_emgd.training.state import StateError
from tests.training.common import toy_model, toy_strategy
from tests.training.state.interrupted import interrupted, train_stream
from tests.training.state.noisy import Noisy


def test_plugins_of_avalanche():
    def make(plugins):
        model = toy_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 2)
        return EMGDStrategy(
            model,
            optimizer=optimizer,
            memory_size=12,
            evaluator=None,
            train_epochs=2,
            plugins=[EWCPlugin(0.4), LRSchedulerPlugin(schedule), *plugins],
        )

    interrupted(make, train_stream)


def test_a_missing_plugin_is_named():
    strategy = toy_strategy(memory_size=12, plugins=[Noisy()])
    with pytest.raises(StateError, match="`plugins` lacks the Noisy"):
        toy_strategy(memory_size=12).load_state_dict(strategy.state_dict())


class Trains(MultiGradientPlugin):
    """Holds parameters of the model, and trains one of its own."""

    def __init__(self, model, optimizer):
        super().__init__()
        self.parameters = list(model.parameters())
        self.last = {"bias": self.parameters[-1], "calls": 0}
        self.own = nn.Parameter(torch.zeros(2))
        optimizer.add_param_group({"params": [self.own], "lr": 0.1})

    def before_update(self, strategy, *args, **kwargs):
        torch.nn.utils.clip_grad_norm_(self.parameters, 0.1)
        self.last["bias"].grad *= 0.5
        self.last["calls"] += 1
        self.own.grad = self.own.detach() - 1.0 + self.parameters[-1].detach().sum()


def test_plugins_that_hold_parameters():
    owners = []

    def make(plugins):
        model = toy_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        owners.append(Trains(model, optimizer))
        return EMGDStrategy(
            model,
            optimizer=optimizer,
            memory_size=12,
            evaluator=None,
            plugins=[owners[-1], *plugins],
        )

    interrupted(make, train_stream)
    first = owners[0]
    for other in owners[1:]:
        assert torch.equal(other.own, first.own)
        assert other.last["calls"] == first.last["calls"]

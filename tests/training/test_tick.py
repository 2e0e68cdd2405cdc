"""Outputs that subclasses and plugins change after the forward pass."""

import copy

import torch
from avalanche.core import SupervisedPlugin
from torch import nn

from avalanche_emgd import EMGDStrategy
from tests.toy import toy_benchmark
from tests.training.common import assert_same_weights, toy_strategy, weights_of


def noisy():
    return nn.Sequential(
        nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 6)
    )


class Doubled(EMGDStrategy):
    """Strategy that changes outputs after the forward pass."""

    def forward(self):
        return 2.0 * super().forward()


class Doubling(SupervisedPlugin):
    """Plugin that changes outputs in the same way."""

    def after_forward(self, strategy, **kwargs):
        strategy.mb_output = 2.0 * strategy.mb_output


class Twice(nn.Module):
    """Model that changes outputs in the same way."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return 2.0 * self.model(x)


def test_changed_outputs_count():
    benchmark, model, found = toy_benchmark((20, 14, 16)), noisy(), []
    for kind, wrap, plugins in (
        (EMGDStrategy, Twice, []),
        (Doubled, copy.copy, []),
        (EMGDStrategy, copy.copy, [Doubling()]),
    ):
        strategy = toy_strategy(kind, model=wrap(copy.deepcopy(model)), plugins=plugins)
        torch.manual_seed(1)
        strategy.train(benchmark.train_stream)
        found.append(weights_of(strategy.model))
    assert_same_weights(found[1], found[0])
    assert_same_weights(found[2], found[0])

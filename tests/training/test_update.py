"""Errors of wrong weights name the object that computed them."""

import pytest
import torch
from torch import nn

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model


class NotANumber(nn.Module):
    """A user-defined weighting that divides by zero."""

    def forward(self, gramian):
        return torch.full((len(gramian),), torch.nan, dtype=gramian.dtype)


def train(weighting, kind=MultiGradientTemplate, plugins=()):
    model = toy_model()
    strategy = kind(
        model=model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
        weighting=weighting,
        plugins=list(plugins),
        evaluator=quiet(),
    )
    strategy.train(toy_benchmark().train_stream)


@pytest.mark.parametrize(
    ("weighting", "message"),
    [
        (NotANumber(), "`weighting` NotANumber gives weights that are not finite.*task0.*nan"),
        (lambda gramian: gramian, r"lambda> must return a tensor of 2 weights.*found \(2, 2\)"),
        (lambda gramian: gramian.diagonal().tolist(), "lambda>.*found list"),
    ],
)
def test_weights_of_a_weighting(weighting, message):
    with pytest.raises(ValueError, match=message):
        train(weighting)


class Own(MultiGradientTemplate):
    """A strategy that computes its own weights."""

    def weigh(self):
        return torch.full((len(self.objectives),), torch.inf)


def test_weights_of_a_strategy():
    with pytest.raises(ValueError, match="`weighting` Own gives weights that are not finite"):
        train(NotANumber(), Own)


class Spoiler(MultiGradientPlugin):
    """A plugin that changes weights."""

    def after_weighting(self, strategy, **kwargs):
        strategy.weights = strategy.weights[:0]


def test_weights_of_a_plugin():
    with pytest.raises(ValueError, match=r"must return a tensor of 1 weights.*found \(0,\)"):
        train(lambda gramian: gramian.diagonal(), plugins=[Spoiler()])


def test_weights_with_a_graph_are_constants():
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    train(lambda gramian: scale * torch.full((len(gramian),), 1.0 / len(gramian)).double())
    assert scale.grad is None

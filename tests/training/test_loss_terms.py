"""Terms and factors that plugins add to the loss of a tick."""

import pytest
import torch
from avalanche.core import SupervisedPlugin

from avalanche_emgd import (
    Timeline,
)
from avalanche_emgd.models import is_masked
from tests.toy import toy_benchmark
from tests.training.common import (
    assert_same_weights,
    toy_strategy,
    weights_of,
)


class Penalty(SupervisedPlugin):
    """Plugin that adds a term to the loss, in one of several ways."""

    def __init__(self, how):
        super().__init__()
        self.how = how

    def before_backward(self, strategy, **kwargs):
        term = 0.1 * sum(p.square().sum() for p in strategy.model.parameters())
        if self.how == "in place":
            strategy.loss += term
        else:
            strategy.loss = strategy.loss + term


@pytest.mark.parametrize("how", ["in place", "anew"])
def test_loss_terms_of_plugins_count(how):
    benchmark, lr = toy_benchmark(), 0.05
    plain, penalised = toy_strategy(lr=lr), toy_strategy(lr=lr, plugins=[Penalty(how)])
    start = weights_of(plain.model)
    for strategy in (plain, penalised):
        strategy.train(toy_benchmark((4,), timeline=Timeline.serial([1])).train_stream)
    expected = weights_of(plain.model) - lr * 0.2 * start
    torch.testing.assert_close(weights_of(penalised.model), expected)
    penalised.train(benchmark.train_stream)  # several objectives, several ticks


class Scaled(SupervisedPlugin):
    def before_backward(self, strategy, **kwargs):
        strategy.loss *= 3.0


def test_a_factor_on_the_loss_scales_the_update():
    benchmark = toy_benchmark()
    scaled = toy_strategy(lr=0.01, plugins=[Scaled()])
    plain = toy_strategy(lr=0.03)
    for strategy in (scaled, plain):
        strategy.train(benchmark.train_stream)
    assert_same_weights(weights_of(scaled.model), weights_of(plain.model))


class OutputTerm(SupervisedPlugin):
    """Plugin that adds a term of the outputs, like distillation."""

    def before_backward(self, strategy, **kwargs):
        logits = strategy.mb_output
        strategy.loss += 0.01 * logits.masked_fill(is_masked(logits), 0.0).square().mean()


def test_terms_may_go_through_the_outputs():
    strategy = toy_strategy(plugins=[OutputTerm()])
    strategy.train(toy_benchmark().train_stream)
    assert bool(weights_of(strategy.model).isfinite().all())

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import nn

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.training.plugins import GradientAccumulationPlugin
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model, weights_of


class Watch(SupervisedPlugin):
    """Keeps weights and gradients at the end of each tick, without training."""

    def __init__(self):
        super().__init__()
        self.weights, self.gradients = [], []

    def after_update(self, strategy, **kwargs):
        self.weights.append(weights_of(strategy.model))
        found = [p.grad for p in strategy.model.parameters()]
        self.gradients.append(None if found[0] is None else torch.cat([g.flatten() for g in found]))


class Shrinking(SupervisedPlugin):
    """Adds a penalty to the loss."""

    def before_backward(self, strategy, **kwargs):
        strategy.loss += 0.1 * sum(p.square().sum() for p in strategy.model.parameters())


EXTENSIONS = pytest.mark.parametrize("plugins", [[], [Shrinking()]], ids=["plain", "extended"])


class Strategy:
    model = None


def trained(plugins=(), rate=0.0, kind=torch.optim.SGD):
    """Weights and gradients after each tick of a training."""
    watch, model = Watch(), toy_model()
    strategy = EMGDStrategy(
        model, optimizer=kind(model.parameters(), lr=rate), memory_size=6, evaluator=quiet(),
        plugins=[*plugins, watch],
    )  # fmt: skip
    strategy.train(toy_benchmark().train_stream, eval_streams=[])
    return watch


@EXTENSIONS
def test_the_update_is_the_mean_of_the_gradients_of_the_ticks(plugins):
    each = trained(plugins=plugins)
    found = trained(plugins=[*plugins, GradientAccumulationPlugin(3)])
    assert len(found.gradients) == len(each.gradients) >= 6
    for tick, gradient in enumerate(found.gradients, 1):
        if tick % 3:
            assert gradient is None
        else:
            mean = sum(each.gradients[tick - 3 : tick]) / 3
            torch.testing.assert_close(gradient, mean)


def test_weights_rest_between_updates():
    found = trained(plugins=[GradientAccumulationPlugin(2)], rate=0.1)
    for tick in range(1, len(found.weights)):
        assert torch.equal(found.weights[tick], found.weights[tick - 1]) == (tick % 2 == 0)


class Rare(torch.optim.SGD):
    """Steps at every third tick, and clears gradients afterwards only, as PyTorch's users do."""

    ticks = 0

    def step(self, closure=None):
        self.ticks += 1
        return super().step(closure) if self.ticks % 3 == 0 else None

    def zero_grad(self, set_to_none=True):
        if self.ticks % 3 == 0:
            super().zero_grad(set_to_none)


@EXTENSIONS
def test_gradients_that_are_not_cleared_add_up(plugins):
    each = trained(plugins=plugins)
    found = trained(plugins=plugins, kind=Rare)
    for tick, gradient in enumerate(found.gradients):
        expected = sum(each.gradients[tick - tick % 3 : tick + 1])
        torch.testing.assert_close(gradient, expected)


def test_a_state_has_what_is_not_applied_yet():
    plugin, other = GradientAccumulationPlugin(3), GradientAccumulationPlugin(3)
    Strategy.model = nn.Linear(2, 3, bias=False)
    Strategy.model.weight.grad = torch.ones(3, 2)
    plugin.before_update(Strategy)
    other.load_state_dict(plugin.state_dict())
    for each in (plugin, other):
        for _ in range(2):
            Strategy.model.weight.grad = torch.full((3, 2), 4.0)
            each.before_update(Strategy)
        assert torch.equal(Strategy.model.weight.grad, torch.full((3, 2), 3.0))


def test_a_head_may_grow_between_updates():
    Strategy.model = nn.Linear(2, 3)
    plugin = GradientAccumulationPlugin(2)
    Strategy.model.weight.grad = torch.ones(3, 2)
    plugin.before_update(Strategy)
    Strategy.model = nn.Linear(2, 4)
    Strategy.model.bias.grad = torch.ones(4)
    plugin.before_update(Strategy)
    expected = torch.tensor([0.5, 0.5, 0.5, 0.0])
    assert torch.equal(Strategy.model.weight.grad, expected[:, None].expand(4, 2))
    assert torch.equal(Strategy.model.bias.grad, torch.full((4,), 0.5))


@pytest.mark.parametrize("every", [0, -1, 1.5, True])
def test_every_must_be_a_whole_number(every):
    with pytest.raises(ValueError, match="`every` must be a whole number, at least 1"):
        GradientAccumulationPlugin(every)

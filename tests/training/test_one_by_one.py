"""One objective after the other: the same run, with one graph alive at a time."""

import copy
import weakref

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import nn

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.gradients import FusedEngine, GradientEngine, PlainEngine
from avalanche_emgd.models import ResNet18
from avalanche_emgd.training.peers import DERPPStrategy, LwFStrategy
from tests.toy import toy_benchmark
from tests.training.common import assert_same_weights, toy_strategy, weights_of
from tests.training.test_engines import images


class Listener(SupervisedPlugin):
    """Might go backward through the outputs: nobody knows."""

    def before_backward(self, strategy, **kwargs):
        assert strategy.mb_output.requires_grad


class Watch(SupervisedPlugin):
    """Notes what is seen of a tick."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def after_training_iteration(self, strategy, **kwargs):
        assert not strategy.mb_output.requires_grad or Listener in map(type, strategy.plugins)
        for found in (strategy.mb_output, strategy.objective_losses, strategy.gramian):
            self.seen.append(found.detach().flatten().double().clone())
        self.seen.append(torch.tensor([strategy.loss.item()], dtype=torch.float64))


def noisy():
    return nn.Sequential(
        nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 6)
    )


@pytest.mark.parametrize("kind", [EMGDStrategy, DERPPStrategy, LwFStrategy])
@pytest.mark.parametrize("scenario", ["class", "task"])
def test_it_is_the_same_run_bit_by_bit(kind, scenario):
    benchmark, model, found = toy_benchmark((20, 14, 16), scenario=scenario), noisy(), []
    for plugins in ([], [Listener()]):
        watch = Watch()
        strategy = toy_strategy(
            kind, model=copy.deepcopy(model), memory_size=6, plugins=[watch, *plugins]
        )
        torch.manual_seed(1)
        strategy.train(benchmark.train_stream)
        found.append(torch.cat([weights_of(strategy.model).double(), *watch.seen]))
    assert torch.equal(*found)


class Saved:
    """A tensor that a graph keeps for its backward pass."""

    def __init__(self, tensor):
        self.tensor = tensor


def most_saved(strategy, stream):
    """Most bytes that graphs have kept at one time."""
    alive, most = weakref.WeakSet(), 0

    def pack(tensor):
        nonlocal most
        saved = Saved(tensor)
        alive.add(saved)
        most = max(most, sum(each.tensor.nbytes for each in alive))
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved.tensor):
        strategy.train(stream)
    return most


def test_one_graph_is_alive_at_a_time():
    stream = images().train_stream[1]
    model, found = ResNet18(4, width=2), []
    for plugins in ([], [Listener()]):
        strategy = toy_strategy(model=copy.deepcopy(model), plugins=plugins)
        found.append(most_saved(strategy, stream))
    assert strategy.objectives == ["task0", "task1"]
    assert found[0] < 0.6 * found[1]


class Doubled(EMGDStrategy):
    """Changes outputs after the fact."""

    def forward(self):
        return 2.0 * super().forward()


class Doubling(SupervisedPlugin):
    """The same as a plugin."""

    def after_forward(self, strategy, **kwargs):
        strategy.mb_output = 2.0 * strategy.mb_output


class Twice(nn.Module):
    """The same in the model."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return 2.0 * self.model(x)


def test_whoever_changes_outputs_gets_graphs():
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


def test_engines_say_whether_they_make_separate_passes():
    class Fused(GradientEngine):
        def forward(self, model, batches):
            return []

        def gradients(self, losses, parameters, retain_graph=False):
            return None

    assert PlainEngine().is_separate()
    assert not Fused().is_separate()


def test_losses_are_asked_for_once_each_when_the_one_before_is_done():
    layer, asked = nn.Linear(3, 2), []
    batches = [torch.randn(2, 3), torch.randn(4, 3)]

    class Lazy(list):
        def __iter__(self):
            for k, batch in enumerate(batches):
                asked.append(k)
                yield layer(batch).square().sum()

    found = PlainEngine().gradients(Lazy(batches), list(layer.parameters())).rows.clone()
    assert asked == [0, 1]
    losses = [layer(batch).square().sum() for batch in batches]
    assert torch.equal(found, PlainEngine().gradients(losses, list(layer.parameters())).rows)


def test_a_fused_engine_notices_that_layers_have_changed():
    engine = FusedEngine(nn.Linear(5, 6))
    assert not engine.is_separate()
    model = nn.Sequential(nn.Linear(5, 6), nn.Dropout())
    engine.attach(model)
    batches = [torch.randn(3, 5), torch.randn(2, 5)]
    parameters = list(model.parameters())
    for mode, before, after in (
        ("train", True, True),
        ("eval", True, False),
        ("train", False, True),
    ):
        assert engine.is_separate() is before
        getattr(model, mode)()
        if engine.is_separate():
            engine.gradients([model(batch).sum() for batch in batches], parameters)
        else:
            engine.forward(model, batches)
            assert engine.joined is None
        assert engine.is_separate() is after

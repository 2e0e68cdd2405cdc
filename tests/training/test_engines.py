"""The engine of a strategy, and the equality of results with every engine."""

import copy

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import EMGDStrategy, Timeline, parallel_benchmark
from avalanche_emgd.gradients import FusedEngine, PlainEngine
from avalanche_emgd.models import ResNet18
from avalanche_emgd.training.ingredients import Asymmetric
from avalanche_emgd.training.peers import ERLASStrategy, LwFStrategy
from tests.gradients.layers import Unknown
from tests.toy import toy_benchmark
from tests.training.common import assert_same_weights, toy_model, toy_strategy, weights_of


def images(ticks=3, dtype=torch.float32):
    sets = []
    for task in range(2):
        y = 2 * task + torch.arange(4 * ticks) % 2
        sets.append(TensorDataset(torch.randn(4 * ticks, 3, 8, 8, dtype=dtype), y))
    return parallel_benchmark(
        sets, sets, Timeline(((0, ticks - 1), (1, ticks))), batch_size=4, scenario="class"
    )


def plain_loss(strategy, output, part):
    """A user's loss of outputs."""
    return 0.5 * strategy.label_loss(2.0 * output, part)


INGREDIENTS = (
    {"memory_loss": "stored-logits"},
    {"memory_loss": plain_loss, "competition": plain_loss},
    {"competition": 0.5},
    {"competition": Asymmetric(1.0, "incoming")},
    {"memory_retrieval": "mir"},
    {"memory_selection": "gss"},
    {"memory_augmentation": torch.square},
    {"tested_weights": "average"},
)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (ERLASStrategy, {}),
        (LwFStrategy, {}),
        (EMGDStrategy.recommended, {}),
        *((EMGDStrategy, options) for options in INGREDIENTS),
    ],
)
def test_losses_that_are_functions_of_outputs_are_fused(kind, options):
    benchmark, found = toy_benchmark((20, 20, 20), timeline=Timeline(((0, 4), (2, 6), (7, 11)))), []
    torch.manual_seed(0)
    model = toy_model()
    for engine in (None, PlainEngine()):
        strategy = toy_strategy(kind, copy.deepcopy(model), memory_size=6, engine=engine, **options)
        strategy.train(benchmark.train_stream)
        found.append(weights_of(strategy.model))
        if engine is None:
            assert strategy.engine.reason is None
    assert_same_weights(*found)


@pytest.mark.parametrize("objectives", ["one", "per-task"])
def test_a_network_with_batch_norm_is_trained_in_one_pass(objectives):
    benchmark, model = images(12, torch.float64), ResNet18(4, width=2).double()
    found = []
    for engine in (None, PlainEngine()):
        strategy = toy_strategy(
            model=copy.deepcopy(model),
            memory_size=8,
            engine=engine,
            memory_objectives=objectives,
            lr=1e-6,  # batch norm of four samples makes rounding grow by the step
        )
        for _ in range(2):  # in the second pass two finished tasks share the memory's batch
            strategy.train(benchmark.train_stream)
        found.append(strategy.model)
        if engine is None:
            assert strategy.engine.reason is None
            assert strategy.now.gradients.used
    assert_same_weights(*map(weights_of, found))
    for ours, theirs in zip(*(model.buffers() for model in found), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("scenario", ["class", "task"])
@pytest.mark.parametrize("objectives", ["one", "per-task"])
def test_a_run_is_the_same_with_every_engine(scenario, objectives, lean):
    benchmark, found = toy_benchmark(scenario=scenario), []
    for engine in (PlainEngine(), FusedEngine(lean=lean)):
        strategy = toy_strategy(memory_size=12, engine=engine, memory_objectives=objectives)
        strategy.train(benchmark.train_stream)
        found.append(weights_of(strategy.model))
    assert engine.reason is None
    assert_same_weights(*found)


class Penalised(EMGDStrategy):
    """Strategy whose losses depend on parameters not only through outputs."""

    def objective_loss(self, output, part):
        penalty = sum(p.square().sum() for p in self.model.parameters())
        return super().objective_loss(output, part) + 0.1 * penalty


def penalised(strategy, output, part):
    """A user's loss that depends on parameters by another way than by outputs."""
    penalty = sum(p.square().sum() for p in strategy.model.parameters())
    return strategy.label_loss(output, part) + 0.1 * penalty


def test_a_competition_that_depends_on_more_than_outputs_is_detected():
    benchmark, found = toy_benchmark(timeline=Timeline(((0, 4), (0, 3), (0, 3)))), []
    for options in ({"engine": PlainEngine()}, {}):
        strategy = toy_strategy(competition=penalised, **options)
        strategy.train(benchmark.train_stream[0])
        found.append(weights_of(strategy.model))
    assert "gradients differ" in strategy.engine.reason
    assert_same_weights(*found)


def test_losses_that_depend_on_more_than_outputs_are_detected():
    benchmark, found = toy_benchmark(timeline=Timeline(((0, 4), (0, 3), (0, 3)))), []
    for engine in (None, FusedEngine()):
        strategy = toy_strategy(Penalised, engine=engine)
        strategy.train(benchmark.train_stream[0])
        found.append(weights_of(strategy.model))
    assert "gradients differ" in strategy.engine.reason
    assert_same_weights(*found)


def test_an_engine_checks_again_when_layers_change():
    model = nn.Sequential(nn.Linear(6, 5))
    engine = FusedEngine(model)
    batches = [torch.randn(3, 6), torch.randn(2, 6)]
    for is_fused in (False, False, True):  # the first two are compared
        made = engine.forward(model, batches)
        assert (made.joined is not None) is is_fused
        made.gradients([output.sum() for output in made.outputs], list(model.parameters()))
    model.append(Unknown())
    assert engine.forward(model, batches).joined is None
    assert "Unknown" in engine.reason


class Heads(nn.Module):
    """Model that passes only a part of the samples to each layer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(5, 6), nn.Linear(5, 6)

    def forward(self, x):
        late = x[:, 0] > 0.0
        out = x.new_zeros(len(x), 6)
        out[late], out[~late] = self.second(x[late]), self.first(x[~late])
        return out


def test_layers_with_a_part_of_the_samples_use_separate_passes():
    strategy = toy_strategy(model=Heads())
    strategy.train(toy_benchmark().train_stream)
    assert strategy.engine.reason == "Linear does not see all samples, one by one"


class Penalty(SupervisedPlugin):
    """Plugin that adds a penalty on the parameters to the loss."""

    def before_backward(self, strategy, **kwargs):
        strategy.loss += 0.1 * sum(p.square().sum() for p in strategy.model.parameters())


def test_penalties_of_plugins_are_the_same_with_every_engine():
    found = []
    for engine in (PlainEngine(), FusedEngine()):
        strategy = toy_strategy(plugins=[Penalty()], engine=engine)
        strategy.train(toy_benchmark().train_stream)
        found.append(weights_of(strategy.model))
    assert engine.reason is None
    assert_same_weights(*found)

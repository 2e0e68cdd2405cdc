"""All ingredients together, in every combination."""

import copy
import itertools
import pickle
from functools import cache

import pytest
import torch

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.training.ingredients import (
    GSS,
    MIR,
    Asymmetric,
    AveragedWeightsPlugin,
    GSSMemory,
    MIRReplayPlugin,
    StoredLogits,
)
from avalanche_emgd.training.peers import ERLASStrategy, LwFStrategy
from tests.toy import toy_benchmark
from tests.training.common import (
    assert_same_weights,
    quiet,
    replay_strategy,
    toy_model,
    toy_strategy,
    weights_of,
)


def moved(inputs):
    return 0.9 * inputs + 0.1


CHOICES = {
    "memory_loss": ("labels", "stored-logits"),
    "competition": (0.0, 0.5, Asymmetric(1.0, "incoming")),
    "memory_selection": ("random", GSS(3)),
    "memory_retrieval": ("random", MIR(10)),
    "memory_objectives": ("one", "per-task"),
    "memory_editing": (None, "gmed"),
    "memory_augmentation": ("none", moved),
    "tested_weights": ("last", "average"),
}
EVERYTHING = {name: values[-1] for name, values in CHOICES.items()}
SIZES = (20, 13, 16)


def combinations():
    """Every pair of values of two options, and all values at once."""
    defaults = {name: values[0] for name, values in CHOICES.items()}
    for one, other in itertools.combinations(CHOICES, 2):
        for pair in itertools.product(CHOICES[one][1:], CHOICES[other][1:]):
            yield {**defaults, one: pair[0], other: pair[1]}
    yield EVERYTHING


@cache
def benchmark_of(scenario):
    return toy_benchmark(SIZES, scenario=scenario)


def trained(options, scenario, **more):
    benchmark = benchmark_of(scenario)
    metrics = PCLMetrics(benchmark)
    strategy = toy_strategy(memory_size=8, evaluator=quiet(metrics), **{**options, **more})
    strategy.train(benchmark.train_stream)
    strategy.eval(benchmark.test_stream)
    return strategy, metrics.result()


@pytest.mark.parametrize("scenario", ["class", "task"])
def test_any_two_go_together(scenario):
    for options in combinations():
        strategy, result = trained(options, scenario)
        assert strategy.engine.reason is None, options
        assert weights_of(strategy.model).isfinite().all(), options
        assert 0.0 <= result.A_ebar <= 1.0, options
        assert len(strategy.memory) == 8
        assert isinstance(strategy.memory, GSSMemory) == isinstance(
            options["memory_selection"], GSS
        )
        assert isinstance(strategy.replay, MIRReplayPlugin) == isinstance(
            options["memory_retrieval"], MIR
        )
        has_logits = "logits" in strategy.memory._annotations
        assert has_logits == (options["memory_loss"] == "stored-logits")


@pytest.mark.parametrize("scenario", ["class", "task"])
def test_everything_repeats_itself_and_is_the_same_with_every_engine(scenario):
    runs = [
        trained(EVERYTHING, scenario, engine=engine)[0]
        for engine in (PlainEngine(), PlainEngine(), None)
    ]
    for tested in (False, True):
        weights = [weights_of(s.tested_model if tested else s.model) for s in runs]
        assert torch.equal(weights[0], weights[1])
        assert_same_weights(weights[2], weights[0])


@pytest.mark.parametrize("way", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_have_everything(way):
    stream = toy_benchmark(SIZES).train_stream
    strategy = toy_strategy(memory_size=8, engine=PlainEngine(), **EVERYTHING)
    strategy.train(stream[:3])
    other = way(strategy)
    for each in (strategy, other):
        each.train(stream[3:])
    assert torch.equal(weights_of(other.model), weights_of(strategy.model))
    assert torch.equal(weights_of(other.tested_model), weights_of(strategy.tested_model))
    assert torch.equal(other.memory.annotation("logits"), strategy.memory.annotation("logits"))


@pytest.mark.parametrize("kind", [ERLASStrategy, LwFStrategy, EMGDStrategy.recommended])
def test_strategies_with_losses_of_their_own_take_them(kind):
    options = {**EVERYTHING, "memory_editing": None}  # which needs a memory
    strategy = toy_strategy(kind, memory_size=8, **options)
    strategy.train(toy_benchmark(SIZES).train_stream)
    assert weights_of(strategy.model).isfinite().all()
    assert isinstance(strategy.averaged_weights, AveragedWeightsPlugin)


class Mine(EMGDStrategy):
    """A subclass whose loss says nothing of ingredients."""

    def objective_loss(self, output, part):
        return self.label_loss(output, part)


def test_a_loss_of_a_subclass_wins():
    found = []
    for kind, options in (
        (Mine, {"competition": 1.0, "memory_loss": StoredLogits(5.0)}),
        (Mine, {}),
    ):
        strategy = toy_strategy(kind, memory_size=8, engine=PlainEngine(), **options)
        strategy.train(toy_benchmark(SIZES).train_stream)
        found.append(weights_of(strategy.model))
    assert torch.equal(*found)


def test_the_order_of_options_does_not_matter():
    names = list(EVERYTHING)
    found = []
    for order in (names, names[::-1]):
        options = {name: EVERYTHING[name] for name in order}
        strategy = replay_strategy(toy_model(), memory_size=8, engine=PlainEngine(), **options)
        strategy.train(toy_benchmark(SIZES).train_stream)
        found.append(weights_of(strategy.model))
    assert torch.equal(*found)

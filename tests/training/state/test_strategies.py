"""States of strategies on all kinds of streams, with models, plugins and metrics of others."""

import random

import numpy as np
import pytest
import torch
from avalanche.evaluation.metrics import accuracy_metrics, loss_metrics
from avalanche.models import IncrementalClassifier, MTSimpleMLP
from avalanche.training.plugins import EvaluationPlugin, EWCPlugin, LRSchedulerPlugin, ReplayPlugin
from torch import nn
from torchjd.aggregation import GradVacWeighting

from avalanche_emgd import EMGDStrategy, MultiGradientTemplate
from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.plugins import MultiGradientPlugin
from avalanche_emgd.training.state import StateError
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model, toy_strategy, weights_of
from tests.training.state.common import Saved, as_file, from_file, of_method
from tests.training.test_tick_template import serial_benchmark


def interrupted(make, stream, ticks=(0, 4, -1), **kwargs):
    """Check that runs resumed after some ticks equal the uninterrupted one."""
    saved = Saved()
    torch.manual_seed(0)
    whole = make([saved])
    results = whole.train(stream(), **kwargs)
    assert saved.files
    for content in [saved.files[tick] for tick in ticks]:
        torch.manual_seed(5)
        rest = make([Saved()])
        rest.load_state_dict(from_file(content))
        torch.manual_seed(6)
        found = rest.train(stream(), **kwargs)
        assert torch.equal(weights_of(rest.model), weights_of(whole.model))
        numbers = {n: v for n, v in results.items() if isinstance(v, int | float)}
        assert {n: v for n, v in found.items() if n in numbers} == numbers
        assert rest.clock.train_iterations == whole.clock.train_iterations
    return whole


def train_stream(**options):
    return toy_benchmark(**options).train_stream


def serial_stream():
    return serial_benchmark().train_stream


@pytest.mark.parametrize("epochs", [1, 3])
@pytest.mark.parametrize("stream", [train_stream, serial_stream])
def test_several_epochs_of_both_kinds_of_streams(epochs, stream):
    def make(plugins):
        return toy_strategy(
            memory_size=12, train_epochs=epochs, plugins=plugins, train_mb_size=4, lr=0.01
        )

    interrupted(make, stream, ticks=[0, 1, 5, 7, -2, -1])


def test_one_experience_at_a_time():
    saved = Saved()
    whole = toy_strategy(memory_size=12, plugins=[saved])
    for experience in train_stream():
        whole.train(experience)
    for content in saved.files[::3]:
        rest = toy_strategy(memory_size=12, plugins=[Saved()], model=toy_model(seed=3))
        rest.load_state_dict(from_file(content))
        for experience in train_stream():
            rest.train(experience)
        assert torch.equal(weights_of(rest.model), weights_of(whole.model))


def test_two_passes_over_a_stream():
    saved = Saved()
    whole = toy_strategy(memory_size=12, plugins=[saved])
    whole.train(train_stream())
    whole.train(train_stream())
    rest = toy_strategy(memory_size=12, plugins=[Saved()])
    rest.load_state_dict(from_file(saved.files[len(saved.files) // 2 + 3]))
    rest.train(train_stream())
    assert torch.equal(weights_of(rest.model), weights_of(whole.model))


@pytest.mark.parametrize("rest_only", [False, True])
def test_between_two_experiences(rest_only):
    whole, half = (toy_strategy(memory_size=12) for _ in range(2))
    whole.train(train_stream())
    half.train(train_stream()[:3])
    state = from_file(as_file(half.state_dict()))
    rest = toy_strategy(memory_size=12, model=toy_model(seed=3))
    rest.load_state_dict(state)
    rest.train(train_stream()[3:] if rest_only else train_stream())
    assert torch.equal(weights_of(rest.model), weights_of(whole.model))


def test_a_finished_run_is_not_trained_again():
    strategy = toy_strategy(memory_size=12)
    strategy.train(train_stream())
    rest = toy_strategy(memory_size=12, model=toy_model(seed=3))
    rest.load_state_dict(strategy.state_dict())
    rest.train(train_stream())
    assert torch.equal(weights_of(rest.model), weights_of(strategy.model))


class Growing(nn.Module):
    """A network with one of Avalanche's heads, which grow."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(5, 8)
        self.head = IncrementalClassifier(8, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)))


@pytest.mark.parametrize("stream", [train_stream, serial_stream])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD])
def test_heads_that_grow(stream, kind):
    def make(plugins):
        model = Growing()
        optimizer = kind(model.parameters(), lr=0.01)
        return EMGDStrategy(
            model,
            optimizer=optimizer,
            memory_size=12,
            plugins=plugins,
            evaluator=None,
            train_mb_size=4,
        )

    interrupted(make, stream, ticks=[0, 4, 6, -1])


def test_one_head_for_each_task():
    def make(plugins):
        model = MTSimpleMLP(input_size=5, hidden_size=8)
        return toy_strategy(model=model, memory_size=12, plugins=plugins)

    interrupted(make, lambda: train_stream(scenario="task"), ticks=[0, 3, 6, -1])


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


def test_metrics_of_avalanche():
    def make(plugins):
        metrics = [
            accuracy_metrics(minibatch=True, epoch=True, experience=True, stream=True),
            loss_metrics(minibatch=True, epoch=True, experience=True, stream=True),
        ]
        evaluator = EvaluationPlugin(*metrics, loggers=quiet().loggers or [_Silent()])
        return toy_strategy(memory_size=12, plugins=plugins, evaluator=evaluator)

    whole = interrupted(make, train_stream, ticks=[0, 2, 6, 9])
    saved = Saved()
    torch.manual_seed(0)
    first = make([saved])
    first.train(train_stream())
    rest = make([Saved()])
    rest.load_state_dict(from_file(saved.files[5]))
    rest.train(train_stream())
    assert rest.evaluator.get_all_metrics() == whole.evaluator.get_all_metrics()


class _Silent:
    def log_metrics(self, values):
        pass


def test_a_weighting_of_torchjd_with_a_state():
    def make(plugins):
        return toy_strategy(
            MultiGradientTemplate, memory_size=12, plugins=plugins, weighting=GradVacWeighting()
        )

    interrupted(make, train_stream)


class Counting:
    """A weighting of a user's, with a state of its own."""

    def __init__(self):
        self.calls = {"so far": 0}

    def __call__(self, gramian):
        self.calls["so far"] += 1
        return torch.full((len(gramian),), 1.0 / self.calls["so far"], dtype=torch.float64)


def test_a_weighting_of_a_user():
    def make(plugins):
        return toy_strategy(
            MultiGradientTemplate, memory_size=12, plugins=plugins, weighting=Counting()
        )

    interrupted(make, train_stream, ticks=[2, 6])


class Noisy(MultiGradientPlugin):
    """A plugin of a user's, which draws from generators of all kinds."""

    def __init__(self):
        super().__init__()
        self.own = random.Random(1)
        self.numpy = np.random.default_rng(1)
        self.torch = torch.Generator().manual_seed(1)
        self.seen = set()
        self.last = np.zeros(2, dtype=np.float32)

    def before_forward(self, strategy, *args, **kwargs):
        noise = self.own.random() + self.numpy.random() + random.random() + np.random.random()  # noqa: NPY002
        noise += float(torch.rand((), generator=self.torch)) + float(torch.rand(()))
        self.last += np.float32(noise)
        self.seen.add(strategy.tick)
        strategy.mbatch[0] = strategy.mbatch[0] + float(self.last.sum()) / 100 * len(self.seen)


def test_generators_of_all_kinds():
    interrupted(
        lambda plugins: toy_strategy(memory_size=12, plugins=[Noisy(), *plugins]), train_stream
    )


def test_a_loader_of_a_plugin():
    class Loader(MultiGradientPlugin):
        def before_training_exp(self, strategy, *args, **kwargs):
            strategy.dataloader = torch.utils.data.DataLoader(
                strategy.adapted_dataset, batch_size=4, shuffle=True
            )

    def make(plugins):
        return toy_strategy(memory_size=12, plugins=[Loader(), *plugins], train_epochs=2)

    interrupted(make, serial_stream, ticks=[0, 2, 5, -1])


def test_generated_streams():
    def stream():
        return (each for each in toy_benchmark().train_stream)

    def make(plugins):
        return toy_strategy(memory_size=12, plugins=plugins)

    interrupted(make, stream, ticks=[1, 5, -1], eval_streams=[])


def assert_alike(one, other):
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        one, other = list(one.values()), list(other.values())
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        for each, its in zip(one, other, strict=True):
            assert_alike(each, its)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other


def test_a_copy_has_the_state_of_its_original():
    strategy, metrics = of_method("emgd++")
    strategy.train(metrics.benchmark.train_stream[:3])
    rest, _ = of_method("emgd++", seed=3)
    rest.load_state_dict(strategy.state_dict())
    first, second = strategy.state_dict(), rest.state_dict()
    assert_alike(first, second)
    # Neither shares tensors with the other.
    strategy.train(metrics.benchmark.train_stream[3:])
    third = rest.state_dict()
    for name in ("model", "optimizer", "memory", "plugins", "averaged_weights", "attributes"):
        assert_alike(third[name], second[name])


def test_the_data_are_not_in_the_state():
    benchmark = toy_benchmark(sizes=(2000, 1300, 1600))
    strategy = toy_strategy(memory_size=12, evaluator=quiet(PCLMetrics(benchmark)))
    saved = Saved()
    strategy.plugins.insert(0, saved)
    strategy.train(benchmark.train_stream[:1])
    assert len(saved.files[-1]) < 150_000


class Asking(MultiGradientPlugin):
    def after_training_iteration(self, strategy, *args, **kwargs):
        strategy.state_dict()


def test_the_middle_of_a_tick_is_refused():
    strategy = toy_strategy(memory_size=12, plugins=[Asking()])
    with pytest.raises(RuntimeError, match="`state_dict\\(\\)` is for the time between two ticks"):
        strategy.train(train_stream())


def test_other_streams_are_refused():
    saved = Saved()
    toy_strategy(memory_size=12, plugins=[saved]).train(train_stream())
    for stream in (train_stream(batch_size=5), train_stream()[4:], serial_stream()):
        rest = toy_strategy(memory_size=12, plugins=[Saved()])
        rest.load_state_dict(from_file(saved.files[3]))
        with pytest.raises(ValueError, match="`experiences` must contain the experience"):
            rest.train(stream)


def test_other_strategies_are_refused():
    state = toy_strategy(memory_size=12).state_dict()
    for other, words in (
        (toy_strategy(MultiGradientTemplate, weighting=ERWeighting()), "EMGDStrategy"),
        (toy_strategy(memory_size=0), "`memory`"),
        (toy_strategy(memory_size=12, model=toy_model(num_classes=8)), "has .classifier"),
        (toy_strategy(memory_size=12, tested_weights="average"), "`averaged_weights`"),
        (toy_strategy(memory_size=12, model=nn.Linear(5, 6)), "`model` lacks"),
    ):
        with pytest.raises(StateError, match=words):
            other.load_state_dict(state)
    for wrong in ({}, {"model": 1}, [1], {**state, "format": 99}):
        with pytest.raises(StateError, match="`state`"):
            toy_strategy(memory_size=12).load_state_dict(wrong)


def test_a_missing_plugin_is_named():
    strategy = toy_strategy(memory_size=12, plugins=[Noisy()])
    with pytest.raises(StateError, match="`plugins` lacks the Noisy"):
        toy_strategy(memory_size=12).load_state_dict(strategy.state_dict())


def test_a_plugin_that_holds_a_data_set_is_named():
    strategy = toy_strategy(memory_size=0, plugins=[ReplayPlugin(10)])
    strategy.train(serial_stream()[:1])
    with pytest.raises(StateError, match=r"ReplayPlugin.*`memory_size`"):
        strategy.state_dict()

"""Arguments of wrong types are refused by name before training; representations of objects."""

import warnings

import pytest
import torch
from avalanche.training.plugins import EWCPlugin
from torch import nn
from torchjd.aggregation import MGDAWeighting

from avalanche_emgd import GMC, AvgGradStrategy, EMGDStrategy, MultiGradientTemplate, ReplayMemory
from avalanche_emgd.benchmarks import ps_digits
from avalanche_emgd.evaluation import quiet_evaluator
from avalanche_emgd.gradients import FusedEngine
from avalanche_emgd.models import MLP
from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.training.peers import NaiveStrategy, SIStrategy

BENCHMARK = ps_digits(num_tasks=2, batch_size=32)


def make(kind=EMGDStrategy, **changes):
    model = MLP(10, in_features=64)
    arguments = {"optimizer": torch.optim.SGD(model.parameters(), lr=0.1), "evaluator": None}
    if kind is MultiGradientTemplate:
        arguments["weighting"] = MGDAWeighting()
    return kind(changes.pop("model", model), **{**arguments, "memory_size": 10, **changes})


@pytest.mark.parametrize("kind", [EMGDStrategy, AvgGradStrategy, MultiGradientTemplate])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": MLP}, "`model` must be an object, found the class MLP: call it"),
        ({"model": "mlp"}, "`model` must be a torch.nn.Module, found 'mlp'"),
        ({"optimizer": torch.optim.Adam}, "`optimizer` must be an object, found the class Adam"),
        ({"optimizer": "adam"}, "`optimizer` must be a torch optimizer, .* found 'adam'"),
        ({"optimizer": lambda p: p}, "`optimizer` must be a torch optimizer"),
        ({"optimizer": None}, "`optimizer` must be a torch optimizer"),
        ({"criterion": nn.CrossEntropyLoss}, "`criterion` must be an object, found the class"),
        ({"criterion": "ce"}, "`criterion` must be a loss of outputs and targets, found 'ce'"),
        ({"plugins": [EWCPlugin]}, r"`plugins\[0\]` must be an object, found the class EWCPlugin"),
        ({"plugins": ["ewc"]}, r"`plugins\[0\]` must be a plugin, found 'ewc'"),
        ({"plugins": EWCPlugin(0.1)}, "`plugins` must be a list of plugins"),
        ({"plugins": EWCPlugin}, "`plugins` must be an object, found the class EWCPlugin"),
        ({"plugins": "ewc"}, "`plugins` must be a list of plugins, .* found 'ewc'"),
        ({"engine": FusedEngine}, "`engine` must be an object, found the class FusedEngine"),
        ({"engine": "fused"}, "`engine` must be a GradientEngine, found 'fused'"),
        ({"evaluator": "tensorboard"}, "`evaluator` must be an EvaluationPlugin"),
        ({"evaluator": []}, "`evaluator` must be an EvaluationPlugin"),
    ],
)
def test_kinds(kind, arguments, message):
    with pytest.raises(TypeError, match=message):
        make(kind, **arguments)


@pytest.mark.parametrize("kind", [NaiveStrategy, SIStrategy])
def test_kinds_of_peers(kind):
    with pytest.raises(TypeError, match="`optimizer` must be an object, found the class Adam"):
        make(kind, optimizer=torch.optim.Adam)


def test_kinds_of_weightings():
    for make_it in (lambda: make(elastic=GMC), lambda: EMGDWeighting(GMC)):
        with pytest.raises(TypeError, match="`elastic` must be an object, found the class GMC"):
            make_it()
    with pytest.raises(TypeError, match="`weighting` must be an object, found the class MGDA"):
        make(MultiGradientTemplate, weighting=MGDAWeighting)
    with pytest.raises(TypeError, match=r"`weighting` must be a callable .* found 'mgda'"):
        make(MultiGradientTemplate, weighting="mgda")


@pytest.mark.parametrize(
    "returned",
    [
        lambda gramian: gramian,
        lambda gramian: torch.ones(len(gramian) + 1, dtype=torch.float64),
        lambda gramian: gramian.sum(),
        lambda gramian: torch.ones(len(gramian), dtype=torch.long),
        lambda gramian: [1.0] * len(gramian),
        lambda gramian: None,
    ],
)
def test_weights_of_the_wrong_shape_are_refused_before_an_update(returned):
    strategy = make(MultiGradientTemplate, weighting=returned)
    before = [parameter.clone() for parameter in strategy.model.parameters()]
    with pytest.raises(ValueError, match=r"<lambda> must return a tensor of 2 weights"):
        strategy.train(BENCHMARK.train_stream)
    for one, other in zip(before, strategy.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_benchmark_in_place_of_a_stream_is_refused():
    for kind in (EMGDStrategy, NaiveStrategy):
        with pytest.raises(TypeError, match=r"give benchmark\.train_stream"):
            make(kind).train(BENCHMARK)
        with pytest.raises(TypeError, match=r"give benchmark\.test_stream"):
            make(kind).eval(BENCHMARK)


def test_an_evaluator_may_be_a_factory():
    assert make(evaluator=quiet_evaluator).evaluator.metrics == []


def test_emgd_without_a_memory_warns():
    model = MLP(10, in_features=64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.warns(UserWarning, match="has no replay memory") as caught:
        EMGDStrategy(model, optimizer=optimizer, evaluator=None)
    assert [each.filename for each in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (0, 10):
            EMGDStrategy(model, optimizer=optimizer, evaluator=None, memory_size=size)


def test_representations_of_objects():
    strategy = make()
    strategy.train(BENCHMARK.train_stream)
    segment, test = BENCHMARK.train_stream[0], BENCHMARK.test_stream[0]
    assert repr(BENCHMARK).startswith("ParallelBenchmark(2 tasks, 10 classes, ")
    assert "scenario='class'" in repr(BENCHMARK)
    assert repr(segment) == (
        f"SegmentExperience(ticks 0–{segment.ticks.stop - 1} of task0, "
        f"{len(segment.dataset)} samples)"
    )
    classes = sorted(BENCHMARK.label_sets[0])
    assert repr(test) == f"TaskExperience(task0, classes {classes}, {len(test.dataset)} samples)"
    memory = "ReplayMemory(10 of 10 samples, of 2 finished tasks)"
    assert repr(strategy.memory) == memory
    assert repr(strategy) == f"EMGDStrategy(model=MLP, optimizer=SGD, memory={memory})"
    assert repr(make(memory_size=0)) == "EMGDStrategy(model=MLP, optimizer=SGD)"
    assert repr(ReplayMemory(5)) == "ReplayMemory(0 of 5 samples, of 0 finished tasks)"

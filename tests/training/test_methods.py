"""Every built-in method on streams whose set of objectives changes at many ticks."""

from functools import cache

import pytest
import torch
from avalanche.training.templates import SupervisedTemplate

from avalanche_emgd import EMGDStrategy, Timeline
from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.training.methods import METHODS, find_method, make_method
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_model, weights_of

every = pytest.mark.parametrize("name", list(METHODS))
SINGLE = toy_benchmark((5, 3, 3), 2, Timeline(((0, 2), (1, 2), (2, 3))))
OVERLAPS = [
    toy_benchmark(timeline=Timeline.overlapping([5, 4, 4], overlap)) for overlap in (0.0, 1.0)
]


def train(name, benchmark, memory_size=12, lr=0.03, is_measured=True, **settings):
    model = toy_model()
    metrics = PCLMetrics(benchmark) if is_measured else None
    strategy = make_method(
        name,
        model,
        settings,
        optimizer=torch.optim.Adam(model.parameters(), lr=lr),
        memory_size=memory_size,
        seed=0,
        device="cpu",
        plugins=[],
        evaluator=quiet(*filter(None, [metrics])),
    )
    torch.manual_seed(1)
    strategy.train(benchmark.train_stream, eval_streams=[])
    return strategy, metrics and metrics.result()


@cache
def longer_benchmark(scenario):
    """Make ticks with four samples of each task, at four ticks in ten beside another task."""
    if scenario == "class":
        spans = Timeline(((0, 29), (10, 29), (25, 49))).fit([30, 20, 25])
        return toy_benchmark((120, 80, 100), 4, spans)
    spans = Timeline(((0, 17), (6, 17), (15, 29))).fit([18, 12, 15])
    return toy_benchmark((72, 48, 60), 4, spans, scenario="task")


@every
@pytest.mark.parametrize("scenario", ["class", "task"])
def test_learns(name, scenario):
    benchmark = longer_benchmark(scenario)
    strategy, result = train(name, benchmark, lr={"class": 0.03, "task": 0.05}[scenario])
    assert isinstance(strategy, SupervisedTemplate)
    assert strategy.clock.train_iterations == benchmark.timeline.num_ticks
    learned = {"class": 0.55, "task": 0.8}[scenario]  # chance is 1/6 to 1/2, and 1/2
    assert result.A_e >= learned


@every
@pytest.mark.parametrize("memory_size", [0, 1])
def test_with_a_small_memory_and_a_single_last_sample(name, memory_size):
    if (name, memory_size) == ("icarl", 0):
        pytest.skip("predicts by its exemplars")
    strategy, result = train(name, SINGLE, memory_size)
    assert 0.0 <= result.A_ebar <= 1.0
    assert weights_of(strategy.model).isfinite().all()


@every
def test_serial_and_joint_time_lines(name):
    serial, joint = OVERLAPS
    strategy, _ = train(name, serial, is_measured=False)
    assert weights_of(strategy.model).isfinite().all()
    strategies = [train(name, joint, is_measured=False)[0] for _ in range(2)]
    found, again = (weights_of(each.model) for each in strategies)
    assert found.isfinite().all()
    assert torch.equal(again, found)


@every
def test_is_described(name):
    method = METHODS[name]
    assert method.name == name
    assert method.family in ("parallel", "weighting", "serial", "bound")
    assert 5 < len(method.about) < 80


def test_a_user_defined_method():
    """The callable in ``module:callable`` has the signature of the built-in methods."""
    method = find_method("avalanche_emgd.training:EMGDStrategy")
    assert method.family == "yours"
    assert method.make is EMGDStrategy
    assert method.about == EMGDStrategy.__doc__.splitlines()[0]
    strategy, _ = train("avalanche_emgd:EMGDStrategy", toy_benchmark(), elastic="gs")
    assert type(strategy.elastic_factors.weighting.elastic).__name__ == "GS"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sgd", "`method` 'sgd' is unknown. Known are emgd-gmc,"),
        ("nowhere:method", "cannot be imported: No module named 'nowhere'"),
        ("math:nothing", "cannot be imported: module 'math' has no attribute 'nothing'"),
        ("math:sqr", "has no attribute 'sqr'. Did you mean 'sqrt'?"),
        ("math:pi", "is not callable: 3.14"),
        (":method", "cannot be imported"),
    ],
)
def test_unknown_methods(name, message):
    with pytest.raises(ValueError, match=message):
        find_method(name)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("cagrad", {"d": 1.0}, "`method` 'cagrad' cannot be made with the settings {'d': 1.0}"),
        ("emgd-gmc", {"exponent": -1.0}, "`exponent` must be at least 0"),
    ],
)
def test_wrong_settings(name, settings, message):
    with pytest.raises(ValueError, match=message):
        train(name, toy_benchmark(), **settings)


def test_the_result_must_be_a_strategy():
    with pytest.raises(ValueError, match="must return an Avalanche strategy"):
        make_method("builtins:dict", [], {})

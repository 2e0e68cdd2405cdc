"""Losses and gradients that are not finite stop the run, or skip their objective."""

import math
import warnings

import pytest
import torch
from torch import nn

from avalanche_emgd import AvgGradStrategy, Timeline, parallel_benchmark
from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.training.methods import METHODS, make_method
from avalanche_emgd.training.nonfinite import find_nonfinite
from tests.toy import toy_benchmark, toy_datasets
from tests.training.common import quiet, toy_model, toy_strategy, weights_of


def poisoned(value, at=slice(5, 6), task=1, number=3):
    """Make a benchmark in which inputs of a task are not finite after their examination."""
    datasets = toy_datasets([8] * number)
    benchmark = parallel_benchmark(datasets, datasets, Timeline.joint([2] * number), batch_size=4)
    datasets[task].tensors[0][at] = value
    return benchmark


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("together", [True, False])
def test_a_run_stops_with_the_name_and_the_tick(value, together):
    # With one task at a time the engine makes ordinary passes.
    benchmark = poisoned(value) if together else poisoned(value, task=0, number=1)
    strategy = toy_strategy(memory_size=0)
    name = "task1" if together else "task0"
    with pytest.raises(ValueError, match=rf"objective '{name}'.* at tick \d"):
        strategy.train(benchmark.train_stream)
    assert weights_of(strategy.model).isfinite().all()


class Slope(torch.autograd.Function):
    """The identity, whose gradient is not finite."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * math.nan


def test_a_gradient_that_is_not_finite_though_the_loss_is():
    benchmark = toy_benchmark()

    def criterion(output, target):
        loss = nn.functional.cross_entropy(output, target)
        return Slope.apply(loss) if int(target[0]) in (2, 3) else loss

    with pytest.raises(ValueError, match="the gradient of objective 'task1' is NaN"):
        toy_strategy(criterion=criterion, memory_size=0).train(benchmark.train_stream)
    strategy = toy_strategy(criterion=criterion, memory_size=0, on_nonfinite="skip")
    with pytest.warns(UserWarning, match="'task1' is skipped at tick"):
        strategy.train(benchmark.train_stream)
    assert set(strategy.nonfinite.counts) == {"task1"}


def test_a_skipped_objective_is_as_if_absent():
    """The update of a tick is that of the other tasks alone."""
    datasets = toy_datasets([4, 4, 4])
    line = Timeline.joint([1, 1, 1])
    benchmark = parallel_benchmark(datasets, datasets, line, batch_size=4)
    datasets[1].tensors[0][2] = math.nan
    strategy = toy_strategy(AvgGradStrategy, memory_size=0, on_nonfinite="skip")
    with pytest.warns(UserWarning, match=r"objectives were skipped.*'task1': 1"):
        strategy.train(benchmark.train_stream)
    model = toy_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for task in (0, 2):
        x, y = datasets[task].tensors
        (nn.functional.cross_entropy(model(x), y) / 2).backward()
    optimizer.step()
    torch.testing.assert_close(weights_of(strategy.model), weights_of(model))
    assert strategy.nonfinite.counts == {"task1": 1}
    assert strategy.objectives == ["task0", "task2"]


def test_running_statistics_do_not_see_a_skipped_objective():
    benchmark = poisoned(math.nan)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 6))
    strategy = toy_strategy(model=model, memory_size=0, on_nonfinite="skip")
    with pytest.warns(UserWarning, match="'task1' is skipped"):
        strategy.train(benchmark.train_stream)
    assert all(buffer.isfinite().all() for buffer in model.buffers())
    # Two ticks, of three and of two objectives.
    assert int(model[1].num_batches_tracked) == 5
    assert weights_of(model).isfinite().all()


@pytest.mark.parametrize("name", [name for name in METHODS if name != "joint"])
def test_every_method_goes_on(name):
    datasets = toy_datasets([24, 24, 24])
    line = Timeline(((0, 5), (0, 5), (3, 8)))
    benchmark = parallel_benchmark(datasets, datasets, line, batch_size=4)
    datasets[1].tensors[0][3] = math.inf
    model = toy_model()
    strategy = make_method(
        name,
        model,
        {},
        optimizer=torch.optim.SGD(model.parameters(), lr=0.03),
        memory_size=12,
        seed=0,
        device="cpu",
        plugins=[],
        evaluator=quiet(),
    )
    strategy.nonfinite.action = "skip"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        strategy.train(benchmark.train_stream)
    assert strategy.nonfinite.counts["task1"] == 1
    assert weights_of(strategy.model).isfinite().all()


def test_a_tick_without_a_finite_objective_has_no_update():
    datasets = toy_datasets([8])
    benchmark = parallel_benchmark(datasets, datasets, Timeline.joint([2]), batch_size=4)
    strategy = toy_strategy(memory_size=0, on_nonfinite="skip")
    before = weights_of(strategy.model)
    datasets[0].tensors[0][:] = math.nan
    with pytest.warns(UserWarning, match="'task0' is skipped"):
        strategy.train(benchmark.train_stream)
    assert torch.equal(weights_of(strategy.model), before)
    assert strategy.nonfinite.counts == {"task0": 2}


def test_parameters_that_are_not_finite_end_the_run():
    datasets = toy_datasets([480])
    benchmark = parallel_benchmark(datasets, datasets, Timeline.joint([120]), batch_size=4)
    strategy = toy_strategy(memory_size=0, on_nonfinite="skip")
    with torch.no_grad():
        next(strategy.model.parameters())[0, 0] = math.nan
    with (
        pytest.raises(ValueError, match=r"No objective has had a finite loss .* for 100 ticks"),
        pytest.warns(UserWarning, match="is skipped"),
    ):
        strategy.train(benchmark.train_stream)


def test_skipped_samples_of_a_live_stream_do_not_enter_the_memory():
    stream = LiveStream(batch_size=4)
    x, y = toy_datasets([16])[0].tensors
    x = x.clone()
    x[6] = math.nan
    stream.add_task(iter(list(zip(x, y, strict=True))), classes=[0, 1])
    stream.close()
    strategy = toy_strategy(memory_size=16, on_nonfinite="skip")
    with pytest.warns(UserWarning, match="'task0' is skipped at tick 1"):
        strategy.train(stream)
    assert len(strategy.memory) == 12
    assert strategy.memory.inputs.isfinite().all()


def test_a_replayed_objective_is_skipped():
    benchmark = toy_benchmark()
    strategy = toy_strategy(memory_size=6, memory_objectives="per-task", on_nonfinite="skip")
    strategy.train(benchmark.train_stream[0])
    strategy.train(benchmark.train_stream[1])
    strategy.train(benchmark.train_stream[2])
    strategy.memory.inputs[:] = math.nan
    with pytest.warns(UserWarning, match="objective 'memory-task0' is skipped"):
        strategy.train(benchmark.train_stream[3])
    assert "memory-task0" not in strategy.replay.drawn
    assert weights_of(strategy.model).isfinite().all()


@pytest.mark.parametrize("value", ["ignore", None, True])
def test_other_values_are_refused(value):
    with pytest.raises(ValueError, match="`on_nonfinite` must be 'stop' or 'skip', found"):
        toy_strategy(memory_size=0, on_nonfinite=value)


def test_several_processes_do_not_skip():
    with pytest.raises(ValueError, match="`on_nonfinite` 'skip' is for one process"):
        toy_strategy(memory_size=0, on_nonfinite="skip", distributed="auto")


def test_finite_numbers_whose_sum_overflows():
    large = 1.7e308
    gramian = torch.full((2, 2), large, dtype=torch.float64)
    assert find_nonfinite(gramian, [large, large]) == []
    gramian[0, 1] = gramian[1, 0] = math.inf
    assert find_nonfinite(gramian, [1.0, 1.0]) == [0, 1]
    assert find_nonfinite(torch.eye(3), [0.0, math.nan, 1.0]) == [1]

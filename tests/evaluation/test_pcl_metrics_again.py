"""Metrics of runs that are not one pass of one process."""

import warnings

import pytest
import torch
from avalanche.training import Naive

from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.training.plugins import ClassMaskPlugin
from tests.toy import toy_benchmark
from tests.training.common import avalanche_strategy, quiet, toy_model, toy_strategy


def unknown(work):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        work()
    return [str(w.message) for w in found if "A_ebar" in str(w.message)]


def naive(metrics):
    """Make an Avalanche strategy, which has no mask."""
    return avalanche_strategy(
        Naive, toy_model(), train_mb_size=4, plugins=[ClassMaskPlugin()], evaluator=quiet(metrics)
    )


def ours(metrics):
    return toy_strategy(memory_size=6, evaluator=quiet(metrics))


@pytest.mark.parametrize("make", [naive, ours])
def test_a_restored_metric_continues(make, tmp_path):
    """The same strategy continues, so that only the metric is restored."""
    benchmark = toy_benchmark((40, 33, 46))
    metrics = PCLMetrics(benchmark)
    strategy = make(metrics)
    strategy.train(benchmark.train_stream[:2])
    torch.save(metrics.state_dict(), tmp_path / "metrics.pt")
    restored = PCLMetrics(toy_benchmark((40, 33, 46)))
    restored.load_state_dict(torch.load(tmp_path / "metrics.pt", weights_only=True))
    assert restored.state_dict() == metrics.state_dict()
    strategy.evaluator.metrics.append(restored)
    assert unknown(lambda: strategy.train(benchmark.train_stream[2:])) == []
    assert restored.result() == metrics.result()
    assert restored.history == metrics.history


def test_without_a_state_the_last_segment_warns_once():
    benchmark = toy_benchmark()
    metrics = PCLMetrics(benchmark)
    strategy = ours(metrics)
    (message,) = unknown(lambda: strategy.train(list(benchmark.train_stream[2:]) * 2))
    assert "before segments [0, 1] have been trained on" in message
    assert "load_state_dict()" in message
    assert metrics.result() is None
    strategy.train(benchmark.train_stream[:2])
    assert metrics.result() is not None


def test_a_whole_run_does_not_warn():
    benchmark = toy_benchmark()
    strategy = ours(PCLMetrics(benchmark))
    assert unknown(lambda: strategy.train(benchmark.train_stream)) == []


def test_a_state_of_another_benchmark_is_refused():
    state = PCLMetrics(toy_benchmark()).state_dict()
    with pytest.raises(ValueError, match="`state` belongs to metrics of another benchmark"):
        PCLMetrics(toy_benchmark(batch_size=5)).load_state_dict(state)


def test_out_of_order_each_task_ends_with_the_last_of_its_segments():
    benchmark = toy_benchmark((40, 33, 46), scenario="task")
    metrics = PCLMetrics(benchmark)
    strategy = ours(metrics)
    left = dict.fromkeys(range(3), 0)
    for experience in benchmark.train_stream:
        for task in experience.active_tasks:
            left[task] += 1
    at_end = {}
    for experience in benchmark.train_stream[::-1]:
        assert metrics.result() is None
        strategy.train(experience)
        for task in experience.active_tasks:
            left[task] -= 1
            if left[task] == 0:
                at_end[task] = metrics.history[task][-1][1]
    assert metrics.result().at_end == tuple(at_end[task] for task in range(3))
    assert metrics.result().final == tuple(metrics.history[task][-1][1] for task in range(3))


def test_another_pass_has_new_measurements():
    benchmark = toy_benchmark()
    metrics = PCLMetrics(benchmark)
    strategy = ours(metrics)
    strategy.train(benchmark.train_stream)
    done = strategy.clock.train_iterations
    for order in (1, -1):
        strategy.train(benchmark.train_stream[::order][0])
        assert metrics.result() is None
        assert min(metrics.history[0])[0] > done
        strategy.train(benchmark.train_stream[::order][1:])
        assert metrics.result() is not None
        done = strategy.clock.train_iterations


def test_the_same_benchmark_made_again():
    metrics = PCLMetrics(toy_benchmark())
    ours(metrics).train(toy_benchmark().train_stream)
    assert metrics.result() is not None

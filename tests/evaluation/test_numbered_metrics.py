"""Metrics that match experiences by index give a warning only if they are wrong."""

import warnings

import pytest
from avalanche.evaluation.metrics import (
    StreamForgetting,
    accuracy_metrics,
    bwt_metrics,
    class_accuracy_metrics,
    confusion_matrix_metrics,
    forgetting_metrics,
    forward_transfer_metrics,
    loss_metrics,
    topk_acc_metrics,
)
from avalanche.evaluation.metrics.cumulative_accuracies import CumulativeForgettingPluginMetric
from avalanche.training import Naive

from avalanche_emgd import Timeline
from avalanche_emgd.evaluation import PCLMetrics, gradient_diagnostics
from avalanche_emgd.training.plugins import ClassMaskPlugin
from tests.toy import toy_benchmark
from tests.training.common import avalanche_strategy, quiet, toy_model, toy_strategy
from tests.training.test_tick_template import serial_benchmark

NUMBERED = {
    "forgetting": lambda: forgetting_metrics(experience=True),
    "stream forgetting": lambda: forgetting_metrics(stream=True),
    "bwt": lambda: bwt_metrics(experience=True, stream=True),
    "forward transfer": lambda: forward_transfer_metrics(experience=True, stream=True),
    "trained experiences": lambda: accuracy_metrics(trained_experience=True),
    "trained experiences, top k": lambda: topk_acc_metrics(top_k=2, trained_experience=True),
    "cumulative": lambda: [CumulativeForgettingPluginMetric()],
    "of one's own": lambda: [type("Mine", (StreamForgetting,), {})()],
}
PARALLEL = Timeline(((0, 4), (3, 6), (6, 9)))


def said(work):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        work()
    return [str(w.message) for w in found if "`evaluator` has" in str(w.message)]


@pytest.mark.parametrize("make", NUMBERED.values(), ids=NUMBERED)
def test_a_parallel_benchmark_warns_once(make):
    benchmark = toy_benchmark()
    evaluator = quiet(*make(), PCLMetrics(benchmark))
    strategy = toy_strategy(memory_size=6, evaluator=evaluator)

    def work():
        for experience in benchmark.train_stream:
            strategy.train(experience)
        strategy.train(benchmark.train_stream[0])

    (message,) = said(work)
    assert type(evaluator.metrics[0]).__name__ in message
    assert "pcl_metrics(benchmark)" in message


def test_each_evaluator_has_its_own_warning():
    benchmark = toy_benchmark()

    def work():
        evaluator = quiet(forgetting_metrics(experience=True))
        toy_strategy(memory_size=6, evaluator=evaluator).train(benchmark.train_stream[:2])

    assert len(said(work)) == len(said(work)) == 1


@pytest.mark.parametrize("plugins", [[], [ClassMaskPlugin()]])
def test_avalanches_strategies_with_something_of_ours(plugins):
    benchmark = toy_benchmark()
    metrics = [] if plugins else [PCLMetrics(benchmark)]
    strategy = avalanche_strategy(
        Naive,
        toy_model(),
        train_mb_size=4,
        plugins=plugins,
        evaluator=quiet(forgetting_metrics(experience=True), *metrics),
    )
    assert len(said(lambda: strategy.train(benchmark.train_stream))) == 1


def test_other_metrics_give_no_warning():
    benchmark = toy_benchmark()
    evaluator = quiet(
        accuracy_metrics(minibatch=True, epoch=True, experience=True, stream=True),
        loss_metrics(experience=True),
        class_accuracy_metrics(stream=True),
        confusion_matrix_metrics(num_classes=6, stream=True),
        PCLMetrics(benchmark),
        gradient_diagnostics(),
    )
    strategy = toy_strategy(memory_size=6, evaluator=evaluator)
    assert said(lambda: strategy.train(benchmark.train_stream)) == []


def test_no_warning_where_experiences_are_tasks():
    benchmark = toy_benchmark(timeline=Timeline.serial([5, 4, 4]))
    metrics = PCLMetrics(benchmark)
    evaluator = quiet(forgetting_metrics(experience=True), metrics)
    strategy = toy_strategy(memory_size=6, evaluator=evaluator)

    def work():
        for experience in benchmark.train_stream:
            strategy.train(experience)
            results.update(strategy.eval(benchmark.test_stream))

    results = {}
    assert said(work) == []
    for task in range(2):
        key = f"ExperienceForgetting/eval_phase/test_stream/Task{task:03d}/Exp{task:03d}"
        found = metrics.result()
        assert results[key] == pytest.approx(found.at_end[task] - found.final[task])
    # The same tasks in another order are not numbered alike.
    other = toy_benchmark(timeline=Timeline(((4, 8), (0, 3), (9, 12))))
    strategy = toy_strategy(memory_size=6, evaluator=quiet(forgetting_metrics(experience=True)))
    assert len(said(lambda: strategy.train(other.train_stream))) == 1


def test_ordinary_benchmarks():
    strategy = toy_strategy(
        memory_size=6, train_mb_size=20, evaluator=quiet(forgetting_metrics(experience=True))
    )
    assert said(lambda: strategy.train(serial_benchmark().train_stream)) == []

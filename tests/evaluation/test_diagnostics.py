import math

import pytest
import torch
from avalanche.logging import TensorboardLogger
from avalanche.training import Naive
from avalanche.training.plugins import EvaluationPlugin
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from avalanche_emgd import AvgGradStrategy, gradient_diagnostics, pcl_metrics
from avalanche_emgd.evaluation import BatchedTensorboardLogger, GradientDiagnostics, quiet_evaluator
from tests.tolerance import tolerance
from tests.toy import toy_benchmark
from tests.training.common import TERMS, avalanche_strategy, quiet, toy_model, toy_strategy


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """TensorBoard events of a run with all metrics."""
    directory = tmp_path_factory.mktemp("tensorboard")
    benchmark = toy_benchmark(task_names=["red", "green", "blue"])
    logger = BatchedTensorboardLogger(str(directory))
    evaluator = EvaluationPlugin(
        pcl_metrics(benchmark), gradient_diagnostics(), loggers=[logger], collect_all=False
    )
    toy_strategy(memory_size=6, evaluator=evaluator).train(benchmark.train_stream)
    logger.writer.flush()
    accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0, "images": 0})
    accumulator.Reload()
    return benchmark, accumulator


def test_one_event_per_tick_equals_one_event_per_number(tmp_path):
    found = []
    for kind in (TensorboardLogger, BatchedTensorboardLogger):
        logger = kind(str(tmp_path / kind.__name__))
        benchmark = toy_benchmark()
        evaluator = EvaluationPlugin(
            pcl_metrics(benchmark), gradient_diagnostics(), loggers=[logger], collect_all=False
        )
        toy_strategy(memory_size=6, evaluator=evaluator).train(benchmark.train_stream)
        logger.writer.close()
        events = EventAccumulator(str(logger.writer.log_dir), size_guidance={"scalars": 0})
        events.Reload()
        found.append(events)
    one, other = found
    assert one.Tags()["scalars"]
    assert sorted(one.Tags()["scalars"]) == sorted(other.Tags()["scalars"])
    assert one.Tags()["images"] == other.Tags()["images"]
    for tag in one.Tags()["scalars"]:
        pairs = [[(e.step, e.value) for e in events.Scalars(tag)] for events in found]
        assert pairs[0] == pairs[1]


def steps(events, tag):
    return [event.step for event in events.Scalars(tag)]


def test_tensorboard_has_every_tick_of_every_objective(events):
    benchmark, accumulator = events
    for task, name in enumerate(benchmark.task_names):
        first, last = benchmark.timeline.spans[task]
        for kind in ("Loss", "Gradient_Norm", "Sigma", "Weight"):
            assert steps(accumulator, f"{kind}/{name}") == list(range(first, last + 1))
    ticks = benchmark.timeline.num_ticks
    assert steps(accumulator, "Squared_Direction") == list(range(ticks))
    memory_from = benchmark.timeline.spans[0][1] + 1
    assert steps(accumulator, "Weight/memory") == list(range(memory_from, ticks))


def test_tensorboard_has_pairwise_cosines(events):
    benchmark, accumulator = events
    first, last = benchmark.timeline.spans[1][0], benchmark.timeline.spans[0][1]
    assert steps(accumulator, "Cosine/red~green") == list(range(first, last + 1))
    values = [e.value for e in accumulator.Scalars("Cosine/red~green")]
    assert all(-1.0 <= value <= 1.0 for value in values)


def test_tensorboard_has_accuracies_and_the_time_line(events):
    benchmark, accumulator = events
    tags = accumulator.Tags()
    assert "Timeline" in tags["images"]
    for name in ("A_e", "A_ebar", "F_ebar", "Accuracy_At_End/red", "Accuracy_Final/blue"):
        assert name in tags["scalars"]
    ends = [e.ticks.stop for e in benchmark.train_stream]
    assert steps(accumulator, "Accuracy/red") == ends
    assert not tags["histograms"]


def test_values_are_those_of_the_strategy():
    metric = GradientDiagnostics()
    strategy = toy_strategy(elastic="gs", memory_size=6, evaluator=quiet(metric))
    strategy.train(toy_benchmark().train_stream)
    values = metric.result()
    names, G, weights = strategy.objectives, strategy.gramian, strategy.weights
    assert names == ["task2", "memory"]
    for i, name in enumerate(names):
        assert values[f"Loss/{name}"] == pytest.approx(float(strategy.objective_losses[i]))
        assert values[f"Gradient_Norm/{name}"] == pytest.approx(math.sqrt(float(G[i, i])))
        assert values[f"Weight/{name}"] == pytest.approx(float(weights[i]))
        assert values[f"Sigma/{name}"] == pytest.approx(float(strategy.sigma[i]))
    direction = weights.float() @ strategy.gradients
    expected = float(direction.square().sum())
    bound = tolerance(torch.float32, TERMS)
    longest = float(weights @ G.diagonal().sqrt())  # what cancels
    assert values["Squared_Direction"] == pytest.approx(expected, abs=bound * longest**2)
    cosine = torch.nn.functional.cosine_similarity(*strategy.gradients, dim=0)
    assert values["Cosine/task2~memory"] == pytest.approx(float(cosine), abs=bound)
    assert all(type(value) is float for value in values.values())


def test_strategies_without_factors_have_no_sigma():
    metric = GradientDiagnostics()
    strategy = toy_strategy(AvgGradStrategy, evaluator=quiet(metric))
    strategy.train(toy_benchmark().train_stream)
    assert not [name for name in metric.result() if name.startswith("Sigma")]
    assert metric.result()["Weight/task2"] == 1.0


def test_strategies_without_gradients_emit_nothing():
    metric, model = GradientDiagnostics(), toy_model()
    strategy = avalanche_strategy(
        Naive,
        model,
        train_mb_size=4,
        evaluator=quiet(metric),
    )
    strategy.train(toy_benchmark().train_stream)
    assert metric.result() == {}


def test_fewer_values_on_request():
    evaluator = quiet_evaluator(*gradient_diagnostics(every=4), collect_all=True)
    toy_strategy(evaluator=evaluator).train(toy_benchmark().train_stream)
    assert evaluator.get_all_metrics()["Squared_Direction"][0] == [0, 4, 8]
    with pytest.raises(ValueError, match="`every` must be a whole number, at least 1, found 0"):
        gradient_diagnostics(every=0)

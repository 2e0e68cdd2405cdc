"""A_e, A_ē and F_ē of a live stream equal tests by hand."""

import copy

import pytest
import torch
from avalanche.core import SupervisedPlugin

from avalanche_emgd import AvgGradStrategy, live_metrics
from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.evaluation import LiveMetrics
from tests.toy import toy_datasets
from tests.training.common import quiet, toy_strategy

TRAIN, TEST = toy_datasets([60, 48, 52]), toy_datasets([40, 40, 40], seed=0)


def by_hand(model, task, classes):
    x, y = TEST[task].tensors
    with torch.no_grad():
        logits = model(x)
    hidden = [k for k in range(logits.shape[1]) if k not in classes]
    logits[:, hidden] = -torch.inf
    return float((logits.argmax(dim=1) == y).double().mean())


class Look(SupervisedPlugin):
    """Measures each task at its end by hand, and adds tasks."""

    def __init__(self, stream, metrics):
        super().__init__()
        self.stream, self.metrics, self.ends = stream, metrics, {}

    def after_training_iteration(self, strategy, **kwargs):
        if strategy.tick == 5:
            self.stream.add_task(TRAIN[1], name="b", test=TEST[1])
            self.stream.add_task(TRAIN[2], name="untested")
            self.metrics.request()
        if strategy.tick == 16:
            self.stream.add_task(TRAIN[0], name="a")
            self.stream.close()

    def after_training_exp(self, strategy, **kwargs):
        for task in strategy.experience.finishing_tasks:
            if task < 2:
                classes = strategy.experience.classes_seen_so_far
                self.ends["ab"[task]] = by_hand(strategy.model, task, classes)


def run(**options):
    stream = LiveStream(batch_size=4)
    stream.add_task(TRAIN[0], name="a", test=TEST[0])
    (metrics,) = live_metrics(stream, **options)
    look = Look(stream, metrics)
    strategy = toy_strategy(
        AvgGradStrategy, memory_size=6, plugins=[look], evaluator=quiet(metrics)
    )
    results = strategy.train(stream)
    return strategy, metrics, look, results


def test_results_equal_tests_by_hand():
    strategy, metrics, look, results = run()
    assert metrics.at_end == look.ends
    final = [by_hand(strategy.model, task, range(6)) for task in (0, 1)]
    assert list(metrics.final.values()) == final
    result = metrics.result()
    assert result.A_ebar == pytest.approx(sum(final) / 2)
    assert results["A_e"] == pytest.approx(sum(look.ends.values()) / 2)
    assert results["F_ebar"] == pytest.approx(result.A_ebar - result.A_e)
    assert "Accuracy_At_End/untested" not in results
    # On demand, after the sixth iteration, when only one task had started.
    assert metrics.history["a"][0][0] == 6
    assert "b" not in {name for name, curve in metrics.history.items() if curve[0][0] == 6}


def test_tests_every_few_iterations():
    _, metrics, _, _ = run(every=4)
    assert {4, 8, 12} <= {done for done, _ in metrics.history["a"]}


def test_states_and_copies():
    _, metrics, _, _ = run(every=4)
    other = LiveMetrics(metrics.stream)
    other.load_state_dict(metrics.state_dict())
    twin = copy.deepcopy(metrics)
    assert other.result() == twin.result() == metrics.result()
    assert other.history == twin.history == metrics.history
    assert twin.stream is metrics.stream
    with pytest.raises(ValueError, match="metrics of another stream"):
        LiveMetrics(LiveStream()).load_state_dict(metrics.state_dict())


def test_a_stream_that_is_closed_after_its_last_segment():
    stream = LiveStream(batch_size=4, max_idle=0.0)
    stream.add_task(TRAIN[0], name="a", test=TEST[0])
    (metrics,) = live_metrics(stream)

    class Close(SupervisedPlugin):
        def after_training(self, strategy, **kwargs):
            stream.close()

    strategy = toy_strategy(memory_size=0, plugins=[Close()], evaluator=quiet(metrics))
    with pytest.warns(UserWarning, match="max_idle"):
        strategy.train(stream)
    assert metrics.result() is not None


def test_arguments():
    with pytest.raises(TypeError, match="`stream` must be a LiveStream, found int"):
        live_metrics(3)
    with pytest.raises(ValueError, match="`every` must be a whole number, at least 0"):
        live_metrics(LiveStream(), every=-1)

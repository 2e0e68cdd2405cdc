import pytest

from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.experiments.progress import TickProgress
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_strategy


def test_the_bar_ends_with_the_ticks_and_the_accuracy(capsys):
    benchmark = toy_benchmark()
    metrics = PCLMetrics(benchmark)
    progress = TickProgress(benchmark.timeline.num_ticks, metrics, "toy")
    strategy = toy_strategy(evaluator=quiet(metrics), memory_size=6, plugins=[progress])
    with progress:
        strategy.train(benchmark.train_stream)
    (task,) = progress._progress.tasks
    assert task.finished
    assert task.completed == benchmark.timeline.num_ticks
    assert task.fields["accuracy"] == f"{100 * metrics.result().A_ebar:.1f} %"
    assert "toy" in capsys.readouterr().out


def test_without_a_test_there_is_no_accuracy(capsys):
    progress = TickProgress(5, PCLMetrics(toy_benchmark()), "toy")
    with pytest.raises(ArithmeticError), progress:
        raise ArithmeticError
    (task,) = progress._progress.tasks
    assert (task.completed, task.fields["accuracy"]) == (0, "—")
    assert progress._progress.live.is_started is False
    assert progress.state_dict() == {}

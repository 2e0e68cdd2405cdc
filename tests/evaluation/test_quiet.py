import warnings

import pytest
from avalanche.distributed import DistributedHelper
from avalanche.evaluation.metrics import loss_metrics

from avalanche_emgd.evaluation import quiet_evaluator
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy


@pytest.mark.parametrize("collect_all", [False, True])
def test_metrics_are_computed_and_nothing_is_printed(collect_all, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluator = quiet_evaluator(loss_metrics(stream=True), collect_all=collect_all)
    strategy = toy_strategy(evaluator=evaluator, memory_size=0)
    for _ in range(2):
        strategy.eval(toy_benchmark().test_stream)
    (name,) = evaluator.get_last_metrics()
    assert name.startswith("Loss_Stream/eval_phase/test_stream")
    assert bool(evaluator.all_metric_results) == collect_all
    if collect_all:
        assert len(evaluator.get_all_metrics()[name][1]) == 2
    assert capsys.readouterr() == ("", "")


def test_a_process_that_is_not_the_first_may_have_one(monkeypatch):
    monkeypatch.setattr(type(DistributedHelper), "is_main_process", False)
    assert quiet_evaluator().loggers == []

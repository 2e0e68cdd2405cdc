import pytest
import torch
from avalanche.training import Naive, Replay

from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.training.plugins import ClassMaskPlugin
from tests.toy import toy_benchmark
from tests.training.avalanches import STRATEGIES
from tests.training.common import (
    avalanche_strategy,
    quiet,
    toy_model,
)
from tests.training.watch_mask import WatchMask


@pytest.mark.parametrize("name", ["naive", "replay", "a-gem", "joint"])
def test_class_masks_for_avalanches_strategies(name):
    """Classes of tasks that have not started are masked, so their weights do not change."""
    kind, options = STRATEGIES[name]
    benchmark = toy_benchmark()
    ends = []
    for plugins in ([ClassMaskPlugin()], []):
        model = toy_model()
        start = model.classifier.weight[4:].clone()
        strategy = avalanche_strategy(
            kind,
            model,
            train_mb_size=4,
            plugins=plugins,
            evaluator=quiet(),
            **options,
        )
        strategy.train(benchmark.train_stream[:1] if name != "joint" else benchmark.train_stream)
        ends.append(torch.equal(model.classifier.weight[4:], start))
    assert ends == [name != "joint", False]


@pytest.mark.parametrize(("kind", "options"), [(Naive, {}), (Replay, {"mem_size": 12})])
def test_avalanches_strategies_with_masks(kind, options):
    benchmark, watch = toy_benchmark((40, 33, 46)), WatchMask()
    metrics = PCLMetrics(benchmark)
    strategy = avalanche_strategy(
        kind,
        toy_model(),
        train_mb_size=4,
        plugins=[ClassMaskPlugin(), watch],
        evaluator=quiet(metrics),
        **options,
    )
    for experience in [*benchmark.train_stream[::-1], *benchmark.train_stream]:
        strategy.train(experience)
    assert watch.masked == 0
    assert metrics.result() is not None

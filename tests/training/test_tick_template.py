"""Avalanche's strategies on parallel streams; its benchmarks, plugins and models with EMGD."""

import pytest
import torch
from avalanche.benchmarks import (
    benchmark_from_datasets,
    class_incremental_benchmark,
    with_classes_timeline,
    with_task_labels,
)
from avalanche.benchmarks.utils import as_classification_dataset
from avalanche.evaluation.metrics import accuracy_metrics, forgetting_metrics, loss_metrics
from avalanche.models import MTSimpleMLP, MultiHeadClassifier, MultiTaskModule, SimpleMLP
from avalanche.training import Naive
from avalanche.training.plugins import (
    AGEMPlugin,
    EWCPlugin,
    GDumbPlugin,
    LRSchedulerPlugin,
    LwFPlugin,
    ReplayPlugin,
)

from avalanche_emgd import AvgGradStrategy, EMGDStrategy, Timeline
from avalanche_emgd.benchmarks.datasets import with_labels
from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.models import prepare_heads
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark, toy_datasets
from tests.training.avalanches import STRATEGIES
from tests.training.common import (
    assert_same_weights,
    avalanche_strategy,
    quiet,
    toy_model,
    toy_strategy,
    weights_of,
)


@pytest.mark.parametrize("scenario", ["task", "class"])
@pytest.mark.parametrize("name", STRATEGIES)
def test_avalanches_strategies_train_on_the_stream(name, scenario):
    kind, options = STRATEGIES[name]
    benchmark = toy_benchmark((240, 240, 240), batch_size=8, scenario=scenario)
    model = toy_model()
    metrics = PCLMetrics(benchmark)
    strategy = avalanche_strategy(
        kind,
        model,
        train_mb_size=8,
        eval_mb_size=32,
        evaluator=quiet(
            metrics,
            accuracy_metrics(experience=True, stream=True),
            loss_metrics(experience=True),
            forgetting_metrics(experience=True),
        ),
        **options,
    )
    strategy.train(benchmark.train_stream)
    strategy.eval(benchmark.test_stream)
    result = metrics.result()
    assert result is not None
    chance = 0.5 if scenario == "task" else 1 / 6
    assert result.A_e > chance


def serial_benchmark(task_labels=False):
    """Make three experiences of two classes, like SplitMNIST, with or without task labels."""
    datasets = toy_datasets([60, 60, 60])
    if task_labels:
        labelled = [
            with_labels(dataset, dataset.tensors[1].tolist(), task)
            for task, dataset in enumerate(datasets)
        ]
        benchmark = benchmark_from_datasets(train=labelled, test=labelled)
        return with_task_labels(with_classes_timeline(benchmark))
    data = torch.utils.data.ConcatDataset(datasets)
    data.targets = [int(data[i][1]) for i in range(len(data))]
    splits = {"train": as_classification_dataset(data), "test": as_classification_dataset(data)}
    return class_incremental_benchmark(splits, num_experiences=3, class_order=list(range(6)))


@pytest.mark.parametrize("task_labels", [False, True])
def test_ordinary_serial_benchmark(task_labels):
    benchmark = serial_benchmark(task_labels)
    strategy = toy_strategy(
        memory_size=30,
        train_mb_size=10,
        train_epochs=4,
        lr=0.1,
        evaluator=quiet(accuracy_metrics(stream=True)),
    )
    for experience in benchmark.train_stream:
        strategy.train(experience)
        results = strategy.eval(benchmark.test_stream)
    (accuracy,) = [v for k, v in results.items() if k.startswith("Top1_Acc_Stream")]
    assert accuracy > 0.5  # chance is 1/6, forgetting all but the last experience 1/3
    assert strategy.memory.tasks == ["experience0", "experience1", "experience2"]


def test_one_objective_equals_plain_gradient_descent():
    """With one objective and no memory, training equals Naive, sample for sample."""
    benchmark = serial_benchmark()
    ours = toy_strategy(train_mb_size=1000)
    theirs = Naive(
        model=(model := toy_model()),
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05),
        train_mb_size=1000,
        evaluator=quiet(),
    )
    for strategy in (ours, theirs):
        strategy.train(benchmark.train_stream)
    assert_same_weights(weights_of(ours.model), weights_of(theirs.model), ticks=3)


@pytest.mark.parametrize("make", [lambda: EWCPlugin(5.0), LwFPlugin], ids=["ewc", "lwf"])
def test_plugins_add_to_the_loss_as_in_avalanches_strategies(make):
    """With one objective and a plugin, training equals Naive with the same plugin."""
    benchmark = serial_benchmark(task_labels=True)
    ends = []
    for kind in (AvgGradStrategy, Naive):
        for plugins in ([make()], []):
            model = toy_model()
            strategy = avalanche_strategy(
                kind,
                model,
                lr=0.05,
                train_mb_size=1000,
                train_epochs=5,
                plugins=plugins,
                evaluator=quiet(),
            )
            strategy.train(benchmark.train_stream)
            ends.append(weights_of(model))
    ours, ours_without, theirs, theirs_without = ends
    assert_same_weights(ours, theirs, ticks=3 * 5)
    assert_same_weights(ours_without, theirs_without, ticks=3 * 5)
    assert float((ours - ours_without).abs().max()) > 1e-3


PLUGINS = {
    "ewc": lambda: EWCPlugin(1.0),
    "lwf": lambda: LwFPlugin(),
    "a-gem": lambda: AGEMPlugin(4, 4),
    "replay": lambda: ReplayPlugin(12),
}


@pytest.mark.parametrize("name", PLUGINS)
def test_plugins_on_parallel_streams(name):
    benchmark = toy_benchmark()
    with_plugin, without = toy_strategy(plugins=[PLUGINS[name]()]), toy_strategy()
    for strategy in (with_plugin, without):
        torch.manual_seed(0)
        strategy.train(benchmark.train_stream)
    assert bool(weights_of(with_plugin.model).isfinite().all())
    assert not torch.equal(weights_of(with_plugin.model), weights_of(without.model))


def test_replay_plugin_on_an_ordinary_benchmark():
    strategy = toy_strategy(plugins=[ReplayPlugin(12)], train_mb_size=4)
    strategy.train(serial_benchmark(task_labels=True).train_stream)
    assert strategy.objectives == ["replayed0", "replayed1", "experience2"]


def test_loaders_of_plugins_replace_the_tick_loader():
    """Minibatches of ReplayPlugin's own loader are divided into objectives by task label."""
    seen = set()

    def rule(gramian, objectives):
        seen.add(tuple(objectives))
        return torch.ones(len(objectives))

    strategy = toy_strategy(elastic=rule, plugins=[ReplayPlugin(12)], train_mb_size=4)
    strategy.train(toy_benchmark().train_stream)
    assert ("task0", "task1", "task2") in seen


def test_learning_rate_schedules():
    model = toy_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    strategy = EMGDStrategy(
        model,
        optimizer=optimizer,
        evaluator=quiet(),
        plugins=[LRSchedulerPlugin(scheduler, reset_scheduler=False, reset_lr=False)],
    )
    strategy.train(toy_benchmark().train_stream)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.5**5)


class MultiHead(MultiTaskModule):
    def __init__(self, **options):
        super().__init__()
        self.backbone = torch.nn.Linear(5, 8)
        self.heads = MultiHeadClassifier(8, 6, **options)

    def forward(self, x, task_labels):
        return self.heads(torch.relu(self.backbone(x)), task_labels)


@pytest.mark.parametrize("masking", [True, False])
@pytest.mark.parametrize("kind", [EMGDStrategy, AvgGradStrategy])
def test_multi_head_models(masking, kind):
    torch.manual_seed(0)
    benchmark = toy_benchmark((240, 240, 240), batch_size=8, scenario="task")
    model = MultiHead(masking=masking)
    metrics = PCLMetrics(benchmark)
    strategy = toy_strategy(kind, model=model, memory_size=30, lr=0.1, evaluator=quiet(metrics))
    strategy.train(benchmark.train_stream)
    strategy.eval(benchmark.test_stream)
    assert sorted(model.heads.classifiers) == ["0", "1", "2"]
    optimized = {id(p) for g in strategy.optimizer.param_groups for p in g["params"]}
    assert optimized == {id(p) for p in model.parameters()}
    assert metrics.result().A_ebar > 0.9


def test_heads_made_before_training_are_kept():
    benchmark = toy_benchmark(scenario="task")
    model = MultiHead()
    prepare_heads(model, benchmark)
    heads = {name: id(head.classifier) for name, head in model.heads.classifiers.items()}
    toy_strategy(model=model, memory_size=6, shared=model.backbone).train(benchmark.train_stream)
    assert {name: id(h.classifier) for name, h in model.heads.classifiers.items()} == heads


@pytest.mark.parametrize("kind", [EMGDStrategy, AvgGradStrategy])
def test_heads_of_finished_tasks_do_not_change(kind):
    """This holds with momentum and weight decay, too."""
    benchmark = toy_benchmark(scenario="task", timeline=Timeline.serial([5, 4, 4]))
    model = MultiHead()
    strategy = kind(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1),
        evaluator=quiet(),
    )
    strategy.train(benchmark.train_stream[0])
    before = weights_of(model.heads.classifiers["0"])
    strategy.train(benchmark.train_stream[1])
    assert torch.equal(weights_of(model.heads.classifiers["0"]), before)


def test_plugins_may_replace_the_data():
    """GDumb trains on its own memory: its samples are divided by their own task labels."""
    seen = set()

    class Check(MultiGradientPlugin):
        def after_weighting(self, strategy, **kwargs):
            for part in strategy.mbatch.parts:
                labels = set(strategy.mb_task_id[part.start : part.stop].tolist())
                assert labels == {int(part.objective[-1])}
                seen.add(part.objective)

    strategy = toy_strategy(plugins=[GDumbPlugin(mem_size=30), Check()])
    strategy.train(toy_benchmark().train_stream)
    assert seen == {"task0", "task1", "task2"}


def test_evaluation_before_training():
    benchmark = toy_benchmark(scenario="task")
    strategy = toy_strategy(model=MultiHead(), evaluator=quiet(accuracy_metrics(stream=True)))
    strategy.eval(benchmark.test_stream)
    strategy.train(benchmark.train_stream)
    strategy.eval(benchmark.test_stream)


def test_avalanches_models():
    x_sizes = {"input_size": 5, "hidden_size": 8}
    for model in (SimpleMLP(num_classes=6, **x_sizes), MTSimpleMLP(**x_sizes)):
        strategy = toy_strategy(model=model, memory_size=6)
        strategy.train(toy_benchmark(scenario="task").train_stream)

from collections import Counter
from itertools import chain

import pytest
import torch

from avalanche_emgd import Timeline
from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.training.peers import JointStrategy
from tests.toy import ids_of, toy_benchmark
from tests.training.common import (
    assert_same_weights,
    quiet,
    scenarios,
    toy_model,
    toy_strategy,
    weights_of,
)
from tests.training.peers.by_hand import (
    CheckLosses,
    Each,
    cross_entropies,
    ordinary_benchmark,
    trained,
)


def test_every_sample_is_seen_once_in_as_many_updates_as_ticks():
    batches, objectives, ticks = [], [], []

    def see(strategy):
        batches.append(ids_of(strategy.mb_x))
        objectives.append(strategy.objectives)
        ticks.append(strategy.tick)

    benchmark = toy_benchmark()
    each = Each("after_update", see)
    strategy = toy_strategy(JointStrategy, plugins=[each])
    strategy.train(benchmark.train_stream)
    assert each.calls == benchmark.timeline.num_ticks == strategy.clock.train_iterations
    streamed = {1000 * task + i for task, size in enumerate((20, 13, 16)) for i in range(size)}
    assert Counter(chain(*batches)) == Counter(streamed)
    delivered = [
        sum(d.stop - d.start for d in deliveries)
        for experience in benchmark.train_stream
        for deliveries in experience.deliveries
    ]
    assert [len(batch) for batch in batches] == delivered
    assert objectives == [["joint"]] * len(batches)
    assert ticks == list(range(len(batches)))
    assert {i // 1000 for i in batches[0] + batches[1]} == {0, 1, 2}


@pytest.mark.parametrize(("make", "num_classes"), [(toy_benchmark, 6), (ordinary_benchmark, 4)])
def test_all_tasks_are_active_in_an_asymmetric_loss(make, num_classes):
    plain, asymmetric = (
        trained(JointStrategy, make(), toy_model(num_classes), competition=share)
        for share in (0.0, 1.0)
    )
    assert_same_weights(asymmetric, plain)


def test_idle_ticks_are_no_updates():
    benchmark = toy_benchmark((8, 8), timeline=Timeline(((0, 1), (4, 5))))
    each = Each("after_update", lambda strategy: None)
    toy_strategy(JointStrategy, plugins=[each]).train(benchmark.train_stream)
    assert each.calls == 4


@scenarios
def test_all_classes_compete_from_the_start(scenario):
    def expected(strategy, part, x, y, t):
        tasks = t.tolist()
        classes = [[2 * k, 2 * k + 1] if scenario == "task" else list(range(6)) for k in tasks]
        return cross_entropies(strategy.model(x), y, classes).mean()

    check = CheckLosses(expected)
    toy_strategy(JointStrategy, plugins=[check]).train(
        toy_benchmark(scenario=scenario).train_stream
    )
    assert check.checked == {"active": 10}


@scenarios
def test_all_tasks_end_at_the_same_time(scenario):
    benchmark = toy_benchmark((60, 40, 48), scenario=scenario)
    metrics = PCLMetrics(benchmark)
    strategy = toy_strategy(JointStrategy, lr=0.2, evaluator=quiet(metrics))
    strategy.train(benchmark.train_stream, eval_streams=[])
    result = metrics.result()
    assert result.at_end == result.final
    assert result.A_e == result.A_ebar
    assert result.F_ebar == 0.0
    assert all(len(curve) == 1 for curve in metrics.history.values())
    strategy.model.eval()
    right = []
    for experience in benchmark.test_stream:
        x, y, _ = experience.load()
        task = int(y[0]) // 2
        classes = [2 * task, 2 * task + 1] if scenario == "task" else list(range(6))
        predicted = [classes[int(row[classes].argmax())] for row in strategy.model(x)]
        right.append(sum(map(int.__eq__, predicted, y.tolist())) / len(y))
    assert result.final == pytest.approx(right)


def test_the_seed_decides_the_order():
    benchmark = toy_benchmark()
    one, same, other = (trained(JointStrategy, benchmark, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_each_epoch_sees_every_sample_in_another_order():
    batches = []
    each = Each("after_update", lambda strategy: batches.append(ids_of(strategy.mb_x)))
    strategy = toy_strategy(JointStrategy, train_epochs=2, plugins=[each])
    strategy.train(toy_benchmark().train_stream)
    first, second = list(chain(*batches[:10])), list(chain(*batches[10:]))
    assert sorted(first) == sorted(second)
    assert first != second


def test_trains_on_a_stream_only_once():
    strategy, benchmark = toy_strategy(JointStrategy), toy_benchmark()
    strategy.train(benchmark.train_stream)
    before = weights_of(strategy.model)
    with pytest.raises(Exception, match="trained only once"):
        strategy.train(benchmark.train_stream)
    assert torch.equal(weights_of(strategy.model), before)


def test_ordinary_benchmarks_in_minibatches_of_the_given_size():
    batches = []
    each = Each("after_update", lambda strategy: batches.append(ids_of(strategy.mb_x)))
    strategy = toy_strategy(JointStrategy, train_mb_size=7, plugins=[each])
    strategy.train(ordinary_benchmark().train_stream)
    assert [len(batch) for batch in batches] == [7, 7, 7, 3]
    assert sorted(chain(*batches)) == [1000 * task + i for task in range(2) for i in range(12)]

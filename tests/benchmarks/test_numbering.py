"""Labels with gaps, from 1, negative or shared by tasks are refused, or numbered anew."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import TensorDataset

from avalanche_emgd import (
    MLP,
    EMGDStrategy,
    Timeline,
    parallel_benchmark,
    parallel_benchmark_from_arrays,
    parallel_benchmark_from_classes,
)
from avalanche_emgd.benchmarks._numbering import Numbering
from avalanche_emgd.benchmarks.limits import MOST_CLASSES
from avalanche_emgd.evaluation import PCLMetrics, pcl_metrics, quiet_evaluator


@given(st.lists(st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5), min_size=1))
def test_new_labels_are_consecutive_from_zero(sets):
    numbering = Numbering.of([sorted(own) for own in sets], relabel=True)
    given_out = sorted(number for own in numbering.label_sets for number in own)
    assert given_out == list(range(sum(map(len, sets))))
    shared = len(set.union(*sets)) < sum(map(len, sets))
    assert numbering.shared == shared
    for own, numbers in zip(sets, numbering.numbers, strict=True):
        assert set(numbers) == own
        assert [numbers[label] for label in sorted(own)] == sorted(numbers.values())
    if not shared:
        whole = {label: number for own in numbering.numbers for label, number in own.items()}
        assert [whole[label] for label in sorted(whole)] == list(range(len(whole)))


@given(st.permutations(range(6)))
def test_consecutive_labels_from_zero_are_kept(order):
    sets = [order[:2], order[2:5], order[5:]]
    for relabel in (False, True):
        numbering = Numbering.of(sets, relabel=relabel)
        assert numbering.label_sets == tuple(tuple(sorted(own)) for own in sets)


def data_of(label_sets, size=12, seed=0):
    """Make one data set per task; inputs identify the class."""
    sets = []
    for task, labels in enumerate(label_sets):
        y = torch.tensor([labels[i % len(labels)] for i in range(size)])
        x = torch.zeros(size, 8)
        x[torch.arange(size), [4 * task + i % len(labels) for i in range(size)]] = 1.0
        sets.append(TensorDataset(x, y))
    return sets


def benchmark_of(label_sets, **options):
    sets = data_of(label_sets)
    timeline = Timeline.overlapping([3] * len(sets), 0.5)
    return parallel_benchmark(sets, sets, timeline, batch_size=4, **options)


@pytest.mark.parametrize(
    ("label_sets", "message"),
    [
        ([[0, 1], [-1, 2]], "`train_datasets[1]` has the negative class -1: relabel=True"),
        ([[0, 1], [2, 10**8]], "has class 100000000, so that a model would need 100000001 out"),
        ([[0, 1], [2, MOST_CLASSES]], f"more than {MOST_CLASSES}: relabel=True numbers classes"),
        ([[0, 1], [1, 2]], "class 1 is in task 0 and in task 1: relabel=True"),
        ([[0, 1], [0, 1]], "tasks that share labels have classes of their own"),
    ],
)
def test_labels_that_need_new_numbers(label_sets, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        benchmark_of(label_sets)
    found = benchmark_of(label_sets, relabel=True).label_sets
    assert sorted(label for own in found for label in own) == [0, 1, 2, 3]


def test_too_many_classes_are_refused_before_a_mask_is_made():
    labels = list(range(0, 2 * MOST_CLASSES + 2, 2))
    with pytest.raises(ValueError, match=f"has {MOST_CLASSES + 1} classes, more than"):
        Numbering.of([labels], relabel=True)


@pytest.mark.parametrize(
    ("label_sets", "names"),
    [
        ([[1, 2], [3, 4]], ["1", "2", "3", "4"]),
        ([[9, -4], [2, 10**8]], ["-4", "2", "9", "100000000"]),
        ([[0, 1], [0, 1]], ["task0: 0", "task0: 1", "task1: 0", "task1: 1"]),
    ],
)
@pytest.mark.parametrize("scenario", ["task", "class"])
def test_renumbered_classes_are_learned_replayed_and_tested(label_sets, names, scenario):
    benchmark = benchmark_of(label_sets, relabel=True, scenario=scenario)
    assert list(benchmark.class_names.values()) == names
    assert list(benchmark.class_names) == [0, 1, 2, 3]
    assert benchmark.num_classes == 4
    for experience in benchmark.train_stream:
        for x, y, t in experience.load_ticks():
            original = x.argmax(1) % 4
            for label, task, place in zip(y.tolist(), t.tolist(), original.tolist(), strict=True):
                own = label_sets[task][place]
                assert benchmark.class_names[label] in (str(own), f"task{task}: {own}")
    metrics = pcl_metrics(benchmark)
    model = MLP(4, in_features=8, hidden=())
    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.1),
        memory_size=8,
        train_epochs=20,
        evaluator=quiet_evaluator(*metrics),
    )
    strategy.train(benchmark.train_stream, eval_streams=[])
    (pcl,) = (m for m in metrics if isinstance(m, PCLMetrics))
    assert pcl.result().A_ebar == 1.0
    _, y, t = strategy.memory.take(torch.arange(len(strategy.memory)))
    assert len(y) == 8
    for label, task in zip(y.tolist(), t.tolist(), strict=True):
        assert label in benchmark.label_sets[task]


def test_new_numbers_of_label_sets_of_one_data_set():
    x, y = torch.randn(40, 3), torch.tensor([-7, 3, 5, 100] * 10)
    data = TensorDataset(x, y)
    sets = [[100, -7], [5, 3]]
    with pytest.raises(ValueError, match="negative class -7"):
        parallel_benchmark_from_classes(data, data, sets, batch_size=8)
    benchmark = parallel_benchmark_from_classes(data, data, sets, batch_size=8, relabel=True)
    assert benchmark.label_sets == ((0, 3), (1, 2))
    assert benchmark.class_names == {0: "-7", 1: "3", 2: "5", 3: "100"}
    with pytest.raises(ValueError, match="disjoint and not empty"):
        parallel_benchmark_from_classes(data, data, [[-7], [-7]], batch_size=8, relabel=True)


@pytest.mark.parametrize(
    "labels",
    [
        [1, 2, 3, 4],
        [2, 5, 9, 11],
        [-3, -2, -1, 0],
        [0, 1, 2, 10**8],
        [0.0, 1.0, 2.0, 3.0],
        ["ant", "bee", "cat", "dog"],
    ],
)
@pytest.mark.parametrize("column", [False, True])
def test_arrays_with_labels_of_any_kind(labels, column, tmp_path):
    y = np.array(labels * 10)
    x = np.zeros((40, 4), dtype=np.float32)
    x[np.arange(40), np.arange(40) % 4] = 1.0
    if column:
        y = y[:, None]
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    benchmark = parallel_benchmark_from_arrays(tmp_path / "a.npz", num_tasks=2, batch_size=8)
    assert sorted(sum(benchmark.label_sets, ())) == [0, 1, 2, 3]
    assert list(benchmark.class_names.values()) == [
        str(label) if isinstance(label, str) else str(int(label)) for label in labels
    ]
    for inputs, targets, _ in benchmark.train_stream[0].load_ticks():
        assert torch.equal(inputs.argmax(1), targets)


def test_label_sets_refer_to_the_labels_of_the_file(tmp_path):
    y = np.array([2, 5, 9, 11] * 10)
    x = np.zeros((40, 4))
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    benchmark = parallel_benchmark_from_arrays(tmp_path / "a.npz", label_sets=[[11, 5], [2]])
    assert benchmark.label_sets == ((1, 2), (0,))
    assert benchmark.class_names == {0: "2", 1: "5", 2: "11"}

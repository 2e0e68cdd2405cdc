import itertools
from collections import Counter

import pytest
import torch
from avalanche.benchmarks import CLScenario
from avalanche.benchmarks.utils import (
    DataAttribute,
    TaskLabels,
    TransformGroups,
    make_avalanche_dataset,
)
from torch.utils.data import Dataset, Subset, TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark, parallel_benchmark_from_classes
from avalanche_emgd.benchmarks import TickLoader
from tests.toy import ids_of, toy_benchmark, toy_datasets


def samples_of(experience):
    dataset = experience.dataset
    rows = [dataset[i] for i in range(len(dataset))]
    x = torch.stack([row[0] for row in rows])
    return ids_of(x), [int(row[1]) for row in rows], [int(row[2]) for row in rows]


def test_is_an_avalanche_benchmark():
    benchmark = toy_benchmark()
    assert isinstance(benchmark, CLScenario)
    assert set(benchmark.streams) == {"train", "test"}
    assert benchmark.train_stream[0].origin_stream.benchmark is benchmark
    assert [e.current_experience for e in benchmark.train_stream] == [0, 1, 2, 3, 4]


def test_one_experience_per_segment_and_one_test_experience_per_task():
    benchmark = toy_benchmark()
    segments = benchmark.timeline.segments()
    assert [e.ticks for e in benchmark.train_stream] == [s.ticks for s in segments]
    assert [e.active_tasks for e in benchmark.train_stream] == [s.tasks for s in segments]
    assert [e.finishing_tasks for e in benchmark.train_stream] == [s.finishing for s in segments]
    assert [e.starting_tasks for e in benchmark.train_stream] == [s.starting for s in segments]
    assert [e.is_last for e in benchmark.train_stream] == [False] * 4 + [True]
    assert [e.task_label for e in benchmark.test_stream] == [0, 1, 2]
    assert [e.classes_in_this_experience for e in benchmark.test_stream] == [[0, 1], [2, 3], [4, 5]]


def test_each_sample_is_delivered_once():
    sizes = (20, 13, 16)
    delivered = Counter()
    for experience in toy_benchmark(sizes).train_stream:
        delivered.update(samples_of(experience)[0])
    assert set(delivered.values()) == {1}
    assert sorted(delivered) == [1000 * t + i for t, n in enumerate(sizes) for i in range(n)]


def test_each_sample_is_delivered_once_per_epoch():
    sizes, lengths = (10, 7), [8, 6]  # ceil(3 * size / 4)
    benchmark = toy_benchmark(sizes, timeline=Timeline.overlapping(lengths, 0.3), epochs=3)
    delivered = Counter()
    for experience in benchmark.train_stream:
        delivered.update(samples_of(experience)[0])
    assert set(delivered.values()) == {3}


def test_labels_of_samples():
    for experience in toy_benchmark().train_stream:
        ids, classes, tasks = samples_of(experience)
        assert [i // 1000 for i in ids] == tasks
        assert [c // 2 for c in classes] == tasks
        assert sorted(set(tasks)) == experience.task_labels
        assert list(experience.dataset.targets) == classes
        assert list(experience.dataset.targets_task_labels) == tasks


def test_deliveries_are_the_data_set_in_order():
    benchmark = toy_benchmark()
    for experience in benchmark.train_stream:
        flat = [delivery for tick in experience.deliveries for delivery in tick]
        assert flat[0].start == 0
        assert flat[-1].stop == len(experience.dataset)
        assert all(a.stop == b.start for a, b in itertools.pairwise(flat))
        tasks = samples_of(experience)[2]
        for delivery in flat:
            assert set(tasks[delivery.start : delivery.stop]) == {delivery.task}
        for tick in experience.deliveries:
            assert tuple(delivery.task for delivery in tick) == experience.active_tasks


def test_only_the_last_minibatch_of_a_span_is_short():
    benchmark = toy_benchmark((20, 13, 16))
    sizes = {0: [], 1: [], 2: []}
    for experience in benchmark.train_stream:
        for tick in experience.deliveries:
            for d in tick:
                sizes[d.task].append(d.stop - d.start)
    assert sizes == {0: [4] * 5, 1: [4, 4, 4, 1], 2: [4] * 4}


def test_classes_over_time():
    first, *_, last = toy_benchmark().train_stream
    assert (first.previous_classes, first.classes_seen_so_far) == ([], [0, 1])
    assert first.future_classes == [2, 3, 4, 5]
    assert last.classes_seen_so_far == [0, 1, 2, 3, 4, 5]
    assert last.future_classes == []


def test_seed_decides_the_order():
    orders = [[samples_of(e)[0] for e in toy_benchmark(seed=s).train_stream] for s in (0, 0, 1)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


def test_gaps_in_the_time_line_deliver_nothing():
    benchmark = toy_benchmark((8, 8), timeline=Timeline(((0, 1), (5, 6))))
    assert [e.ticks for e in benchmark.train_stream] == [range(2), range(5, 7)]


class Bare(Dataset):
    """Data set without targets and tensors."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        x, y = self.dataset[index]
        return x, int(y)


def test_data_sets_of_several_types():
    plain, bare, subset, avalanche = toy_datasets([8, 8, 8, 8])
    subset = Subset(subset, [3, 1, 0, 2])
    attributes = [DataAttribute(avalanche.tensors[1].tolist(), "targets"), TaskLabels([0] * 8)]
    avalanche = make_avalanche_dataset(avalanche, data_attributes=attributes)
    datasets = [plain, Bare(bare), subset, avalanche]
    benchmark = parallel_benchmark(
        datasets, datasets, Timeline.joint([2, 2, 1, 2]), batch_size=4, scenario="task"
    )
    ids, classes, tasks = samples_of(benchmark.train_stream[0])
    assert sorted(set(tasks)) == [0, 1, 2, 3]
    assert [i // 1000 for i in ids] == tasks
    assert [c // 2 for c in classes] == tasks


def test_transforms_of_avalanche_data_sets_are_kept():
    (dataset,) = toy_datasets([8])
    groups = TransformGroups({"train": (lambda x: x + 1, None), "eval": (None, None)})
    shifted = make_avalanche_dataset(
        dataset,
        data_attributes=[DataAttribute(dataset.tensors[1].tolist(), "targets")],
        transform_groups=groups,
    )
    benchmark = parallel_benchmark([shifted], [dataset], Timeline.serial([2]), batch_size=4)
    data = benchmark.train_stream[0].dataset
    assert torch.equal(data.train()[0][0], data.eval()[0][0] + 1)


def one_labelled_dataset():
    x = torch.randn(60, 3)
    y = torch.arange(60) % 6
    return TensorDataset(x, y)


def test_from_classes():
    data = one_labelled_dataset()
    timeline = Timeline.overlapping([100, 100], 0.5)
    benchmark = parallel_benchmark_from_classes(
        data, data, [[4, 0], [5, 1, 2]], timeline, batch_size=5
    )
    assert benchmark.label_sets == ((0, 4), (1, 2, 5))
    assert benchmark.timeline.spans == ((0, 3), (2, 7))
    assert benchmark.num_classes == 6
    classes = Counter(c for e in benchmark.train_stream for c in samples_of(e)[1])
    assert classes == {0: 10, 4: 10, 1: 10, 2: 10, 5: 10}


@pytest.mark.parametrize(
    ("label_sets", "message"),
    [
        ([], "`label_sets` must have at least one task"),
        ([[0], []], r"`label_sets\[1\]` is empty"),
        ([[0, 0], [1]], r"`label_sets\[0\]` has class 0 twice"),
        ([[0, 1], [1]], "class 1 is in task 0 and in task 1"),
        ([[0, 9]], r"`train` has no sample of class 9, which is in `label_sets\[0\]`"),
        ([[-1]], "negative class -1"),
    ],
)
def test_bad_label_sets(label_sets, message):
    data = one_labelled_dataset()
    with pytest.raises(ValueError, match=message):
        parallel_benchmark_from_classes(data, data, label_sets, batch_size=5)


def test_class_without_test_samples():
    data = one_labelled_dataset()
    few = Subset(data, [i for i in range(60) if i % 6 != 3])
    with pytest.raises(ValueError, match="`test` has no sample of class 3"):
        parallel_benchmark_from_classes(data, few, [[2, 3]], batch_size=5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timeline": Timeline.serial([2, 2])}, "one data set for each of the 2 tasks.*found 3"),
        (
            {"timeline": Timeline.serial([2, 2, 3])},
            r"`timeline.spans\[2\]` lasts 3 ticks, but 8 samples in minibatches of 4.*need 2: use "
            r"`timeline.fit\(\[2, 2, 2\]\)`",
        ),
        ({"scenario": "domain"}, "`scenario` must be 'task' or 'class', found 'domain'"),
        ({"batch_size": 0}, "`batch_size` must be at least 1, found 0"),
        ({"task_names": ["a", "b"]}, "`task_names` must be 3 distinct names"),
        ({"task_names": ["a", "b", "a"]}, "3 distinct names"),
        ({"task_names": ["a", "b", "memory"]}, "must not start with 'memory'"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {
        "timeline": Timeline.serial([2, 2, 2]),
        "batch_size": 4,
        "scenario": "class",
        **change,
    }
    datasets = toy_datasets([8, 8, 8])
    with pytest.raises(ValueError, match=message):
        parallel_benchmark(datasets, datasets, **arguments)


def test_overlapping_classes_of_data_sets():
    first, _ = toy_datasets([8, 8])
    with pytest.raises(ValueError, match="class 0 is in task 0 and in task 1"):
        parallel_benchmark([first, first], [first, first], Timeline.serial([2, 2]), batch_size=4)


def test_test_set_with_other_classes():
    first, second = toy_datasets([8, 8])
    with pytest.raises(ValueError, match=r"`test_datasets\[0\]` has classes \[2, 3\]"):
        parallel_benchmark([first], [second], Timeline.serial([2]), batch_size=4)


def test_empty_test_set():
    (first,) = toy_datasets([8])
    with pytest.raises(ValueError, match=r"`test_datasets\[0\]` is empty"):
        parallel_benchmark([first], [Subset(first, [])], Timeline.serial([2]), batch_size=4)


def test_targets_that_are_not_class_labels():
    data = TensorDataset(torch.randn(4, 2), torch.tensor([0.0, 0.5, 1.0, 1.0]))
    with pytest.raises(ValueError, match=r"`train_datasets\[0\]` must have integer class labels"):
        parallel_benchmark([data], [data], Timeline.serial([1]), batch_size=4)


def test_other_elements_of_samples_are_dropped():
    datasets = [TensorDataset(*d.tensors, torch.full((8,), 7)) for d in toy_datasets([8, 8])]
    benchmark = parallel_benchmark(datasets, datasets, Timeline.serial([2, 2]), batch_size=4)
    assert len(benchmark.train_stream[0].dataset[0]) == 3


@pytest.mark.parametrize("convert", [torch.Tensor.int, torch.Tensor.float, lambda y: y[:, None]])
def test_labels_of_any_integer_kind(convert):
    (data,) = toy_datasets([8])
    data = TensorDataset(data.tensors[0], convert(data.tensors[1]))
    benchmark = parallel_benchmark([data], [data], Timeline.serial([2]), batch_size=4)
    batch = next(iter(TickLoader(benchmark.train_stream[0])))
    assert batch[1].dtype == torch.int64
    assert batch[1].shape == (4,)


def test_targets_that_are_not_the_samples_labels():
    (data,) = toy_datasets([8])
    data.targets = [label + 1 for label in data.tensors[1].tolist()]
    with pytest.raises(ValueError, match=r"label 1 in its `targets` .* has 0: apply its target_tr"):
        parallel_benchmark([data], [data], Timeline.serial([2]), batch_size=4)

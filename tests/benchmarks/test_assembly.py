import pytest
from avalanche.benchmarks.utils import (
    DataAttribute,
    TaskLabels,
    make_avalanche_dataset,
)
from torch.utils.data import Dataset, Subset

from avalanche_emgd import Timeline, parallel_benchmark, parallel_benchmark_from_classes
from tests.toy import one_labelled_dataset, samples_of, toy_benchmark, toy_datasets


def test_only_the_last_minibatch_of_a_span_is_short():
    benchmark = toy_benchmark((20, 13, 16))
    sizes = {0: [], 1: [], 2: []}
    for experience in benchmark.train_stream:
        for tick in experience.deliveries:
            for d in tick:
                sizes[d.task].append(d.stop - d.start)
    assert sizes == {0: [4] * 5, 1: [4, 4, 4, 1], 2: [4] * 4}


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


def test_class_without_test_samples():
    data = one_labelled_dataset()
    few = Subset(data, [i for i in range(60) if i % 6 != 3])
    with pytest.raises(ValueError, match="`test` has no sample of class 3"):
        parallel_benchmark_from_classes(data, few, [[2, 3]], batch_size=5)


def test_test_set_with_other_classes():
    first, second = toy_datasets([8, 8])
    with pytest.raises(ValueError, match=r"`test_datasets\[0\]` has classes \[2, 3\]"):
        parallel_benchmark([first], [second], Timeline.serial([2]), batch_size=4)


def test_empty_test_set():
    (first,) = toy_datasets([8])
    with pytest.raises(ValueError, match=r"`test_datasets\[0\]` is empty"):
        parallel_benchmark([first], [Subset(first, [])], Timeline.serial([2]), batch_size=4)

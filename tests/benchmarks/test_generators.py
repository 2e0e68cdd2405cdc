from collections import Counter

import pytest

from avalanche_emgd import Timeline, parallel_benchmark, parallel_benchmark_from_classes
from tests.toy import one_labelled_dataset, samples_of, toy_benchmark, toy_datasets


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


def test_seed_decides_the_order():
    orders = [[samples_of(e)[0] for e in toy_benchmark(seed=s).train_stream] for s in (0, 0, 1)]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


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


def test_overlapping_classes_of_data_sets():
    first, _ = toy_datasets([8, 8])
    with pytest.raises(ValueError, match="class 0 is in task 0 and in task 1"):
        parallel_benchmark([first, first], [first, first], Timeline.serial([2, 2]), batch_size=4)

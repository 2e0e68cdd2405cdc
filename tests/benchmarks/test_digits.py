import pytest

from avalanche_emgd import (
    Timeline,
    ps_digits,
)


def test_digits():
    benchmark = ps_digits(seed=3)
    assert len(benchmark.label_sets) == 5
    assert sorted(c for labels in benchmark.label_sets for c in labels) == list(range(10))
    assert sum(len(e.dataset) for e in benchmark.train_stream) == 1437
    assert sum(len(e.dataset) for e in benchmark.test_stream) == 360
    x, y, t = benchmark.train_stream[0].dataset[0]
    assert x.shape == (1, 8, 8)
    assert -1.0 <= float(x.min()) <= float(x.max()) <= 1.0
    assert int(y) in benchmark.label_sets[int(t)]


def test_digits_with_given_label_sets_and_time_line():
    benchmark = ps_digits(label_sets=[[0, 1], [2, 3, 4]], timeline=Timeline.joint([1, 1]))
    assert benchmark.label_sets == ((0, 1), (2, 3, 4))
    assert [first for first, _ in benchmark.timeline.spans] == [0, 0]


def test_digits_seed():
    same, again, other = (ps_digits(seed=s) for s in (0, 0, 1))
    assert (same.label_sets, same.timeline) == (again.label_sets, again.timeline)
    assert (same.label_sets, same.timeline) != (other.label_sets, other.timeline)


def test_digits_empty_label_sets():
    with pytest.raises(ValueError, match="`label_sets` must have at least one task"):
        ps_digits(label_sets=[])


@pytest.mark.parametrize("num_tasks", [0, 11])
def test_digits_bad_number_of_tasks(num_tasks):
    with pytest.raises(ValueError, match=rf"`num_tasks` must be in 1..10, found {num_tasks}"):
        ps_digits(num_tasks=num_tasks)

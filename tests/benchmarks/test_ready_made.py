import pytest
import torch

from avalanche_emgd import Protocol, Timeline, ps_digits, ps_emnist


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


def test_digits_of_ones_own_making():
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


def test_emnist(shared_data, published_protocol):
    label_sets, timeline = Protocol.load(published_protocol).select(0, 0)
    benchmark = ps_emnist(shared_data, label_sets=label_sets, timeline=timeline)
    assert benchmark.num_classes == 62
    assert benchmark.label_sets == tuple(tuple(sorted(labels)) for labels in label_sets)
    assert sum(len(e.dataset) for e in benchmark.train_stream) == 60_457
    assert sum(len(e.dataset) for e in benchmark.test_stream) == 12_220
    data = benchmark.train_stream[0].dataset
    x = torch.stack([data[i][0] for i in range(2000)])
    assert x.shape[1:] == (1, 28, 28)
    assert abs(float(x.mean())) < 0.1
    assert abs(float(x.std()) - 1.0) < 0.1


def test_emnist_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="--download"):
        ps_emnist(tmp_path / "nowhere")

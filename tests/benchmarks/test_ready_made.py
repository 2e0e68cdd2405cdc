import torch
from torch.utils.data import TensorDataset

from avalanche_emgd import Timeline
from avalanche_emgd._options import with_defaults
from avalanche_emgd.benchmarks._ready_made import divided
from avalanche_emgd.benchmarks.stream_options import StreamOptions

CLASSES = [3, 5, 8, 9]


DATA = TensorDataset(torch.arange(32.0).view(16, 2), torch.tensor(CLASSES * 4))


def benchmark(**options):
    chosen = with_defaults(StreamOptions, options, "f", batch_size=4, num_tasks=2)
    return divided(DATA, DATA, CLASSES, chosen, class_names={3: "three"})


def test_random_label_sets_follow_the_seed():
    found = benchmark(timeline=Timeline.serial([2, 2]))
    assert sorted(label for own in found.label_sets for label in own) == [0, 1, 2, 3]
    assert "three" in found.class_names.values()
    assert found == benchmark(timeline=Timeline.serial([2, 2]))


def test_given_label_sets_are_those_of_the_data():
    found = benchmark(label_sets=[[9], [3, 5]], timeline=Timeline.serial([1, 2]))
    assert list(map(len, found.label_sets)) == [1, 2]
    assert found.class_names[found.label_sets[1][0]] == "three"

"""Ways in which data sets load: transforms, many samples at once, collate functions."""

import numpy as np
import pytest
import torch
from avalanche.benchmarks.utils import (
    DataAttribute,
    TransformGroups,
    make_avalanche_dataset,
)
from torch.utils.data import ConcatDataset, Subset, TensorDataset

from avalanche_emgd import (
    Timeline,
    parallel_benchmark,
)
from avalanche_emgd.benchmarks._examination import Examination
from tests.benchmarks.made_data import SETS, Made, all_ticks, from_classes, trained


class Torchvision(Made):
    """Data set like torchvision's, with ``targets`` before the transform."""

    def __init__(self, transform, at=None):
        super().__init__()
        self.targets = [index % 4 for index in range(40)]
        self.target_transform = transform
        self.at = at

    def __getitem__(self, index):
        label = self.target_transform(self.targets[index])
        return self.x(index), label + (index == self.at)


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, range(8, 40))])
def test_target_transforms_are_applied(wrap):
    benchmark = from_classes(wrap(Torchvision(lambda y: 3 - y)))
    for experience in benchmark.train_stream:
        for x, y, t in experience.load_ticks():
            assert (y == 3 - x[:, 0].long() % 4).all()
            assert (t == y // 2).all()
    memory = trained(benchmark).memory
    x, y, _ = memory.take(torch.arange(len(memory)))
    assert (y == 3 - x[:, 0].long() % 4).all()


def test_targets_that_disagree_somewhere():
    with pytest.raises(ValueError, match=r"label 1 in its `targets` where sample 37 has 2"):
        from_classes(Torchvision(int, at=37))

    class Shifted(Subset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x, (y + 1) % 4

        def __getitems__(self, indices):
            return [self[index] for index in indices]

    # Labels of a subclass of Subset are those of its samples, not of the whole data set.
    tensors = TensorDataset(torch.randn(40, 3), torch.arange(40) % 4)
    examination = Examination(Shifted(tensors, range(40)), "train")
    assert examination.labels == [(index + 1) % 4 for index in range(40)]

    class Other(TensorDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x, 3 - y

    assert Examination(Other(*tensors.tensors), "train").labels[:4] == [3, 2, 1, 0]


class Many(Made):
    def __getitems__(self, indices):
        return [Made.__getitem__(self, index) for index in indices]


class Negative(Many):
    """Data set that overrides ``__getitem__`` and inherits ``__getitems__``."""

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return -x, y


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, range(40))])
@pytest.mark.parametrize(("kind", "sign"), [(Many, 1.0), (Negative, -1.0)])
def test_loading_many_at_once_is_loading_one_by_one(wrap, kind, sign):
    for x, y, _ in all_ticks(from_classes(wrap(kind()))):
        assert (x * sign >= 0).all()
        assert (y == (sign * x[:, 0]).long() % 4).all()


def avalanche(transform_groups=None, collate_fn=None, targets=None, size=40):
    data = TensorDataset(torch.arange(size)[:, None] + torch.zeros(3), torch.arange(size) % 4)
    targets = [index % 4 for index in range(size)] if targets is None else targets
    return make_avalanche_dataset(
        data,
        data_attributes=[DataAttribute(targets, "targets")],
        transform_groups=transform_groups,
        collate_fn=collate_fn,
    )


def minus(target):
    return 3 - target


@pytest.mark.parametrize("parts", ["from classes", "task by task"])
def test_target_transforms_of_avalanche_are_applied(parts):
    groups = TransformGroups({"train": (None, minus), "eval": (None, minus)})
    if parts == "from classes":
        benchmark = from_classes(avalanche(groups))
    else:
        halves = [avalanche(groups).subset([i for i in range(40) if i % 4 in s]) for s in SETS]
        benchmark = parallel_benchmark(halves, halves, Timeline.joint([3, 3]), batch_size=8)
        assert benchmark.label_sets == ((2, 3), (0, 1))
    for experience in benchmark.train_stream:
        for x, y, _ in experience.load_ticks():
            assert (y == 3 - x[:, 0].long() % 4).all()
    memory = trained(benchmark).memory
    x, y, _ = memory.take(torch.arange(len(memory)))
    assert (y == 3 - x[:, 0].long() % 4).all()


def test_target_transforms_of_training_alone_are_refused():
    groups = TransformGroups({"train": (None, minus), "eval": (None, None)})
    with pytest.raises(ValueError, match=r"sample 0 has the label 3 after training transforms, 0"):
        from_classes(avalanche(groups))


def column(target):
    return torch.tensor([float(target)])


def test_unusual_labels_of_avalanche_are_converted():
    groups = TransformGroups({"train": (None, column), "eval": (None, column)})
    benchmark = from_classes(avalanche(groups))
    x, y, _ = next(benchmark.train_stream[0].load_ticks())
    assert y.dtype == torch.int64
    assert (y == x[:, 0].long() % 4).all()
    trained(benchmark)


def padded(samples):
    columns = list(zip(*samples, strict=True))
    x = torch.stack([torch.cat([x, torch.zeros(1)]) for x in columns[0]])
    return [x, *map(torch.tensor, columns[1:])]


def centred(samples):
    x, *rest = zip(*samples, strict=True)
    return [torch.stack(x) - torch.stack(x).mean(0), *map(torch.tensor, rest)]


def test_collate_functions():
    data = avalanche(collate_fn=padded)
    benchmark = from_classes(data)
    assert benchmark.input_shape == (4,)
    assert benchmark.train_stream[0].load(benchmark.train_stream[0].deliveries[0])[0].shape[1] == 4
    strategy = trained(benchmark)
    assert strategy.memory.inputs.shape[1:] == (4,)
    with pytest.raises(ValueError, match="collate_fn that does more than stack samples"):
        from_classes(avalanche(collate_fn=centred))
    bare = Made()
    bare.collate_fn = padded
    with pytest.raises(ValueError, match="`train` has a collate_fn that"):
        from_classes(bare)
    halves = [d.subset([i for i in range(40) if i % 4 in s]) for d, s in zip(
        (avalanche(), data), SETS, strict=True)]  # fmt: skip
    with pytest.raises(ValueError, match="must have one collate_fn"):
        parallel_benchmark(halves, halves, Timeline.serial([3, 3]), batch_size=8)


@pytest.mark.parametrize("kind", [TensorDataset, lambda x, y: ConcatDataset([TensorDataset(x, y)])])
def test_subsets_by_any_index(kind):
    data = kind(torch.arange(40.0)[:, None] + torch.zeros(3), torch.arange(40) % 4)
    for indices in (range(-40, 0), np.arange(40), torch.arange(-1, 39), list(range(39, -41, -1))):
        benchmark = from_classes(Subset(data, indices))
        x = torch.cat([tick[0] for tick in all_ticks(benchmark)])
        y = torch.cat([tick[1] for tick in all_ticks(benchmark)])
        assert (y == x[:, 0].long() % 4).all()
        assert sorted(x[:, 0].tolist()) == sorted(float(range(40)[int(i)]) for i in indices)
    for bad in (40, -41):
        with pytest.raises(ValueError, match=rf"a Subset whose indices\[2\] is {bad}, outside of"):
            from_classes(Subset(Subset(data, [0, 1, bad]), [0]))


def test_own_ways_of_loading_many_at_once_are_compared():
    class Loads(Made):
        def load_inputs(self, indices):
            return torch.zeros(len(indices), 3)

    data = Loads(lambda i: torch.zeros(4))
    data.targets = [index % 4 for index in range(40)]
    with pytest.raises(ValueError, match="give different inputs for sample 0"):
        from_classes(data)

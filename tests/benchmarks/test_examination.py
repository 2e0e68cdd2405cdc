"""Data sets of all kinds are used correctly from end to end, or refused with the sample's index."""

import random
import re

import numpy as np
import pytest
import torch
from avalanche.benchmarks.utils import (
    DataAttribute,
    TransformGroups,
    as_classification_dataset,
    make_avalanche_dataset,
)
from PIL import Image
from torch.utils.data import ConcatDataset, Dataset, IterableDataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor

from avalanche_emgd import (
    MLP,
    EMGDStrategy,
    Timeline,
    parallel_benchmark,
    parallel_benchmark_from_classes,
)
from avalanche_emgd.benchmarks import _examination, generators
from avalanche_emgd.benchmarks._examination import Examination
from tests.toy import toy_datasets

SETS = [[0, 1], [2, 3]]


def vector(index):
    return torch.full((3,), float(index))


class Made(Dataset):
    """40 samples ``(x(i), y(i % 4))``."""

    def __init__(self, x=vector, y=int, size=40):
        self.x, self.y, self.size = x, y, size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return self.x(index), self.y(index % 4)


def from_classes(data, sets=SETS, **options):
    return parallel_benchmark_from_classes(data, data, sets, batch_size=8, **options)


def as_one_task(data):
    return parallel_benchmark([data], [data], Timeline.serial([5]), batch_size=8)


def trained(benchmark, memory_editing=None):
    """Train, replay and test on a benchmark."""
    features = int(np.prod(benchmark.input_shape))
    model = MLP(benchmark.num_classes, in_features=features, hidden=(4,))
    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.01),
        memory_size=8,
        memory_editing=memory_editing,
        evaluator=None,
    )
    strategy.train(benchmark.train_stream)
    strategy.eval(benchmark.test_stream)
    return strategy


LABELS = {
    "int": int,
    "bool-like": np.int8,
    "numpy int64": np.int64,
    "numpy uint8": np.uint8,
    "numpy float": np.float32,
    "float": float,
    "0-d tensor": torch.tensor,
    "0-d float tensor": lambda y: torch.tensor(float(y)),
    "uint8 tensor": lambda y: torch.tensor(y, dtype=torch.uint8),
    "(1,) tensor": lambda y: torch.tensor([y]),
    "(1,) array": lambda y: np.array([y]),
    "(1, 1) array": lambda y: np.array([[y]], dtype=np.uint16),
    "0-d array": lambda y: np.array(y),
}


@pytest.mark.parametrize("kind", LABELS.values(), ids=LABELS)
def test_labels_of_samples(kind):
    benchmark = from_classes(Made(y=kind))
    plain = from_classes(Made())
    assert benchmark.label_sets == ((0, 1), (2, 3))
    for one, other in zip(benchmark.train_stream, plain.train_stream, strict=True):
        for a, b in zip(one.load_ticks(), other.load_ticks(), strict=True):
            assert list(map(torch.equal, a, b)) == [True, True, True]


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        torch.tensor,
        np.array,
        lambda y: np.array(y, dtype=np.uint8)[:, None],
        lambda y: torch.tensor(y, dtype=torch.float64),
        lambda y: torch.tensor(y, dtype=torch.bfloat16),
        lambda y: [torch.tensor(each) for each in y],
        lambda y: [np.array([each]) for each in y],
        lambda y: np.array(y, dtype=object),
    ],
)
def test_targets_of_data_sets(kind):
    data = Made()
    data.targets = kind([index % 4 for index in range(40)])
    benchmark = from_classes(data)
    assert benchmark.label_sets == ((0, 1), (2, 3))
    assert set(benchmark.train_stream[0].labels.tolist()) <= {0, 1, 2, 3}


def test_booleans_are_two_classes():
    data = Made(y=lambda y: y > 1)
    assert from_classes(data, [[0], [1]]).label_sets == ((0,), (1,))
    data.targets = np.arange(40) % 4 > 1
    assert from_classes(data, [[False], [True]]).label_sets == ((0,), (1,))


@pytest.mark.parametrize(
    "sets",
    [
        torch.tensor(SETS),
        np.array(SETS),
        list(torch.tensor(SETS)),
        [range(2), range(2, 4)],
        [{1, 0}, {3, 2}],
        [np.array([0, 1], dtype=np.uint8), (np.int64(2), 3.0)],
    ],
)
def test_label_sets_of_any_kind(sets):
    assert from_classes(Made(), sets).label_sets == ((0, 1), (2, 3))


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (3, "`label_sets` must be a sequence of label sets, found int"),
        ([0, 1], "`label_sets[0]` must be a set of integer class labels, found '0'"),
        (["01", "23"], "`label_sets[0]` must be a set of integer class labels, found '01'"),
        ([[0], [0.5]], "`label_sets[1]` must be a set of integer class labels, found '[0.5]'"),
        ([[0], [None]], "`label_sets[1]` must be a set of integer class labels"),
        (torch.tensor([0, 1]), "`label_sets[0]` must be a set of integer class labels"),
    ],
)
def test_invalid_label_sets(sets, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        from_classes(Made(), sets)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (lambda y: y + 0.5, "0.5 at index 0"),
        (lambda y: float("nan") if y == 2 else y, "nan at index 2"),
        (lambda y: str(y), "'0' at index 0"),
        (lambda y: None, "None at index 0"),
        (lambda y: torch.eye(4)[y], "a target of shape (4,) at index 0"),
        (lambda y: np.zeros((2, 2)), "a target of shape (2, 2) at index 0"),
        (lambda y: [y], "[0] at index 0"),
        (lambda y: 2**63 if y == 3 else y, "9223372036854775808 at index 3"),
        (lambda y: torch.tensor([]), "a target of shape (0,) at index 0"),
    ],
)
@pytest.mark.parametrize("declared", [False, True])
def test_targets_that_are_not_classes(kind, found, declared):
    data = Made(y=kind)
    if declared:
        data.targets = [kind(index % 4) for index in range(40)]
    for make, name in ((from_classes, "train"), (as_one_task, "train_datasets[0]")):
        with pytest.raises(ValueError, match=re.escape(f"`{name}` must have ")) as e:
            make(data)
        remedy = "number the classes" if "9223" in found else "replace one-hot vectors"
        assert f"found {found}: {remedy}" in str(e.value)


INPUTS = {
    "Pillow": (lambda i: Image.new("L", (4, 4)), "sample 0 is a Pillow image of mode L"),
    "dict": (lambda i: {"x": torch.zeros(3)}, "sample 0 is of type dict"),
    "list": (lambda i: [0.0, 1.0], "sample 0 is of type list"),
    "text": (lambda i: "three", "sample 0 is of type str"),
    "number": (lambda i: 3.0, "sample 0 is of type float"),
    "objects": (lambda i: np.array([None]), "sample 0 cannot be a tensor"),
    "sparse": (lambda i: torch.eye(3).to_sparse(), "sample 0 is a tensor of layout"),
    "shapes": (
        lambda i: torch.zeros(3 + (i == 37)),
        "sample 0 is float32 [3], sample 37 is float32 [4]",
    ),
    "types": (
        lambda i: torch.zeros(3, dtype=torch.float64 if i == 9 else torch.float32),
        "sample 0 is float32 [3], sample 9 is float64 [3]",
    ),
    "late text": (lambda i: "three" if i == 39 else torch.zeros(3), "sample 39 is of type str"),
    "empty": (lambda i: torch.zeros(2, 0), "sample 0 is empty: its shape is [2, 0]"),
    "NaN": (
        lambda i: torch.tensor([0.0, float("nan") if i == 21 else 0.0]),
        "sample 21 has NaN or infinite",
    ),
    "infinite": (
        lambda i: np.array([0.0, -np.inf if i == 39 else 0.0]),
        "sample 39 has NaN or infinite",
    ),
    "broken": (lambda i: 1 / (i - 30) and torch.zeros(3), "sample 30 cannot be loaded: ZeroDiv"),
}


@pytest.mark.parametrize(("make", "message"), INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("part", ["train", "test"])
def test_inputs_that_cannot_be_used(make, message, declared, part):
    good, bad = Made(lambda i: torch.zeros(3)), Made(make)
    if declared:
        bad.targets = [index % 4 for index in range(40)]
    pair = (bad, good) if part == "train" else (good, bad)
    with pytest.raises(ValueError, match=f"`{part}`.*{re.escape(message)}"):
        parallel_benchmark_from_classes(*pair, SETS, batch_size=8)
    timeline = Timeline.serial([5, 5])
    halves = [[Subset(d, [i for i in range(40) if i % 4 in own]) for own in SETS] for d in pair]
    with pytest.raises(ValueError, match=rf"`{part}_datasets\[[01]\]`"):
        parallel_benchmark(*halves, timeline.fit([3, 3]), batch_size=8)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: Subset(d, range(39, -1, -1))])
def test_tensors_that_are_not_finite(bad, wrap):
    x = torch.zeros(40, 3)
    x[25, 1] = bad
    data = wrap(TensorDataset(x, torch.arange(40) % 4))
    index = 25 if isinstance(data, TensorDataset) else 14
    with pytest.raises(ValueError, match=f"`train`: the input of sample {index} has NaN"):
        from_classes(data)
    # No label set contains the class of the sample.
    label = int(data[index][1])
    others = [[c] for c in range(4) if c != label]
    assert len(from_classes(data, others).label_sets) == 3


@pytest.mark.parametrize(
    "kind",
    [
        np.float32,
        lambda x: torch.tensor(x, dtype=torch.float32),
        lambda x: np.asfortranarray(np.array(x, dtype=np.float32)),
    ],
)
def test_arrays_and_tensors_from_end_to_end(kind):
    benchmark = from_classes(Made(lambda i: kind([[i, 1.0], [2.0, 0.5]])))
    strategy = trained(benchmark, memory_editing="distance")
    assert strategy.memory.inputs.dtype == torch.float32
    assert strategy.memory.inputs.shape[1:] == (2, 2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1, 2], "`train` must be a data set of (input, class label)"),
        (TensorDataset(torch.zeros(3)), "`train` must have inputs and class labels"),
        (
            type("Endless", (IterableDataset,), {"__iter__": lambda s: iter(())})(),
            "`train` must have a length",
        ),
        (type("Dicts", (Made,), {"__getitem__": lambda s, i: {}})(), "sample 0 is of type dict"),
        (type("One", (Made,), {"__getitem__": lambda s, i: (0,)})(), "sample 0 is of type tuple"),
    ],
)
def test_objects_that_are_not_data_sets(data, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        from_classes(data)


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


@pytest.mark.parametrize(
    "x", [torch.eye(40).to_sparse(), torch.zeros(40, 0), torch.zeros(40, 2, 0)]
)
def test_tensors_that_cannot_be_inputs(x):
    with pytest.raises(ValueError, match="`train` must have dense inputs of at least one number"):
        from_classes(TensorDataset(x, torch.arange(40) % 4))


def test_tasks_of_different_inputs():
    sets = [TensorDataset(torch.randn(8, 3 + task), torch.full((8,), task)) for task in range(2)]
    with pytest.raises(ValueError, match=r"task 0 has float32 \[3\], task 1 has float32 \[4\]"):
        parallel_benchmark(sets, sets, Timeline.joint([1, 1]), batch_size=8)
    serial = parallel_benchmark(sets, sets, Timeline.serial([1, 1]), batch_size=8)
    assert [e.load(e.deliveries[0])[0].shape[1] for e in serial.train_stream] == [3, 4]


def test_a_broken_image_of_a_folder_is_named(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for index in range(3):
            pixels = np.random.default_rng(index).integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{index}.jpg")
    broken = tmp_path / "b" / "1.jpg"
    broken.write_bytes(broken.read_bytes()[:500])
    data = ImageFolder(str(tmp_path), transform=ToTensor())
    with pytest.raises(ValueError, match=r"`train`: sample 4 \(.*b/1.jpg\) cannot be loaded"):
        from_classes(data, [[0], [1]])
    few = Subset(data, [0, 1, 5, 4])
    with pytest.raises(ValueError, match=r"`train`: sample 3 \(.*b/1.jpg\) cannot be loaded"):
        from_classes(few, [[0], [1]])


def all_ticks(benchmark):
    return [tick for experience in benchmark.train_stream for tick in experience.load_ticks()]


def test_large_data_are_checked_at_spread_samples_and_when_delivered(monkeypatch):
    monkeypatch.setattr(generators, "CHECKED_SAMPLES", 5)
    loaded = []

    def watched(index):
        loaded.append(index)
        return torch.zeros(3)

    data = Made(watched)
    data.targets = [index % 4 for index in range(40)]
    benchmark = from_classes(data)
    assert len(set(loaded)) == 5
    list(benchmark.train_stream[0].load_ticks())

    for x, y, found in (
        (lambda i: torch.full((3,), float("nan") if i == 11 else 0.0), int, "NaN"),
        (lambda i: Image.new("L", (2, 2)) if i == 11 else torch.zeros(3), int, "Pillow"),
        (lambda i: torch.zeros(3 + (i == 11)), int, "cannot be joined"),
    ):
        data = Made(x, y)
        data.targets = [index % 4 for index in range(40)]
        with pytest.raises(ValueError, match=rf"Task 1: samples? .*{found}"):
            all_ticks(from_classes(data))

    class Late(Made):
        def __getitem__(self, index):
            return torch.zeros(3), index % 4 + (index == 12)

    data = Late()
    data.targets = [index % 4 for index in range(40)]
    with pytest.raises(ValueError, match=r"Task 0: sample 6 .*has the label 1, another"):
        all_ticks(from_classes(data))


def test_the_examination_does_not_change_the_generators():
    def noisy(index):
        return torch.rand(3) + random.random() + np.random.rand()  # noqa: NPY002

    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = noisy(0)
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    from_classes(Made(noisy))
    assert torch.equal(noisy(0), expected)
    with pytest.raises(ValueError, match="sample 3"):
        from_classes(Made(lambda i: torch.rand(3 if i != 3 else 4)))


def test_own_ways_of_loading_many_at_once_are_compared():
    class Loads(Made):
        def load_inputs(self, indices):
            return torch.zeros(len(indices), 3)

    data = Loads(lambda i: torch.zeros(4))
    data.targets = [index % 4 for index in range(40)]
    with pytest.raises(ValueError, match="give different inputs for sample 0"):
        from_classes(data)


def test_concatenations_and_empty_data():
    parts = ConcatDataset([Made(), Made()])
    assert sum(from_classes(parts).task_sizes) == 80
    (data,) = toy_datasets([8])
    empty = Subset(data, [])
    for train, test, name in ((empty, data, "train"), (data, empty, "test")):
        with pytest.raises(ValueError, match=rf"`{name}_datasets\[0\]` is empty"):
            parallel_benchmark([train], [test], Timeline.serial([2]), batch_size=4)
    assert _examination.Examination(empty, "train").inputs(None, 10) is None


def test_ordinary_avalanche_data_sets_are_taken():
    (data,) = toy_datasets([8])
    data.targets = data.tensors[1].tolist()
    wrapped = as_classification_dataset(data)
    benchmark = parallel_benchmark([wrapped], [wrapped], Timeline.serial([2]), batch_size=4)
    assert benchmark.input_kinds.train == benchmark.input_kinds.test

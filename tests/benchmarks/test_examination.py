"""Data sets of all kinds are used correctly from end to end, or refused with the sample's index."""

import random
import re

import numpy as np
import pytest
import torch
from avalanche.benchmarks.utils import (
    as_classification_dataset,
)
from PIL import Image
from torch.utils.data import ConcatDataset, IterableDataset, Subset, TensorDataset
from torchvision.datasets import ImageFolder
from torchvision.transforms import ToTensor

from avalanche_emgd import (
    Timeline,
    parallel_benchmark,
    parallel_benchmark_from_classes,
)
from avalanche_emgd.benchmarks import _examination, generators
from tests.benchmarks.made_data import (
    SETS,
    Made,
    all_ticks,
    from_classes,
    trained,
)
from tests.toy import toy_datasets

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

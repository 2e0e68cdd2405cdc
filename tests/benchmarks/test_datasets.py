import pytest
import torch
from avalanche.benchmarks.utils import (
    DataAttribute,
    TransformGroups,
    make_avalanche_dataset,
)
from torch.utils.data import TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark
from avalanche_emgd.benchmarks import TickLoader
from tests.toy import toy_datasets


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

"""Arguments of wrong types are refused by name, before any data are loaded."""

import re

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset, TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark, parallel_benchmark_from_classes
from tests.toy import toy_datasets


class Untouchable(Dataset):
    def __len__(self):
        raise AssertionError("looked at")


SETTINGS = [
    ({"timeline": [(0, 1)]}, "`timeline` must be a Timeline, found '[(0, 1)]'"),
    ({"batch_size": "4"}, "`batch_size` must be an integer, found '4'"),
    ({"batch_size": 2.5}, "`batch_size` must be an integer, found 2.5"),
    ({"batch_size": True}, "`batch_size` must be an integer, found True"),
    ({"batch_size": 0}, "`batch_size` must be at least 1, found 0"),
    ({"epochs": 1.0}, "`epochs` must be an integer, found 1.0"),
    ({"epochs": -1}, "`epochs` must be at least 1, found -1"),
    ({"seed": None}, "`seed` must be an integer of 64 bits, found None"),
    ({"seed": 2**63}, "`seed` must be an integer of 64 bits, found 9223372036854775808"),
    ({"scenario": ["task"]}, "`scenario` must be 'task' or 'class', found ['task']"),
    ({"relabel": "yes"}, "`relabel` must be True or False, found 'yes'"),
    ({"task_names": [1]}, "`task_names` must be 1 distinct names, found [1]"),
    ({"task_names": "a"}, "`task_names` must be 1 distinct names, found ['a']"),
    ({"class_names": 3}, "`class_names` must map labels to names, or list the names"),
]


@pytest.mark.parametrize(("change", "message"), SETTINGS)
def test_settings(change, message):
    settings = {"timeline": Timeline.serial([2]), "batch_size": 4, **change}
    with pytest.raises(ValueError, match=re.escape(message)):
        parallel_benchmark([Untouchable()], [Untouchable()], **settings)
    with pytest.raises(ValueError, match=re.escape(message)):
        parallel_benchmark_from_classes(Untouchable(), Untouchable(), [[0]], **settings)


@pytest.mark.parametrize(
    ("datasets", "message"),
    [
        (None, "must be a list of data sets, one per task, found NoneType"),
        (Untouchable(), "must be a list of data sets, one per task, found Untouchable"),
        ([Untouchable()] * 2, "must have one data set for each of the 1 tasks"),
        ([None], "must be a data set of (input, class label)"),
    ],
)
def test_lists_of_data_sets(datasets, message):
    with pytest.raises(ValueError, match=re.escape(f"`train_datasets{'[0]' * ('(' in message)}`")):
        parallel_benchmark(datasets, [Untouchable()], Timeline.serial([2]), batch_size=4)


def test_numbers_of_numpy_and_names_in_a_list():
    data = TensorDataset(torch.randn(8, 3), torch.arange(8) % 2)
    benchmark = parallel_benchmark(
        (data,),
        (data,),
        Timeline.serial([4]),
        batch_size=np.int64(4),
        epochs=np.int32(2),
        seed=np.uint8(3),
        class_names=["cat", "dog"],
    )
    assert benchmark.class_names == {0: "cat", 1: "dog"}
    assert benchmark.task_sizes == (16,)


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

from types import SimpleNamespace

import pytest
import torch
from avalanche.benchmarks.scenarios import split_online_stream
from avalanche.benchmarks.utils import AvalancheDataset
from torch.utils.data import TensorDataset

from avalanche_emgd.benchmarks.datasets import with_labels
from avalanche_emgd.benchmarks.ordinary_experiences import check_kept, check_ordinary
from tests.toy import toy_benchmark


def experience(data):
    return SimpleNamespace(dataset=data)


def test_data_of_a_parallel_stream_stay_in_its_experiences():
    stream = toy_benchmark().train_stream
    check_kept(stream[0])
    check_ordinary(stream[0], 2, "experience 0")
    with pytest.raises(ValueError, match="but without its ticks and masks"):
        check_kept(next(iter(split_online_stream(stream, experience_size=2))))


def test_ordinary_data_have_class_labels():
    data = TensorDataset(torch.zeros(4, 2), torch.arange(4))
    check_ordinary(experience(with_labels(data, [0, 1, 2, 3], 0)), 2, "experience 0")
    check_ordinary(experience(data), 2, "experience 0")  # not Avalanche's: not looked at
    with pytest.raises(ValueError, match="`experience 0` must have class labels in the attribute"):
        check_ordinary(experience(AvalancheDataset([data])), 2, "experience 0")


def test_inputs_are_examined():
    rows = torch.zeros(4, 2)
    rows[:] = float("nan")
    data = with_labels(TensorDataset(rows, torch.arange(4)), [0, 1, 2, 3], 0)
    with pytest.raises(ValueError, match=r"experience 0.*NaN or infinite"):
        check_ordinary(experience(data), 2, "experience 0")

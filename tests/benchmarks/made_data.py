"""Data sets made of functions, and what is done with them."""

import numpy as np
import torch
from torch.utils.data import Dataset

from avalanche_emgd import (
    MLP,
    EMGDStrategy,
    Timeline,
    parallel_benchmark,
    parallel_benchmark_from_classes,
)

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


def all_ticks(benchmark):
    return [tick for experience in benchmark.train_stream for tick in experience.load_ticks()]

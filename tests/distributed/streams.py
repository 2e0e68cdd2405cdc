"""Streams on which several processes train."""

from functools import cache

import torch
from avalanche.benchmarks import class_incremental_benchmark
from avalanche.benchmarks.utils import as_classification_dataset
from torch.utils.data import TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark
from tests.toy import toy_benchmark, toy_datasets


def long_stream(scenario, dtype):
    """Four tasks of 52, 26, 50 and 30 ticks, at least two at a time, in 100 ticks."""
    spans = ((0, 51), (0, 25), (22, 71), (70, 99))
    return toy_benchmark((258, 130, 250, 148), 5, Timeline(spans), scenario, dtype)


def short_stream(scenario, dtype):
    """Three tasks in 12 ticks; the last minibatches have 1, 2 and 3 samples."""
    spans = ((0, 5), (0, 3), (4, 11))
    return toy_benchmark((26, 17, 38), 5, Timeline(spans), scenario, dtype)


def brief_stream(scenario, dtype):
    """Two tasks in 8 ticks."""
    return toy_benchmark((27, 25), 5, Timeline(((0, 5), (3, 7))), scenario, dtype)


def paired_stream(scenario, dtype):
    """Minibatches of at least four samples: batch norm cannot normalise a single one."""
    spans = ((0, 5), (0, 3), (4, 12))
    return toy_benchmark((46, 28, 68), 8, Timeline(spans), scenario, dtype)


def picture_stream(scenario, dtype):
    """Images of one row, in the ticks of the short stream."""
    sets = [
        TensorDataset(each.tensors[0].view(-1, 1, 1, 5), each.tensors[1])
        for each in toy_datasets((26, 17, 38), dtype=dtype)
    ]
    timeline = Timeline(((0, 5), (0, 3), (4, 11)))
    return parallel_benchmark(sets, sets, timeline, batch_size=5, scenario=scenario)


def serial_stream(scenario, dtype):
    """Tasks one after the other, with a lone objective at first: fewer than processes."""
    return toy_benchmark((20, 18), 4, Timeline(((0, 4), (5, 9))), scenario, dtype)


def ordinary_stream(scenario, dtype):
    """Avalanche's own benchmark, whose loader shuffles by the global generator."""
    data = torch.utils.data.ConcatDataset(toy_datasets((20, 17), dtype=dtype))
    data.targets = [int(data[i][1]) for i in range(len(data))]
    splits = {"train": as_classification_dataset(data), "test": as_classification_dataset(data)}
    return class_incremental_benchmark(splits, num_experiences=2, class_order=list(range(4)))


STREAMS = {
    "long": long_stream, "short": short_stream,
    "paired": paired_stream, "brief": brief_stream,
    "pictures": picture_stream, "serial": serial_stream, "ordinary": ordinary_stream,
}  # fmt: skip


@cache
def stream_of(name, scenario, dtype):
    """Make a benchmark once in each process; training does not change it."""
    return STREAMS[name](scenario, dtype)

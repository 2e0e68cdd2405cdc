"""Sources of numbered samples."""

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from avalanche_emgd.benchmarks.live.iterable_source import IterableSource
from avalanche_emgd.benchmarks.live.map_source import MapSource


def numbered(size, start=0, classes=(0, 1)):
    """Make samples whose inputs count from ``start``, and whose classes take turns."""
    x = start + torch.arange(float(size))[:, None]
    return TensorDataset(x, torch.tensor(classes)[torch.arange(size) % len(classes)])


class Slow(Dataset):
    """Data set whose samples load one by one."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return torch.tensor([float(index)]), index % 2


class Counting(IterableDataset):
    def __init__(self, size):
        self.size = size

    def __iter__(self):
        return ((torch.tensor([float(i)]), i % 2) for i in range(self.size))


SOURCES = {
    "in memory": lambda n: MapSource(numbered(n), "data"),
    "subset": lambda n: MapSource(Subset(numbered(n + 5), range(n)), "data", shuffle=False),
    "one by one": lambda n: MapSource(Slow(n), "data"),
    "two epochs": lambda n: MapSource(numbered(n), "data", epochs=2),
    "list": lambda n: IterableSource(list(numbered(n))),
    "IterableDataset": lambda n: IterableSource(Counting(n)),
    "loader": lambda n: IterableSource(DataLoader(numbered(n), batch_size=4)),
}


def all_of(source, size=4):
    return [(m.inputs[:, 0].tolist(), list(map(int, m.labels))) for m in source.batches(size)]


def drain(stream, on_tick=None):
    """Return the ticks of all segments, and the segments."""
    ticks, segments = [], []
    for segment in stream:
        segments.append(segment)
        while (batch := segment.next_tick()) is not None:
            ticks.append({p.objective: batch[0][p.start : p.stop, 0].tolist() for p in batch.parts})
            if on_tick is not None:
                on_tick(batch.tick)
    return ticks, segments

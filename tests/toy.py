"""A small parallel benchmark whose samples have identifiers."""

import torch
from torch.utils.data import TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark


def toy_datasets(sizes, features=4, seed=0, dtype=torch.float32):
    """Make two well separated classes per task; the last input of a sample is its identifier."""
    generator = torch.Generator().manual_seed(seed)
    centres = 3.0 * torch.randn(2 * len(sizes), features, generator=generator)
    datasets = []
    for task, size in enumerate(sizes):
        y = 2 * task + torch.arange(size) % 2
        x = centres[y] + 0.3 * torch.randn(size, features, generator=generator)
        ids = 1000.0 * task + torch.arange(size)
        datasets.append(TensorDataset(torch.cat([x, ids[:, None] / 1e5], dim=1).to(dtype), y))
    return datasets


def toy_benchmark(
    sizes=(20, 13, 16),
    batch_size=4,
    timeline=None,
    scenario="class",
    dtype=torch.float32,
    **options,
):
    """Make a benchmark, by default of three overlapping tasks."""
    if timeline is None:
        lengths = [-(-size // batch_size) for size in sizes]
        timeline = Timeline(((0, 4), (3, 6), (6, 9))[: len(sizes)]).fit(lengths)
    return parallel_benchmark(
        toy_datasets(sizes, dtype=dtype),
        toy_datasets([8] * len(sizes), dtype=dtype),
        timeline,
        batch_size=batch_size,
        scenario=scenario,
        **options,
    )


def ids_of(x):
    """Return the identifiers of samples ``[B, 5]``."""
    return (x[:, -1] * 1e5).round().long().tolist()


def samples_of(experience):
    """Return the identifiers, classes and tasks of the samples of an experience."""
    dataset = experience.dataset
    rows = [dataset[i] for i in range(len(dataset))]
    x = torch.stack([row[0] for row in rows])
    return ids_of(x), [int(row[1]) for row in rows], [int(row[2]) for row in rows]


def one_labelled_dataset():
    """Make 60 random samples of six classes."""
    x = torch.randn(60, 3)
    y = torch.arange(60) % 6
    return TensorDataset(x, y)

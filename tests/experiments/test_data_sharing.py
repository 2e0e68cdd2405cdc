"""Runs that follow each other share what has been decoded, and leave it as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.data_sharing import SuccessiveBenchmarks
from avalanche_emgd.experiments.run import execute

pytestmark = pytest.mark.usefixtures("nothing_shared")


def tensors_of(benchmark):
    """Tensors that hold the training and test data of all tasks."""
    found = {}
    for stream in (benchmark.train_stream, benchmark.test_stream):
        for experience in stream:
            for dataset in _roots(experience.dataset):
                for tensor in getattr(dataset, "tensors", ()):
                    found[tensor.data_ptr()] = tensor
    return list(found.values())


def _roots(dataset):
    inner = [*getattr(dataset, "_datasets", ())]
    inner += [
        getattr(dataset, name)
        for name in ("_dataset", "dataset", "_flat_data")
        if hasattr(dataset, name)
    ]
    return [root for each in inner for root in _roots(each)] or [dataset]


def test_the_next_benchmark_shares_the_data_of_the_latest():
    benchmarks = SuccessiveBenchmarks()
    config = RunConfig(num_tasks=2)
    first = tensors_of(benchmarks.make(config))
    assert len(first) == 4
    second = tensors_of(benchmarks.make(replace(config, seed=1)))
    assert all(one is other for one, other in zip(first, second, strict=True))


def test_other_data_take_the_place_of_the_latest(tmp_path):
    x, y = np.zeros((8, 4, 4), dtype=np.uint8), np.arange(8) % 4
    x[4:] = 255
    np.savez(tmp_path / "arrays.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    other = RunConfig(benchmark="npz", data_root=str(tmp_path / "arrays.npz"), num_tasks=2)
    benchmarks = SuccessiveBenchmarks()
    benchmarks.make(RunConfig(num_tasks=2))
    assert benchmarks.make(other) is benchmarks._latest
    assert benchmarks._data == ("npz", other.data_root, None)


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("emgd-gmc", {"memory_editing": {"rule": "agreement", "step": 0.5, "radius": 5.0}}),
        ("gmed", {}),
        ("mir", {}),
        ("er", {}),
        ("joint", {}),
    ],
)
def test_runs_leave_the_data_as_they_were(method, settings):
    config = RunConfig(num_tasks=2, method=method, settings=settings, batch_size=32)
    alone = execute(config, make_benchmark(config))
    benchmarks = SuccessiveBenchmarks()
    benchmark = benchmarks.make(config)
    before = [(tensor, tensor.clone()) for tensor in tensors_of(benchmark)]
    for _ in range(2):
        again = execute(config, benchmarks.make(config))
        assert again.result == alone.result
        assert again.curves == alone.curves
        assert again.trace == alone.trace
    assert all(
        one is tensor for one, (tensor, _) in zip(tensors_of(benchmark), before, strict=True)
    )
    assert all(torch.equal(tensor, copy) for tensor, copy in before)

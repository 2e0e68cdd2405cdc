from types import SimpleNamespace

import numpy as np
import pytest
import torch

from avalanche_emgd import (
    ps_cifar100,
)
from avalanche_emgd.benchmarks import cifar100


def test_cifar100(monkeypatch):
    def part(root, train, download):
        n = 600 if train else 200
        pixels = np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        return SimpleNamespace(data=pixels, targets=[i % 100 for i in range(n)])

    monkeypatch.setattr(cifar100, "CIFAR100", part)
    benchmark = ps_cifar100("anywhere", seed=1)
    assert [len(labels) for labels in benchmark.label_sets] == [10] * 10
    assert benchmark.batch_size == 128
    assert benchmark.task_sizes == (60,) * 10
    experience = benchmark.train_stream[0]
    x, y, _ = experience.load(experience.deliveries[0])
    task, sample = experience.deliveries[0][0].task, experience.sample_ids[0] % 60
    whole = part(None, True, False)
    own = [i for i in range(600) if i % 100 in benchmark.label_sets[task]]
    pixels = torch.from_numpy(whole.data[own[sample]]).permute(2, 0, 1) / 255.0
    mean = torch.tensor([0.5071, 0.4865, 0.4409]).view(3, 1, 1)
    std = torch.tensor([0.2673, 0.2564, 0.2762]).view(3, 1, 1)
    torch.testing.assert_close(x[0], (pixels - mean) / std)
    assert int(y[0]) == own[sample] % 100


def test_cifar100_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="--download"):
        ps_cifar100(tmp_path)

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.strategy import make_strategy
from tests.training.common import quiet, weights_of

CONFIG = RunConfig(num_tasks=2, seed=5)


def made(config, benchmark=None):
    return make_strategy(config, quiet(), [], benchmark)


def test_the_seed_decides_weights_and_later_draws():
    found = []
    for before in (1, 2):
        random.seed(before)
        np.random.seed(before)  # noqa: NPY002
        torch.manual_seed(before)
        weights = weights_of(made(CONFIG).model)
        found.append((weights.tolist(), random.random(), np.random.rand(), torch.rand(1).item()))  # noqa: NPY002
    assert found[0] == found[1]
    other = weights_of(made(replace(CONFIG, seed=6)).model)
    assert not torch.equal(other, torch.tensor(found[0][0]))


def test_settings_reach_the_strategy():
    config = replace(CONFIG, memory_per_class=2, learning_rate=0.125, precision="bfloat16")
    strategy = made(config, make_benchmark(config))
    assert strategy.memory.max_size == 2 * 10
    assert strategy.optimizer.param_groups[0]["lr"] == 0.125
    with strategy.precision.autocast("cpu"):
        assert strategy.model(torch.zeros(1, 1, 8, 8)).dtype == torch.bfloat16


def test_channels_last_is_for_convolutions():
    with pytest.raises(ValueError, match="`channels_last` is for convolutional models"):
        made(replace(CONFIG, channels_last=True))
    model = made(replace(CONFIG, channels_last=True, model="slim-resnet18")).model
    kernels = [parameter for parameter in model.parameters() if parameter.ndim == 4]
    assert all(each.is_contiguous(memory_format=torch.channels_last) for each in kernels)

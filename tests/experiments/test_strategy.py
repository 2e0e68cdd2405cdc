import random
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
import torch

from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.strategy import make_strategy
from avalanche_emgd.training.ingredients import Augmentation
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


@pytest.mark.parametrize("method", ["er", "emgd++", "icarl", "der++"])
def test_augmentation_of_replay_is_a_setting_of_methods(method):
    chosen = {"padding": 2, "flip": False}
    config = replace(CONFIG, method=method, settings={"memory_augmentation": chosen})
    plugin = made(config, make_benchmark(config)).memory_augmentation
    assert plugin.augmentation == Augmentation(padding=2, flip=False)


@pytest.mark.parametrize(
    ("changes", "chosen", "message"),
    [
        ({}, "crops-flips", "`memory_augmentation` shifts images by up to 4 .* have 8×8"),
        ({}, {"padding": 2}, r"mirror images .* other classes: give {padding: 2, flip: false}"),
        ({"benchmark": "ps-emnist"}, "crops-flips", "`memory_augmentation` mirrors images, but"),
        ({"benchmark": "npz", "augment": True, "no_flip": True}, "crops-flips", "mirrors images"),
        ({}, "crops", "Did you mean 'crops-flips'"),
        ({"method": "spcl"}, {"pading": 2}, "'pading'.* Did you mean 'padding'"),
    ],
)
def test_augmentation_of_replay_that_does_not_fit_is_refused_before_data_are_loaded(
    changes, chosen, message
):
    changes = {"num_tasks": 2, "method": "er", "data_root": ".", **changes}
    with patch.object(RunConfig, "check_data"), pytest.raises(ValueError, match=message):
        made(RunConfig(settings={"memory_augmentation": chosen}, **changes))

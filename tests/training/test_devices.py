"""Training on other devices than the CPU, if there are any."""

import copy

import pytest
import torch

from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of

DEVICES = [
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
    ),
    pytest.param(
        "mps", marks=pytest.mark.skipif(not torch.backends.mps.is_available(), reason="needs MPS")
    ),
]


@pytest.mark.parametrize("device", DEVICES)
def test_a_run_agrees_with_that_on_the_cpu(device):
    benchmark, model, found = toy_benchmark(), toy_model(), []
    for place in ("cpu", device):
        strategy = toy_strategy(model=copy.deepcopy(model).to(place), memory_size=12, device=place)
        strategy.train(benchmark.train_stream)
        assert strategy.gramian.device.type == strategy.weights.device.type == "cpu"
        found.append(weights_of(strategy.model).cpu())
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-4)

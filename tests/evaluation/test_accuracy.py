"""Test accuracy and its minibatches."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.evaluation.accuracy import TestSamples, accuracy, minibatch_size
from avalanche_emgd.models import ClassMask
from tests.toy import toy_benchmark

CPU, OTHER = torch.device("cpu"), torch.device("meta")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 28, 28), 512), ((3, 32, 32), 128), ((3, 64, 64), 32), ((1, 8, 8), 1024)],
)
def test_minibatches_of_the_benchmarks(shape, expected):
    assert minibatch_size(torch.zeros(1, *shape), CPU) == expected
    assert minibatch_size(torch.zeros(1, *shape), OTHER) == 1024


@given(st.integers(0, 10**8))
def test_minibatches_are_powers_of_two_that_fit(numbers):
    inputs = torch.zeros(1).expand(1, numbers)
    for device in (CPU, OTHER):
        size = minibatch_size(inputs, device)
        assert 1 <= size <= 1024
        assert size & (size - 1) == 0
    assert minibatch_size(inputs, CPU) <= minibatch_size(inputs, OTHER)


def test_accuracy_does_not_depend_on_the_minibatches():
    benchmark, seen = toy_benchmark(), []
    torch.manual_seed(0)
    model, mask = nn.Linear(5, 6), ClassMask()
    for experience in benchmark.train_stream:
        mask.observe(experience)

    class Watched(nn.Module):
        def forward(self, x):
            seen.append(len(x))
            return model(x)

    for experience in benchmark.test_stream:
        samples = TestSamples(experience)
        one_by_one = accuracy(model, samples, mask, batch_size=1)
        assert accuracy(Watched(), samples, mask) == one_by_one
        assert seen.pop() == len(samples.targets)
        assert not seen

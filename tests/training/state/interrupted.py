"""Runs that are interrupted at some ticks and equal the whole one."""

import torch

from tests.toy import toy_benchmark
from tests.training.common import weights_of
from tests.training.state.common import Saved, from_file
from tests.training.test_tick_template import serial_benchmark


def interrupted(make, stream, ticks=(0, 4, -1), **kwargs):
    """Check that runs resumed after some ticks equal the uninterrupted one."""
    saved = Saved()
    torch.manual_seed(0)
    whole = make([saved])
    results = whole.train(stream(), **kwargs)
    assert saved.files
    for content in [saved.files[tick] for tick in ticks]:
        torch.manual_seed(5)
        rest = make([Saved([])])
        rest.load_state_dict(from_file(content))
        torch.manual_seed(6)
        found = rest.train(stream(), **kwargs)
        assert torch.equal(weights_of(rest.model), weights_of(whole.model))
        numbers = {n: v for n, v in results.items() if isinstance(v, int | float)}
        assert {n: v for n, v in found.items() if n in numbers} == numbers
        assert rest.clock.train_iterations == whole.clock.train_iterations
    return whole


def train_stream(**options):
    return toy_benchmark(**options).train_stream


def serial_stream():
    return serial_benchmark().train_stream

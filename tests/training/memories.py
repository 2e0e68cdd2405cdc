"""Replay memories that are filled without a strategy."""

import torch

from tests.toy import ids_of


def fill(memory, benchmark, until=None):
    """Store the first segments in the memory, and return the identifiers delivered so far."""
    delivered = set()
    for experience in benchmark.train_stream[:until]:
        memory.post_adapt(None, experience)
        data = experience.dataset
        delivered |= set(ids_of(torch.stack([data[i][0] for i in range(len(data))])))
    return delivered


def contents(memory):
    return [memory.buffer[i] for i in range(len(memory))]

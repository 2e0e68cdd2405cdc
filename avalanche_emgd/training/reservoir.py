"""Reservoirs of a replay memory: of each class, a random sample of what is delivered.

Each sample has a random key, and those with the smallest keys stay. At any time they are a random
sample without replacement of all that have been delivered (Efraimidis and Spirakis 2006, with equal
weights).
"""

from __future__ import annotations

import torch
from torch import Tensor

from .delivered_samples import DeliveredSamples
from .memory_store import SampleStore

__all__ = ["keep_smallest_keys"]


def keep_smallest_keys(
    stores: dict[int, SampleStore], samples: DeliveredSamples, keys: Tensor, size: int
) -> None:
    """Store the samples of each class with the smallest keys, and load only these.

    :param stores: stores by class label; a new class gets a new store.
    :param samples: new samples.
    :param keys: keys of the new samples, ``[b]`` float64.
    :param size: largest number of samples of a class.
    """
    kept = [store for store in stores.values() if len(store)]
    number = sum(map(len, kept))  # number of old samples, which come first
    all_keys = torch.cat([*(store.keys for store in kept), keys])
    all_labels = torch.cat([*(store.labels for store in kept), samples.labels])
    order = torch.argsort(all_keys, stable=True)
    order = order[torch.argsort(all_labels[order], stable=True)]
    # The order is by class, then by key; only the first `size` samples of a class stay.
    labels, counts = torch.unique_consecutive(all_labels[order], return_counts=True)
    starts = (counts.cumsum(0) - counts).repeat_interleave(counts)
    order = order[torch.arange(len(order)) - starts < size]
    new = order[order >= number]
    if len(new) == 0:
        return
    inputs = samples.load(samples.indices[new - number])
    if number:
        inputs = torch.cat([*(store.inputs for store in kept), inputs])
    places = torch.arange(len(all_keys))
    places[new] = torch.arange(number, number + len(new))
    inputs = inputs.index_select(0, places[order].to(inputs.device))
    counts = counts.clamp(max=size).tolist()
    pieces = [tensor.split(counts) for tensor in (all_keys[order], inputs)]
    for label, own_keys, own_inputs in zip(labels.tolist(), *pieces, strict=True):
        store = stores.setdefault(label, SampleStore(samples.task_label))
        store.replace(own_keys, own_inputs, torch.full((len(own_keys),), label))

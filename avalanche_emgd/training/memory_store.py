"""Stores of samples of one class or task in a replay memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Group", "SampleStore", "samples_of", "shrink_to", "smallest_key"]

Group = tuple[str | int, int]


class SampleStore:
    """Samples of one class or task, in ascending order of their random keys.

    The last samples are dropped first. If keys are uniform, the k samples with the smallest keys
    are a uniform random sample of all streamed samples, for every k.

    :param task_label: task label of all samples.
    """

    def __init__(self, task_label: int) -> None:
        self.task_label = task_label
        self.name = ""
        """Name of the samples' task."""
        self.group: Group = ("", 0)
        """Group of the store; the stores of one group share a part of the capacity."""
        self.keys: Tensor = torch.empty(0, dtype=torch.float64)
        """Random keys, ``[n]`` float64, ascending."""
        self.labels: Tensor = torch.empty(0, dtype=torch.long)
        """Class labels, ``[n]``."""
        self.inputs: Tensor = torch.empty(0)
        """Inputs, ``[n, ...]``."""
        self.annotations: dict[str, Tensor] = {}
        """Annotations of the samples by name, ``[n, ...]``."""

    def __len__(self) -> int:
        return self.keys.numel()  # faster than `len`

    def fill(self, keys: Tensor, inputs: Tensor, labels: Tensor) -> None:
        """Replace all samples, given in any order, and drop their annotations."""
        order = torch.argsort(keys, stable=True)
        self.replace(keys[order], inputs[order], labels[order])

    def replace(self, keys: Tensor, inputs: Tensor, labels: Tensor) -> None:
        """Replace all samples, given in ascending order of keys, and drop their annotations."""
        self.keys, self.inputs, self.labels = keys, inputs, labels
        self.annotations = {}

    def shrink(self, size: int) -> None:
        """Keep the first ``size`` samples, with their annotations."""
        self.keys, self.labels = self.keys[:size], self.labels[:size]
        self.inputs = self.inputs[:size].clone()
        self.annotations = {name: v[:size].clone() for name, v in self.annotations.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the state, as tensors, numbers and text."""
        return {
            "task_label": self.task_label,
            "name": self.name,
            "group": self.group,
            "keys": self.keys.clone(),
            "labels": self.labels.clone(),
            "inputs": self.inputs.clone(),
            "annotations": {name: values.clone() for name, values in self.annotations.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SampleStore:
        """Make a store from the state of :meth:`state_dict`."""
        store = cls(int(state["task_label"]))
        store.name, store.group = state["name"], tuple(state["group"])
        store.keys, store.labels = state["keys"].clone(), state["labels"].clone()
        store.inputs = state["inputs"].clone()
        store.annotations = {name: v.clone() for name, v in state["annotations"].items()}
        return store


def shrink_to(size: int, stores: Sequence[SampleStore]) -> None:
    """Keep the samples of several stores with the smallest keys.

    :param size: number of samples to keep in all stores together.
    :param stores: stores to shrink.
    """
    if len(stores) == 1:
        stores[0].shrink(size)
        return
    places = torch.arange(len(stores)).repeat_interleave(torch.tensor([*map(len, stores)]))
    order = torch.argsort(torch.cat([store.keys for store in stores]), stable=True)
    kept = torch.bincount(places[order[:size]], minlength=len(stores)).tolist()
    for store, number in zip(stores, kept, strict=True):
        if number < len(store):
            store.shrink(number)


def smallest_key(stores: Sequence[SampleStore], rank: int) -> float:
    """Return the key of the sample that follows the ``rank`` samples with the smallest keys.

    :param stores: stores with more than ``rank`` samples together.
    """
    return float(torch.cat([store.keys for store in stores]).kthvalue(rank + 1).values)


def samples_of(stores: Sequence[SampleStore]) -> list[Tensor]:
    """Concatenate the samples of all stores as ``[x, y, task labels]``."""
    filled = [store for store in stores if len(store)] or [SampleStore(0)]
    sizes = torch.tensor([len(store) for store in filled])
    return [
        torch.cat([store.inputs for store in filled]),
        torch.cat([store.labels for store in filled]),
        torch.tensor([store.task_label for store in filled]).repeat_interleave(sizes),
    ]

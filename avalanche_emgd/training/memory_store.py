"""Tensors of samples that belong together in a replay memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["Load", "SampleStore", "indices_by_task", "samples_of"]

Load = Callable[[Sequence[int]], Tensor]
"""From indices of b samples to their inputs ``[b, ...]``."""


class SampleStore:
    """Samples of one task, in ascending order of their random keys.

    Whatever is dropped is dropped from the end. The k samples with the smallest of uniform keys are
    a uniform sample of all that were streamed, for every k at once.

    :param task_label: of all samples.
    """

    def __init__(self, task_label: int) -> None:
        self.task_label = task_label
        self.keys: Tensor = torch.empty(0, dtype=torch.float64)
        """``[n]`` float64, ascending."""
        self.labels: Tensor = torch.empty(0, dtype=torch.long)
        """``[n]``."""
        self.inputs: Tensor = torch.empty(0)
        """``[n, ...]``."""
        self.annotations: dict[str, Tensor] = {}
        """By name, ``[n, ...]``: what a method wants to remember of each sample."""

    def __len__(self) -> int:
        return len(self.keys)

    def offer(
        self, load: Load, indices: list[int], labels: list[int], keys: Tensor, size: int
    ) -> None:
        """Keep the ``size`` smallest keys of the old and the new; only these are loaded.

        :param load: gives the inputs of samples.
        :param indices: of the new samples, as ``load`` understands them.
        :param labels: of the new samples.
        :param keys: of the new samples.
        :param size: how many may stay.
        """
        kept = torch.argsort(torch.cat([self.keys, keys]), stable=True)[:size]
        old = kept[kept < len(self.keys)]
        new = kept[kept >= len(self.keys)] - len(self.keys)
        if len(new):
            loaded = load([indices[i] for i in new.tolist()])
            inputs = torch.cat([self.inputs[old], loaded]) if len(old) else loaded
            classes = torch.cat([self.labels[old], torch.tensor(labels)[new]])
            self.fill(torch.cat([self.keys[old], keys[new]]), inputs, classes)

    def fill(self, keys: Tensor, inputs: Tensor, labels: Tensor) -> None:
        """Replace all samples, in any order; their annotations are gone."""
        order = torch.argsort(keys, stable=True)
        self.keys, self.inputs, self.labels = keys[order], inputs[order], labels[order]
        self.annotations = {}

    def shrink(self, size: int) -> None:
        """Keep the first ``size`` samples, with their annotations."""
        self.keys, self.labels = self.keys[:size], self.labels[:size]
        self.inputs = self.inputs[:size].clone()
        self.annotations = {name: v[:size].clone() for name, v in self.annotations.items()}

    def state_dict(self) -> dict[str, Any]:
        """Copy everything, as tensors and numbers."""
        return {
            "task_label": self.task_label,
            "keys": self.keys.clone(),
            "labels": self.labels.clone(),
            "inputs": self.inputs.clone(),
            "annotations": {name: values.clone() for name, values in self.annotations.items()},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SampleStore:
        """Make the store that :meth:`state_dict` is of."""
        store = cls(int(state["task_label"]))
        store.keys, store.labels = state["keys"].clone(), state["labels"].clone()
        store.inputs = state["inputs"].clone()
        store.annotations = {name: v.clone() for name, v in state["annotations"].items()}
        return store


def indices_by_task(exp: Any, names: dict[int, str]) -> dict[int, list[int]]:
    """Positions in the experience's data set, by task label.

    :param exp: of any benchmark.
    :param names: of its objectives, by task label.
    """
    if len(names) == 1:
        return {task: list(range(len(exp.dataset))) for task in names}
    return {task: list(exp.dataset.targets_task_labels.val_to_idx[task]) for task in names}


def samples_of(stores: Sequence[SampleStore]) -> list[Tensor]:
    """``[x, y, task labels]`` of all stores, one after the other."""
    filled = [store for store in stores if len(store)] or [SampleStore(0)]
    return [
        torch.cat([store.inputs for store in filled]),
        torch.cat([store.labels for store in filled]),
        torch.cat([torch.full((len(store),), store.task_label) for store in filled]),
    ]

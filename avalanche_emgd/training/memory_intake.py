"""Samples that an experience has delivered, and the choice of those that a memory stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..benchmarks._labelled import inputs_of
from ..benchmarks.experience import SegmentExperience, objective_names
from .memory_store import SampleStore

__all__ = ["Delivered", "delivered_by", "ids_in", "indices_by_task", "offer", "runs_of"]


@dataclass(frozen=True)
class Delivered:
    """Samples of one task that an experience has delivered.

    :param name: name of the task.
    :param task_label: task label of all samples.
    :param indices: indices of the samples in the experience's data set, ``[b]``.
    :param labels: class labels ``[b]``.
    :param num_classes: number of classes of the task.
    :param load: function from indices ``[m]`` to inputs ``[m, ...]``.
    :param ids: identifiers of the samples, ``[b]``; deliveries of the same sample have the same id.
    """

    name: str
    task_label: int
    indices: Tensor
    labels: Tensor
    num_classes: int
    load: Callable[[Tensor], Tensor]
    ids: Tensor

    def unlike(self, seen: Tensor) -> Delivered:
        """Drop samples that occur earlier in this delivery, or that were seen before.

        :param seen: ids of the samples seen before, ``[s]``.
        """
        ids = self.ids.numpy()
        first = np.sort(np.unique(ids, return_index=True)[1])
        fresh = torch.from_numpy(first[~np.isin(ids[first], seen.numpy())])
        indices, labels, rest = self.indices[fresh], self.labels[fresh], self.ids[fresh]
        return replace(self, indices=indices, labels=labels, ids=rest)


def indices_by_task(exp: Any, names: dict[int, str]) -> dict[int, Tensor]:
    """Return the indices of each task's samples in the experience's data set.

    :param exp: experience of any benchmark.
    :param names: names of its objectives, by task label.
    :return: indices ``[b]`` by task label.
    """
    if len(names) == 1:
        return {task: torch.arange(len(exp.dataset)) for task in names}
    if isinstance(exp, SegmentExperience):
        return {task: exp.delivered(task) for task in names}
    of_task = exp.dataset.targets_task_labels.val_to_idx
    return {task: torch.tensor(list(of_task[task])) for task in names}


def delivered_by(exp: Any) -> list[Delivered]:
    """Collect the samples that an experience of any benchmark has delivered, task by task."""
    found = []
    if isinstance(exp, SegmentExperience):
        names = objective_names(exp)
        labels = exp.labels
        for task, indices in indices_by_task(exp, names).items():
            num_classes = len(exp.benchmark.label_sets[task])
            own, ids = labels[indices], exp.ids[indices]
            found.append(
                Delivered(names[task], task, indices, own, num_classes, exp.inputs_at, ids)
            )
        return found
    names = objective_names(exp, exp.dataset)
    labels, load = torch.tensor(list(exp.dataset.targets)), partial(inputs_of, exp.dataset.eval())
    for task, indices in indices_by_task(exp, names).items():
        own = labels[indices]
        found.append(Delivered(names[task], task, indices, own, len(own.unique()), load, indices))
    return found


def offer(stores: dict[int, SampleStore], samples: Delivered, keys: Tensor, size: int) -> None:
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


def runs_of(ids: Tensor) -> Tensor:
    """Compress distinct ids ``[n]`` into runs ``[r, 2]``: first and last id, both inclusive."""
    ordered = ids.sort().values
    starts = torch.ones(len(ordered), dtype=torch.bool)
    starts[1:] = ordered.diff() > 1
    return torch.stack([ordered[starts], ordered[starts.roll(-1)]], dim=1)


def ids_in(runs: Tensor) -> Tensor:
    """Expand runs ``[r, 2]`` into ascending ids ``[n]``; see :func:`runs_of`."""
    lengths = runs[:, 1] - runs[:, 0] + 1
    starts = (runs[:, 0] - (lengths.cumsum(0) - lengths)).repeat_interleave(lengths)
    return starts + torch.arange(len(starts))

"""What an experience has delivered, and which of it a replay memory keeps aside."""

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

    :param name: of the task.
    :param task_label: of all samples.
    :param indices: in the experience's data set, ``[b]``.
    :param labels: class labels ``[b]``.
    :param num_classes: of the task.
    :param load: from indices ``[m]`` to inputs ``[m, ...]``.
    :param ids: equal for equal samples, ``[b]``.
    """

    name: str
    task_label: int
    indices: Tensor
    labels: Tensor
    num_classes: int
    load: Callable[[Tensor], Tensor]
    ids: Tensor

    def unlike(self, seen: Tensor) -> Delivered:
        """Only the first of equal samples, and none of those seen before.

        :param seen: ids ``[s]``.
        """
        ids = self.ids.numpy()
        first = np.sort(np.unique(ids, return_index=True)[1])
        fresh = torch.from_numpy(first[~np.isin(ids[first], seen.numpy())])
        indices, labels, rest = self.indices[fresh], self.labels[fresh], self.ids[fresh]
        return replace(self, indices=indices, labels=labels, ids=rest)


def indices_by_task(exp: Any, names: dict[int, str]) -> dict[int, Tensor]:
    """Positions in the experience's data set, by task label.

    :param exp: of any benchmark.
    :param names: of its objectives, by task label.
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
    """Keep, of each class, the samples with the smallest keys; only these are loaded.

    :param stores: by class label; classes that are new get one.
    :param samples: new ones.
    :param keys: of the new samples, ``[b]`` float64.
    :param size: how many of a class may stay.
    """
    kept = [store for store in stores.values() if len(store)]
    number = sum(map(len, kept))  # of old samples, which come first
    all_keys = torch.cat([*(store.keys for store in kept), keys])
    all_labels = torch.cat([*(store.labels for store in kept), samples.labels])
    order = torch.argsort(all_keys, stable=True)
    order = order[torch.argsort(all_labels[order], stable=True)]
    # By class, and within a class by key: what comes too late in its class is left out.
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
    """Describe distinct ids ``[n]`` by their runs ``[r, 2]``: first and last, both inclusive."""
    ordered = ids.sort().values
    starts = torch.ones(len(ordered), dtype=torch.bool)
    starts[1:] = ordered.diff() > 1
    return torch.stack([ordered[starts], ordered[starts.roll(-1)]], dim=1)


def ids_in(runs: Tensor) -> Tensor:
    """Ids ``[n]``, ascending, of runs ``[r, 2]``; see :func:`runs_of`."""
    lengths = runs[:, 1] - runs[:, 0] + 1
    starts = (runs[:, 0] - (lengths.cumsum(0) - lengths)).repeat_interleave(lengths)
    return starts + torch.arange(len(starts))

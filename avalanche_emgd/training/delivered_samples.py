"""Samples that an experience has delivered, task by task."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..benchmarks.datasets import inputs_of
from ..benchmarks.experience import SegmentExperience, objective_names
from ..benchmarks.live import LiveBatch, LiveSegment

__all__ = ["DeliveredSamples", "delivered_samples", "indices_by_task", "offered_samples"]


@dataclass(frozen=True)
class DeliveredSamples:
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

    def chosen(self, rows: Tensor) -> DeliveredSamples:
        """Select samples.

        :param rows: booleans ``[b]``.
        """
        indices, labels, ids = self.indices[rows], self.labels[rows], self.ids[rows]
        return replace(self, indices=indices, labels=labels, ids=ids)

    def unseen(self, seen: Tensor) -> DeliveredSamples:
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


def delivered_samples(exp: Any) -> list[DeliveredSamples]:
    """Collect the samples that an experience of any benchmark has delivered, task by task."""
    found = []
    if isinstance(exp, SegmentExperience):
        names = objective_names(exp)
        labels = exp.labels
        for task, indices in indices_by_task(exp, names).items():
            num_classes = len(exp.benchmark.label_sets[task])
            own, ids = labels[indices], exp.ids[indices]
            found.append(
                DeliveredSamples(names[task], task, indices, own, num_classes, exp.inputs_at, ids)
            )
        return found
    names = objective_names(exp, exp.dataset)
    labels, load = torch.tensor(list(exp.dataset.targets)), partial(inputs_of, exp.dataset.eval())
    for task, indices in indices_by_task(exp, names).items():
        own = labels[indices]
        found.append(
            DeliveredSamples(names[task], task, indices, own, len(own.unique()), load, indices)
        )
    return found


def offered_samples(segment: LiveSegment, batch: LiveBatch, name: str) -> DeliveredSamples:
    """Collect the samples of one task at one tick of a live stream.

    :param segment: segment of the tick.
    :param batch: minibatch of the tick.
    :param name: name of the task.
    """
    labels, load = batch.offers[name]
    task = segment.benchmark.task_names.index(name)
    indices = torch.arange(len(labels))
    num_classes = len(segment.benchmark.label_sets[task])
    return DeliveredSamples(name, task, indices, labels, num_classes, load, indices)

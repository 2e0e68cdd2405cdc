"""The samples that a replay memory holds, as tensors, with what methods note of each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.storage_policy import ExemplarsBuffer
from torch import Tensor
from torch.utils.data import TensorDataset

from ..benchmarks._labelled import with_labels
from .memory_store import SampleStore, samples_of

__all__ = ["StoredSamples"]


class StoredSamples(ExemplarsBuffer):
    """Samples in stores of a task and class each, laid out one after the other.

    Which samples these are is for subclasses to decide.

    :param max_size: capacity in samples.
    """

    def __init__(self, max_size: int) -> None:
        super().__init__(max_size)
        self._finished: list[SampleStore] = []  # in the order in which they entered
        self._rebuild()

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def tasks(self) -> list[str]:
        """Names of the finished tasks that have samples, in order of their end."""
        return list(self._of_task)

    @property
    def inputs(self) -> Tensor:
        """Inputs of all samples, ``[len(self), ...]``; what is written into them stays."""
        return self._inputs

    @property
    def classes(self) -> list[int]:
        """Class labels of all samples, ascending."""
        return self._labels.unique().tolist()

    @property
    def buffer(self) -> AvalancheDataset:
        """The samples as an Avalanche data set of ``(x, y, task label)``."""
        datasets, start = [], 0
        for task, stores in groupby(self._finished, key=lambda store: store.task_label):
            stop = start + sum(map(len, stores))
            x, y = self._inputs[start:stop], self._labels[start:stop]
            datasets.append(with_labels(TensorDataset(x, y), y.tolist(), task))
            start = stop
        return AvalancheDataset(datasets)

    def take(self, positions: Tensor) -> list[Tensor]:
        """Copy the samples at these positions, ``[x, y, task labels]``.

        :raises ValueError: if the memory is empty.
        """
        if len(self) == 0:
            raise ValueError("The memory is empty: no task has finished yet.")
        stored = (self._inputs, self._labels, self._task_labels)
        return [column.index_select(0, positions.to(column.device)) for column in stored]

    def annotate(self, name: str, make: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        """Annotate the samples that have no annotation of this name yet.

        :param name: of the annotation.
        :param make: from inputs ``[n, ...]``, class labels ``[n]`` and task labels ``[n]`` to
            annotations ``[n, ...]``, which are copied.
        :raises ValueError: if the shape does not fit the samples, or the annotations of other ones.
        """
        missing = [s for s in self._finished if name not in s.annotations]
        if not missing:
            return
        values = make(*samples_of(missing)).detach().to(self._inputs.device)
        sizes = [len(store) for store in missing]
        others = [s.annotations[name] for s in self._finished if name in s.annotations]
        expected = others[0].shape[1:] if others else values.shape[1:]
        if values.shape != (sum(sizes), *expected):
            raise ValueError(
                f"`make` must return annotations of shape {(sum(sizes), *expected)} for {name!r}, "
                f"found {tuple(values.shape)}."
            )
        for store, piece in zip(missing, values.split(sizes), strict=True):
            store.annotations[name] = piece
        self._rebuild()

    def annotation(self, name: str) -> Tensor:
        """Annotations of all samples, ``[len(self), ...]``; what is written into them stays.

        :raises ValueError: if there are samples that have none of this name.
        """
        if name not in self._annotations:
            raise ValueError(
                f"`name` must be an annotation of all samples, found {name!r}; those are "
                f"{sorted(self._annotations)}. Call annotate() when tasks have finished."
            )
        return self._annotations[name]

    def _rebuild(self) -> None:
        """Lay the samples out one after the other; the stores become views of that."""
        stores = self._finished
        self._inputs, self._labels, self._task_labels = samples_of(stores)
        named = [set(store.annotations) for store in stores]
        self._annotations: dict[str, Tensor] = {
            name: torch.cat([store.annotations[name] for store in stores])
            for name in sorted(set.intersection(*named) if named else ())
        }
        places: dict[str, list[int]] = {}
        start = 0
        for store in stores:
            stop = start + len(store)
            store.inputs = self._inputs[start:stop]
            for annotation, values in self._annotations.items():
                store.annotations[annotation] = values[start:stop]
            places.setdefault(store.name, []).extend(range(start, stop))
            start = stop
        self._of_task = {name: torch.tensor(own) for name, own in places.items()}

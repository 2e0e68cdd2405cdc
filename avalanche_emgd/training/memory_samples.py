"""The samples in a replay memory as tensors, random draws of them, and their annotations."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.storage_policy import ExemplarsBuffer
from torch import Tensor
from torch.nn import functional
from torch.utils.data import TensorDataset

from ..benchmarks.datasets import with_labels
from .memory_store import SampleStore, samples_of

__all__ = ["StoredSamples"]


class StoredSamples(ExemplarsBuffer):
    """Samples in one tensor, divided into stores of one task and class each.

    Subclasses choose the samples.

    :param max_size: capacity in samples.
    :param seed: seed of random choices.
    """

    max_size: int

    def __init__(self, max_size: int, seed: int) -> None:
        super().__init__(max_size)
        self._generator = torch.Generator().manual_seed(seed)
        self._finished: list[SampleStore] = []  # in order of their entry
        self._rebuild()

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def tasks(self) -> list[str]:
        """Names of the finished tasks with samples in the memory, in order of their end."""
        return list(self._of_task)

    @property
    def inputs(self) -> Tensor:
        """Inputs of all samples, ``[len(self), ...]``; changes in place are kept."""
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
        """Copy the samples at given positions, ``[x, y, task labels]``.

        :param positions: positions ``[b]``.
        :raises ValueError: if the memory is empty.
        """
        if len(self) == 0:
            raise ValueError("The memory is empty: no task has finished yet.")
        stored = (self._inputs, self._labels, self._task_labels)
        return [column.index_select(0, positions.to(column.device)) for column in stored]

    def choose(self, batch_size: int) -> Tensor:
        """Draw positions of random samples without repetition.

        :param batch_size: number of samples; all samples if the memory has fewer.
        :return: positions ``[b]``.
        """
        return torch.randperm(len(self), generator=self._generator)[:batch_size]

    def choose_per_task(self, batch_size: int) -> dict[str, Tensor]:
        """Draw positions of random samples, equally many of each finished task.

        :param batch_size: total number of samples; random tasks get the remainder.
        :return: positions ``[b]`` by name of the task.
        """
        chosen = {}
        share, more = divmod(batch_size, max(1, len(self._of_task)))
        places = torch.randperm(len(self._of_task), generator=self._generator).tolist()
        for place, (name, positions) in zip(places, self._of_task.items(), strict=True):
            order = torch.randperm(len(positions), generator=self._generator)
            found = positions[order[: share + (place < more)]]
            if len(found):
                chosen[name] = found
        return chosen

    def draw(self, batch_size: int) -> list[Tensor]:
        """Draw random samples without repetition, ``[x, y, task labels]``; see :meth:`choose`."""
        return self.take(self.choose(batch_size))

    def annotate(self, name: str, make: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        """Annotate the samples that have no annotation of this name yet.

        :param name: name of the annotation.
        :param make: function from inputs ``[n, ...]``, class labels ``[n]`` and task labels ``[n]``
            to annotations ``[n, ...]``, which are copied.
        :raises ValueError: if the shape of the annotations does not agree with the number of
            samples, or with existing annotations.
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
        """Return the annotations of all samples, ``[len(self), ...]``, not copied.

        :param name: name of the annotation.
        :raises ValueError: if a sample lacks an annotation of this name.
        """
        if name not in self._annotations:
            raise ValueError(
                f"`name` must be an annotation of all samples, found {name!r}; those are "
                f"{sorted(self._annotations)}. Call annotate() when tasks have finished."
            )
        return self._annotations[name]

    def widen(self, name: str, width: int, value: float) -> int:
        """Widen the annotations ``[n, w]`` of a name, where they are narrower.

        :param name: name of the annotation.
        :param width: least w.
        :param value: value of the new columns.
        :return: w afterwards; ``width`` if no sample has the annotation.
        """
        own = [store for store in self._finished if name in store.annotations]
        before = own[0].annotations[name].shape[1] if own else width
        if before >= width:
            return before
        for store in own:
            values = store.annotations[name]
            store.annotations[name] = functional.pad(values, (0, width - before), value=value)
        self._rebuild()
        return width

    def _rebuild(self) -> None:
        """Concatenate the samples into one tensor; the stores become views of this tensor."""
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

"""Loading of a segment's samples from memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ._bulk import Bulk
from .datasets import Source
from .delivery import Delivery

__all__ = ["InMemory", "in_memory"]


class InMemory:
    """Loader of a segment's samples, many at once, by indices computed in advance.

    :param bulks: functions that load the inputs, by task.
    :param places: indices of all samples in their task's root data set, in order of delivery,
        ``[N]``.
    :param labels: class labels ``[N]``.
    :param tasks: task labels ``[N]``.
    """

    def __init__(
        self, bulks: Mapping[int, Bulk], places: Tensor, labels: Tensor, tasks: Tensor
    ) -> None:
        self._loads = {task: bulk.load for task, bulk in bulks.items()}
        roots = {id(bulk.root) for bulk in bulks.values()}
        self._of_all = next(iter(self._loads.values())) if len(roots) == 1 else None
        self._rows = _alike({task: bulk.rows for task, bulk in bulks.items()})
        self._places = places
        self.labels = labels
        """Class labels ``[N]``, in order of delivery."""
        self._tasks = tasks

    def load(self, deliveries: Sequence[Sequence[Delivery]]) -> Iterator[list[Tensor]]:
        """Yield the minibatch ``[x, y, task labels]`` of each tick.

        :param deliveries: deliveries of successive ticks.
        """
        # One operation for all ticks is faster: half of the time of a small operation is overhead.
        # The minibatches are copies, so that changes in place do not reach later epochs.
        span = slice(deliveries[0][0].start, deliveries[-1][-1].stop)
        sizes = [[d.stop - d.start for d in delivered] for delivered in deliveries]
        totals = list(map(sum, sizes))
        labels = self.labels[span].clone().split(totals)
        tasks = self._tasks[span].clone().split(totals)
        inputs = self._inputs(deliveries, sizes, self._places[span])
        for x, y, t in zip(inputs, labels, tasks, strict=True):
            yield [x, y, t]

    def _inputs(
        self,
        deliveries: Sequence[Sequence[Delivery]],
        sizes: Sequence[Sequence[int]],
        places: Tensor,
    ) -> Iterator[Tensor]:
        """Yield the inputs of each tick.

        :param places: indices of all samples of these ticks, in order of delivery.
        """
        if self._of_all is not None:
            yield from map(self._of_all, places.split(list(map(sum, sizes))))
            return
        every = [size for own in sizes for size in own]
        if self._rows is not None:
            first = next(iter(self._rows.values()))
            chosen = iter(places.to(first.device).split(every))
            for delivered, own in zip(deliveries, sizes, strict=True):
                x = first.new_empty(sum(own), *first.shape[1:])
                for d, piece in zip(delivered, x.split(own), strict=True):
                    torch.index_select(self._rows[d.task], 0, next(chosen), out=piece)
                yield x
            return
        chosen = iter(places.split(every))
        for delivered in deliveries:
            yield torch.cat([self._loads[d.task](next(chosen)) for d in delivered])

    def inputs_at(self, indices: Tensor) -> Tensor:
        """Load inputs ``[b, ...]`` of samples.

        :param indices: indices ``[b]`` of samples in order of delivery, b ≥ 1.
        """
        places, tasks = self._places[indices], self._tasks[indices]
        if self._of_all is not None:
            return self._of_all(places)
        mine = {task: (tasks == task).nonzero()[:, 0] for task in tasks.unique().tolist()}
        loaded = torch.cat([self._loads[task](places[own]) for task, own in mine.items()])
        found = torch.empty_like(loaded)
        found[torch.cat(list(mine.values()))] = loaded
        return found


def _alike(rows: Mapping[int, Tensor | None]) -> dict[int, Tensor] | None:
    """Return the tensors by task if rows of all of them fit into one tensor; else ``None``."""
    found = {task: each for task, each in rows.items() if each is not None}
    kinds = {(each.dtype, each.device, each.shape[1:]) for each in found.values()}
    plain = not any(each.requires_grad for each in found.values())
    return found if len(found) == len(rows) and len(kinds) == 1 and plain else None


def in_memory(
    sources: Sequence[Any],
    offsets: Sequence[int],
    ids: Tensor,
    deliveries: Sequence[Sequence[Delivery]],
) -> InMemory | None:
    """Make the loader of a segment from memory.

    :param sources: training data of each task.
    :param offsets: index of each task's first sample in the concatenation of all training data.
    :param ids: indices of the segment's samples in that concatenation, in order of delivery,
        ``[N]``.
    :param deliveries: deliveries of the segment.
    :return: the loader; ``None`` if some samples are not in memory.
    """
    bulks = {}
    for task in {delivery.task for delivered in deliveries for delivery in delivered}:
        bulk = sources[task].bulk if isinstance(sources[task], Source) else None
        if bulk is None:
            return None
        bulks[task] = bulk
    places, labels, tasks = (torch.empty_like(ids) for _ in range(3))
    for task, bulk in bulks.items():
        mine = (ids >= offsets[task]) & (ids < offsets[task + 1])
        indices = ids[mine] - offsets[task]
        places[mine] = bulk.at(indices)
        labels[mine] = sources[task].targets[indices]
        tasks[mine] = task
    return InMemory(bulks, places, labels, tasks)

"""Loaders that yield tick after tick: one minibatch per active task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor

from ._labelled import collate
from .experience import SegmentExperience, objective_names

__all__ = ["Part", "SerialTickLoader", "TickBatch", "TickLoader", "as_tick"]


@dataclass(frozen=True)
class Part:
    """The samples ``start:stop`` of a minibatch that belong to one objective.

    :param objective: its name.
    :param replayed: whether they come from a replay memory.
    :param together: whether they are of one batch with the samples of the part before.
    """

    objective: str
    start: int
    stop: int
    replayed: bool = False
    together: bool = False


class TickBatch(list[Tensor]):
    """Minibatch of one tick, ``[x, y, task labels]`` as Avalanche expects it.

    :param tensors: of all objectives, one after the other.
    :param parts: which samples belong to which objective; they cover the minibatch in order.
    :param tick: counted from the start of the stream.
    """

    def __init__(self, tensors: Sequence[Tensor], parts: Sequence[Part], tick: int) -> None:
        super().__init__(tensors)
        self.parts: list[Part] = list(parts)
        self.tick: int = tick

    @property
    def groups(self) -> list[int]:
        """Number of successive objectives in each batch that is forwarded as one."""
        found: list[int] = []
        for part in self.parts:
            if part.together and found:
                found[-1] += 1
            else:
                found.append(1)
        return found

    def group_of(self, part: Part) -> slice:
        """Find the samples of the batch that a part is forwarded in."""
        first = last = self.parts.index(part)
        while self.parts[first].together and first > 0:
            first -= 1
        while last + 1 < len(self.parts) and self.parts[last + 1].together:
            last += 1
        return slice(self.parts[first].start, self.parts[last].stop)

    def append_objective(
        self,
        objective: str,
        tensors: Sequence[Tensor],
        *,
        replayed: bool = False,
        together: bool = False,
    ) -> None:
        """Add samples ``[x, y, task labels]`` as one more objective.

        :param replayed: whether they come from a replay memory.
        :param together: whether they are of one batch with the samples of the objective before, so
            that batch norm normalises both together.
        """
        start = len(self[0])
        for position, tensor in enumerate(tensors):
            self[position] = torch.cat([self[position], tensor.to(self[position].device)])
        self.parts.append(Part(objective, start, len(self[0]), replayed, together))


class TickLoader:
    """The ticks of a segment, in the order that the benchmark's seed has fixed.

    Each tick is one minibatch per active task; the last one of a span may be short.

    :param experience: segment of a parallel benchmark, whose training transforms apply.
    """

    def __init__(self, experience: SegmentExperience) -> None:
        self._experience = experience
        self._deliveries = experience.deliveries
        self._ticks = experience.ticks
        self._names = experience.benchmark.task_names

    def __len__(self) -> int:
        return len(self._deliveries)

    def __iter__(self) -> Iterator[TickBatch]:
        batches = self._experience.load_ticks()
        for tick, deliveries, batch in zip(self._ticks, self._deliveries, batches, strict=True):
            start = deliveries[0].start
            parts = [Part(self._names[d.task], d.start - start, d.stop - start) for d in deliveries]
            yield TickBatch(batch, parts, tick)


class SerialTickLoader:
    """Ticks of an ordinary Avalanche experience, all of whose tasks start together.

    Each task's samples are shuffled anew in each epoch by torch's global generator, as in
    Avalanche's own loaders; tasks with fewer samples end earlier.

    :param dataset: with task labels per sample, or none at all.
    :param batch_size: samples of each task at each tick.
    :param names: from task label to the name of its objective. With a single name all samples are
        one objective, whatever their labels.
    :param first_tick: number of the first tick.
    :param shuffle: whether to shuffle.
    """

    def __init__(
        self,
        dataset: AvalancheDataset,
        batch_size: int,
        names: dict[int, str],
        first_tick: int = 0,
        shuffle: bool = True,
    ) -> None:
        self._dataset = dataset
        self._batch_size = batch_size
        self._first_tick = first_tick
        self._shuffle = shuffle
        if len(names) == 1:
            self._groups = {name: list(range(len(dataset))) for name in names.values()}
        else:
            of_task = dataset.targets_task_labels.val_to_idx
            self._groups = {name: list(of_task[task]) for task, name in sorted(names.items())}

    @property
    def fewest(self) -> int:
        """Samples of the smallest minibatch of a task."""
        rests = [len(indices) % self._batch_size for indices in self._groups.values()]
        return min(rest or self._batch_size for rest in rests)

    def __len__(self) -> int:
        longest = max(len(indices) for indices in self._groups.values())
        return -(-longest // self._batch_size)

    def __iter__(self) -> Iterator[TickBatch]:
        orders = {
            name: [indices[i] for i in torch.randperm(len(indices)).tolist()]
            if self._shuffle
            else indices
            for name, indices in self._groups.items()
        }
        for tick in range(len(self)):
            chosen: list[int] = []
            parts = []
            for name, order in orders.items():
                start = len(chosen)
                chosen += order[tick * self._batch_size : (tick + 1) * self._batch_size]
                if len(chosen) > start:
                    parts.append(Part(name, start, len(chosen)))
            yield TickBatch(collate(self._dataset, chosen), parts, self._first_tick + tick)


def as_tick(mbatch: Sequence[Tensor], experience: Any, tick: int) -> TickBatch:
    """Divide an ordinary minibatch into objectives by task label.

    :param mbatch: ``[x, y, ..., task labels]``, or ``[x, y]`` where all samples are of one task.
    :param experience: where it comes from; tasks replayed from others are objectives, too.
    :param tick: its number.
    """
    x, y = mbatch[0], mbatch[1]
    task_labels = mbatch[-1] if len(mbatch) >= 3 else torch.zeros(len(y), dtype=torch.long)
    names = objective_names(experience)
    if isinstance(experience, SegmentExperience):
        names = dict(enumerate(experience.benchmark.task_names))
    elif len(mbatch) < 3:
        names = {0: next(iter(names.values()))}
    batch = TickBatch([x[:0], y[:0], task_labels[:0]], [], tick)
    for label in task_labels.unique().tolist():
        chosen = task_labels == label
        name = names.get(label, f"replayed{label}")
        batch.append_objective(name, [x[chosen], y[chosen], task_labels[chosen]])
    return batch

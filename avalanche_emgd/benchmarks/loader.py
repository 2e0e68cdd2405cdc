"""Loaders of ticks: one minibatch per active task at each tick."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor

from .datasets import collate
from .experience import SegmentExperience, objective_names

__all__ = ["Part", "SerialTickLoader", "ShuffledLoader", "TickBatch", "TickLoader", "as_tick"]


@dataclass(frozen=True)
class Part:
    """The samples ``start:stop`` of a minibatch that belong to one objective.

    :param objective: name of the objective.
    :param replayed: whether the samples come from a replay memory.
    :param together: whether the samples share one batch with the previous part.
    """

    objective: str
    start: int
    stop: int
    replayed: bool = False
    together: bool = False


class TickBatch(list[Tensor]):
    """Minibatch of one tick, ``[x, y, task labels]`` as Avalanche expects it.

    :param tensors: tensors ``[x, y, task labels]`` of all objectives, concatenated.
    :param parts: parts of the objectives; they cover the minibatch in order.
    :param tick: number of the tick, from the start of the stream.
    """

    def __init__(self, tensors: Sequence[Tensor], parts: Sequence[Part], tick: int) -> None:
        super().__init__(tensors)
        self.parts: list[Part] = list(parts)
        self.tick: int = tick
        self._delivered: Tensor | None = None

    @property
    def delivered(self) -> Tensor:
        """Inputs ``[b, ...]`` before :meth:`augment`, in the order of the minibatch."""
        return self[0] if self._delivered is None else self._delivered

    def augment(self, inputs: Tensor) -> None:
        """Replace the inputs ``[b, ...]`` by augmented ones; ``delivered`` stays as it is."""
        self._delivered, self[0] = self.delivered, inputs

    @property
    def groups(self) -> list[int]:
        """Number of objectives in each batch; a batch is one forward pass."""
        found: list[int] = []
        for part in self.parts:
            if part.together and found:
                found[-1] += 1
            else:
                found.append(1)
        return found

    def group_of(self, part: Part) -> slice:
        """Return the samples of the batch that contains a part."""
        first = last = self.parts.index(part)
        while self.parts[first].together and first > 0:
            first -= 1
        while last + 1 < len(self.parts) and self.parts[last + 1].together:
            last += 1
        return slice(self.parts[first].start, self.parts[last].stop)

    def keep(self, parts: Sequence[Part]) -> None:
        """Keep the samples of some objectives only.

        :param parts: parts to keep, in their order.
        """
        rows = torch.cat([torch.arange(part.start, part.stop) for part in parts])
        groups = [self.group_of(part) for part in parts]
        for position, tensor in enumerate(self):
            self[position] = tensor.index_select(0, rows.to(tensor.device))
        if self._delivered is not None:
            self._delivered = self._delivered.index_select(0, rows.to(self._delivered.device))
        start, self.parts = 0, []
        for place, part in enumerate(parts):
            stop = start + part.stop - part.start
            together = place > 0 and groups[place] == groups[place - 1]
            self.parts.append(Part(part.objective, start, stop, part.replayed, together))
            start = stop

    def append_objective(
        self,
        objective: str,
        tensors: Sequence[Tensor],
        *,
        replayed: bool = False,
        together: bool = False,
    ) -> None:
        """Append samples as one more objective.

        :param objective: name of the objective.
        :param tensors: samples ``[x, y, task labels]``.
        :param replayed: whether the samples come from a replay memory.
        :param together: whether the samples share one batch with the previous objective, so that
            batch norm normalises both together.
        """
        start = len(self[0])
        if self._delivered is not None:
            more = tensors[0].to(self._delivered.device)
            self._delivered = torch.cat([self._delivered, more])
        for position, tensor in enumerate(tensors):
            self[position] = torch.cat([self[position], tensor.to(self[position].device)])
        self.parts.append(Part(objective, start, len(self[0]), replayed, together))


class TickLoader:
    """Loader of the ticks of a segment, in the order that the benchmark's seed determines.

    A tick has one minibatch per active task; the last minibatch of a span may be smaller.

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
        return self.ticks_from(0)

    def ticks_from(self, start: int) -> Iterator[TickBatch]:
        """Yield the ticks of the segment after the first ``start`` of them, which are not loaded.

        :param start: number of ticks in 0..len(self).
        """
        batches = self._experience.load_ticks(start)
        left = self._deliveries[start:]
        for tick, deliveries, batch in zip(self._ticks[start:], left, batches, strict=True):
            start = deliveries[0].start
            parts = [Part(self._names[d.task], d.start - start, d.stop - start) for d in deliveries]
            yield TickBatch(batch, parts, tick)


class ShuffledLoader(ABC):
    """Loader whose ticks follow from an order that it draws at the start of each epoch.

    The state of an epoch is that of the generator before the order is drawn.

    :param generator: generator that draws the orders; torch's global one if omitted.
    """

    def __init__(self, generator: torch.Generator | None = None) -> None:
        self._generator = generator

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of ticks of an epoch."""

    def __iter__(self) -> Iterator[TickBatch]:
        self._start_epoch(self._generator)
        yield from self.ticks_from(0)

    def _start_epoch(self, generator: torch.Generator | None) -> None:
        self._drawn_at = torch.get_rng_state() if generator is None else generator.get_state()
        self._draw(generator)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator from which the order of this epoch is drawn."""
        return {"generator": self._drawn_at}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Draw the order again of :meth:`state_dict`; the loader's generator does not change."""
        generator = torch.Generator()
        generator.set_state(state["generator"])
        self._start_epoch(generator)

    @abstractmethod
    def _draw(self, generator: torch.Generator | None) -> None:
        """Draw the order of an epoch from a generator; torch's global one if omitted."""

    @abstractmethod
    def ticks_from(self, start: int) -> Iterator[TickBatch]:
        """Yield the ticks of this epoch after the first ``start`` of them, which are not loaded.

        :param start: number of ticks in 0..len(self).
        """


class SerialTickLoader(ShuffledLoader):
    """Loader of the ticks of an ordinary Avalanche experience, whose tasks start together.

    Torch's global generator shuffles each task's samples in each epoch, as in Avalanche's own
    loaders. Tasks with fewer samples end earlier.

    :param dataset: data set with a task label for each sample, or without task labels.
    :param batch_size: samples of each task at each tick.
    :param names: mapping from task labels to names of objectives. If there is a single name, all
        samples belong to this objective.
    :param first_tick: number of the first tick.
    :param shuffle: whether to shuffle the samples.
    """

    def __init__(
        self,
        dataset: AvalancheDataset,
        batch_size: int,
        names: dict[int, str],
        first_tick: int = 0,
        shuffle: bool = True,
    ) -> None:
        super().__init__()
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
        """Number of samples of the smallest minibatch of a task."""
        rests = [len(indices) % self._batch_size for indices in self._groups.values()]
        return min(rest or self._batch_size for rest in rests)

    def __len__(self) -> int:
        longest = max(len(indices) for indices in self._groups.values())
        return -(-longest // self._batch_size)

    def _draw(self, generator: torch.Generator | None) -> None:
        self._orders = {
            name: [indices[i] for i in torch.randperm(len(indices), generator=generator).tolist()]
            if self._shuffle
            else indices
            for name, indices in self._groups.items()
        }

    def ticks_from(self, start: int) -> Iterator[TickBatch]:
        """Yield the ticks of this epoch after the first ``start`` of them; see :class:`TickLoader`.

        :param start: number of ticks in 0..len(self).
        """
        for tick in range(start, len(self)):
            chosen: list[int] = []
            parts = []
            for name, order in self._orders.items():
                start = len(chosen)
                chosen += order[tick * self._batch_size : (tick + 1) * self._batch_size]
                if len(chosen) > start:
                    parts.append(Part(name, start, len(chosen)))
            yield TickBatch(collate(self._dataset, chosen), parts, self._first_tick + tick)


def as_tick(mbatch: Sequence[Tensor], experience: Any, tick: int) -> TickBatch:
    """Divide an ordinary minibatch into objectives by task label.

    :param mbatch: minibatch ``[x, y, ..., task labels]``, or ``[x, y]`` of a single task.
    :param experience: experience of the minibatch. Replayed tasks of other experiences become
        objectives, too.
    :param tick: number of the tick.
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

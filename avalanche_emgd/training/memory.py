"""Replay memory of the finished tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.storage_policy import ExemplarsBuffer
from torch import Tensor
from torch.utils.data import TensorDataset, default_collate

from ..benchmarks._labelled import with_labels
from ..benchmarks.experience import SegmentExperience, finishing_objectives, objective_names

__all__ = ["ReplayMemory"]


class _ClassStore:
    """Samples of one class of one task, in ascending order of their random keys.

    The k samples with the smallest keys are a uniform sample of all that were streamed, for every
    k at once: shrinking cuts the end off.
    """

    def __init__(self, label: int, task_label: int) -> None:
        self.label = label
        self.task_label = task_label
        self.keys = torch.empty(0, dtype=torch.float64)
        self.inputs: Tensor | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def offer(self, dataset: Any, indices: list[int], keys: Tensor, size: int) -> None:
        """Keep the ``size`` smallest keys of the old and the new; only these are loaded."""
        candidates = torch.cat([self.keys, keys])
        kept = torch.argsort(candidates, stable=True)[:size]
        old = kept[kept < len(self.keys)]
        new = kept[kept >= len(self.keys)] - len(self.keys)
        parts = [] if self.inputs is None else [self.inputs[old]]
        if len(new):
            parts.append(default_collate([dataset[indices[i]][0] for i in new.tolist()]))
        if not parts:
            return
        merged_keys = torch.cat([self.keys[old], keys[new]])
        order = torch.argsort(merged_keys, stable=True)
        self.keys = merged_keys[order]
        self.inputs = torch.cat(parts)[order]

    def shrink(self, size: int) -> None:
        self.keys = self.keys[:size]
        if self.inputs is not None:
            self.inputs = self.inputs[:size].clone()


class ReplayMemory(ExemplarsBuffer):
    """Owns samples of the finished tasks, an equal share of its capacity for each class.

    While a task streams, a random sample of what it has delivered is kept aside; when its span
    ends, the sample enters the memory, and the classes already there shrink to make room. Samples
    are stored as tensors after the evaluation transforms of their data set, so nothing done to them
    reaches the user's data.

    :param max_size: capacity in samples, ≥ 1, shared equally among the classes of the finished
        tasks; the first classes get what does not divide.
    :param seed: decides which samples are kept and in which order they are drawn.
    """

    def __init__(self, max_size: int, seed: int = 0) -> None:
        if max_size < 1:
            raise ValueError(f"`max_size` must be at least 1, found {max_size!r}.")
        super().__init__(max_size)
        self._generator = torch.Generator().manual_seed(seed)
        self._finished: dict[tuple[str, int], _ClassStore] = {}
        self._streaming: dict[str, dict[int, _ClassStore]] = {}
        self._seen: dict[str, set[int]] = {}
        self._origin: Any = None
        self._rebuild()

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def tasks(self) -> list[str]:
        """Names of the finished tasks that have samples, in order of their end."""
        return list(self._of_task)

    @property
    def buffer(self) -> AvalancheDataset:
        """The samples as an Avalanche data set of ``(x, y, task label)``."""
        datasets = [
            with_labels(
                TensorDataset(store.inputs, torch.full((len(store),), store.label)),
                [store.label] * len(store),
                store.task_label,
            )
            for store in self._finished.values()
            if len(store) and store.inputs is not None
        ]
        return AvalancheDataset(datasets)

    def post_adapt(self, agent_state: Any, exp: Any) -> None:
        """Take in what the experience has delivered; tasks that it finishes enter the memory."""
        dataset = exp.dataset.eval()
        labels = list(exp.dataset.targets)
        names = objective_names(exp)
        self.check_origin(exp)
        self._origin = getattr(exp, "benchmark", None)
        for task, indices in _indices_by_task(exp, names).items():
            if isinstance(exp, SegmentExperience):
                num_classes = len(exp.benchmark.label_sets[task])
                indices = self._not_seen(names[task], exp.sample_ids, indices)
            else:
                num_classes = len({labels[index] for index in indices})
            self._stream(names[task], dataset, indices, labels, task, num_classes)
        finished = finishing_objectives(exp)
        for name in finished:
            self._seen.pop(name, None)
            for label, store in self._streaming.pop(name, {}).items():
                self._finished[name, label] = store
        if finished:
            self._share()

    def check_origin(self, exp: Any) -> None:
        """Check that an experience is of the benchmark that the memory's samples are of.

        :raises ValueError: if it is of another one, whose tasks and classes mean something else.
        """
        if (self._finished or self._streaming) and (
            getattr(exp, "benchmark", None) is not self._origin
        ):
            raise ValueError(
                "`experience` is of another benchmark than the samples in the replay memory: "
                "make a new strategy for it."
            )

    def resize(self, strategy: Any, new_size: int) -> None:
        """Change the capacity. A larger one takes effect as more tasks finish."""
        if new_size < 1:
            raise ValueError(f"`new_size` must be at least 1, found {new_size!r}.")
        self.max_size = new_size
        self._share()

    def draw(self, batch_size: int) -> list[Tensor]:
        """Random samples without repetition, ``[x, y, task labels]``.

        :param batch_size: how many; fewer if the memory has fewer.
        """
        chosen = torch.randperm(len(self), generator=self._generator)[:batch_size]
        return self._take(chosen)

    def draw_per_task(self, batch_size: int) -> dict[str, list[Tensor]]:
        """Random samples of each finished task, ``batch_size`` in all, equally many of each.

        :param batch_size: how many in all; chance decides which tasks get what does not divide.
        """
        drawn = {}
        share, more = divmod(batch_size, max(1, len(self._of_task)))
        places = torch.randperm(len(self._of_task), generator=self._generator).tolist()
        for place, (name, indices) in zip(places, self._of_task.items(), strict=True):
            order = torch.randperm(len(indices), generator=self._generator)
            chosen = indices[order[: share + (place < more)]]
            if len(chosen):
                drawn[name] = self._take(chosen)
        return drawn

    def _take(self, chosen: Tensor) -> list[Tensor]:
        if self._inputs is None:
            raise ValueError("The memory is empty: no task has finished yet.")
        return [self._inputs[chosen], self._labels[chosen], self._task_labels[chosen]]

    def _stream(
        self,
        name: str,
        dataset: Any,
        indices: list[int],
        labels: list[int],
        task_label: int,
        num_classes: int,
    ) -> None:
        """Offer samples of an active task; no class ever gets more than its task's share."""
        keys = torch.rand(len(indices), generator=self._generator, dtype=torch.float64)
        of_class: dict[int, list[int]] = {}
        for position, index in enumerate(indices):
            of_class.setdefault(labels[index], []).append(position)
        stores = self._streaming.setdefault(name, {})
        for label in sorted(of_class):
            positions = of_class[label]
            store = stores.setdefault(label, _ClassStore(label, task_label))
            store.offer(
                dataset,
                [indices[p] for p in positions],
                keys[positions],
                -(-self.max_size // num_classes),
            )

    def _not_seen(self, name: str, ids: Sequence[int], indices: list[int]) -> list[int]:
        """Leave out what an active task has delivered before: one sample, one chance."""
        seen = self._seen.setdefault(name, set())
        fresh = {ids[index]: index for index in indices if ids[index] not in seen}
        seen.update(fresh)
        return list(fresh.values())

    def _share(self) -> None:
        if self._finished:
            share, more = divmod(self.max_size, len(self._finished))
            for position, store in enumerate(self._finished.values()):
                store.shrink(share + (position < more))
        self._rebuild()

    def _rebuild(self) -> None:
        """Lay the samples out for drawing."""
        stores = [(n, s) for (n, _), s in self._finished.items() if len(s)]
        inputs = [store.inputs for _, store in stores if store.inputs is not None]
        self._inputs = torch.cat(inputs) if inputs else None
        sizes = torch.tensor([len(s) for _, s in stores], dtype=torch.long)
        labels = torch.tensor([s.label for _, s in stores], dtype=torch.long)
        tasks = torch.tensor([s.task_label for _, s in stores], dtype=torch.long)
        self._labels = labels.repeat_interleave(sizes)
        self._task_labels = tasks.repeat_interleave(sizes)
        self._of_task: dict[str, Tensor] = {}
        start = 0
        for name, store in stores:
            indices = torch.arange(start, start + len(store))
            self._of_task[name] = torch.cat([self._of_task.get(name, indices[:0]), indices])
            start += len(store)


def _indices_by_task(exp: Any, names: dict[int, str]) -> dict[int, list[int]]:
    """Positions in the experience's data set, by task label."""
    if len(names) == 1:
        return {task: list(range(len(exp.dataset))) for task in names}
    return {task: list(exp.dataset.targets_task_labels.val_to_idx[task]) for task in names}

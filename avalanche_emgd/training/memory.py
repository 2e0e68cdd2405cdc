"""Replay memory of the finished tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.training.storage_policy import ExemplarsBuffer
from torch import Tensor
from torch.utils.data import TensorDataset

from ..benchmarks._labelled import with_labels
from ..benchmarks.experience import finishing_objectives
from .memory_intake import delivered_by, offer
from .memory_store import SampleStore, samples_of

__all__ = ["ReplayMemory"]

_ANY = object()  # origin of samples that have been loaded


class ReplayMemory(ExemplarsBuffer):
    """Owns samples of the finished tasks, an equal share of its capacity for each class.

    While a task streams, a random sample of what it has delivered is kept aside; when its span
    ends, the sample enters the memory, and the classes already there shrink to make room. Samples
    are stored as tensors after the evaluation transforms of their data set, so nothing done to them
    reaches the user's data.

    Methods may :meth:`annotate` the samples of the finished tasks: each annotation is a tensor that
    stays with its sample for as long as the sample is in the memory. Samples are referred to by
    their positions, which :meth:`choose` gives; they hold until the memory next changes.

    :param max_size: capacity in samples, ≥ 1, shared equally among the classes of the finished
        tasks; the first classes get what does not divide.
    :param seed: decides which samples are kept and in which order they are drawn.
    """

    def __init__(self, max_size: int, seed: int = 0) -> None:
        if max_size < 1:
            raise ValueError(f"`max_size` must be at least 1, found {max_size!r}.")
        super().__init__(max_size)
        self._generator = torch.Generator().manual_seed(seed)
        self._finished: dict[tuple[str, int], SampleStore] = {}
        self._streaming: dict[str, dict[int, SampleStore]] = {}
        self._seen: dict[str, Tensor] = {}
        self._origin: Any = None
        self._rebuild()

    def __len__(self) -> int:
        return len(self._labels)

    def __repr__(self) -> str:
        return (
            f"ReplayMemory({len(self)} of {self.max_size} samples, of {len(self.tasks)} finished "
            "tasks)"
        )

    @property
    def tasks(self) -> list[str]:
        """Names of the finished tasks that have samples, in order of their end."""
        return list(self._of_task)

    @property
    def inputs(self) -> Tensor:
        """Inputs of all samples, ``[len(self), ...]``; what is written into them stays."""
        return self._inputs

    @property
    def buffer(self) -> AvalancheDataset:
        """The samples as an Avalanche data set of ``(x, y, task label)``."""
        datasets = [
            with_labels(
                TensorDataset(store.inputs, store.labels), store.labels.tolist(), store.task_label
            )
            for store in self._finished.values()
            if len(store)
        ]
        return AvalancheDataset(datasets)

    def post_adapt(self, agent_state: Any, exp: Any) -> None:
        """Take in what the experience has delivered; tasks that it finishes enter the memory."""
        self.check_origin(exp)
        self._take_in(exp)
        finished = finishing_objectives(exp)
        for name in finished:
            self._finish(name)
        if finished:
            self._share()

    def check_origin(self, exp: Any) -> None:
        """Check that an experience is of the benchmark that the memory's samples are of.

        An empty memory takes note of the benchmark.

        :raises ValueError: if it is of another one, whose tasks and classes mean something else.
        """
        origin = getattr(exp, "benchmark", None)
        if self._origin is _ANY or not (self._finished or self._streaming):
            self._origin = origin
        elif origin is not self._origin:
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

    def choose(self, batch_size: int) -> Tensor:
        """Positions of random samples without repetition.

        :param batch_size: how many; fewer if the memory has fewer.
        """
        return torch.randperm(len(self), generator=self._generator)[:batch_size]

    def choose_per_task(self, batch_size: int) -> dict[str, Tensor]:
        """Positions of random samples of each finished task, equally many of each.

        :param batch_size: how many in all; chance decides which tasks get what does not divide.
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

    def take(self, positions: Tensor) -> list[Tensor]:
        """Copy the samples at these positions, ``[x, y, task labels]``.

        :raises ValueError: if the memory is empty.
        """
        if len(self) == 0:
            raise ValueError("The memory is empty: no task has finished yet.")
        stored = (self._inputs, self._labels, self._task_labels)
        return [column.index_select(0, positions.to(column.device)) for column in stored]

    def draw(self, batch_size: int) -> list[Tensor]:
        """Random samples without repetition, ``[x, y, task labels]``; see :meth:`choose`."""
        return self.take(self.choose(batch_size))

    def annotate(self, name: str, make: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        """Annotate the samples that have no annotation of this name yet.

        :param name: of the annotation.
        :param make: from inputs ``[n, ...]``, class labels ``[n]`` and task labels ``[n]`` to
            annotations ``[n, ...]``, which are copied.
        :raises ValueError: if the shape does not fit the samples, or the annotations of other ones.
        """
        missing = [s for s in self._finished.values() if len(s) and name not in s.annotations]
        if not missing:
            return
        values = make(*samples_of(missing)).detach().to(self._inputs.device)
        sizes = [len(store) for store in missing]
        others = [s.annotations[name] for s in self._finished.values() if name in s.annotations]
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

    def kept(self) -> list[Tensor]:
        """All samples kept, ``[x, y, task labels]``: those kept aside for active tasks, too."""
        aside = [s for stores in self._streaming.values() for s in stores.values()]
        return samples_of([*self._finished.values(), *aside])

    def state_dict(self) -> dict[str, Any]:
        """All samples with their annotations, and what decides on further ones.

        Made of tensors, numbers and text, so that ``torch.load(..., weights_only=True)`` reads it.
        It does not say which benchmark the samples are of.
        """
        return {
            "max_size": self.max_size,
            "generator": self._generator.get_state(),
            "finished": [
                (name, label, store.state_dict()) for (name, label), store in self._finished.items()
            ],
            "streaming": [
                (name, label, store.state_dict())
                for name, stores in self._streaming.items()
                for label, store in stores.items()
            ],
            "seen": {name: ids.sort().values for name, ids in self._seen.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave; all that was in the memory is gone.

        :param state: whose samples are of the benchmark that is trained on next.
        """
        self.max_size = int(state["max_size"])
        self._generator.set_state(state["generator"])
        self._finished = {
            (name, label): SampleStore.from_state(kept) for name, label, kept in state["finished"]
        }
        self._streaming = {}
        for name, label, kept in state["streaming"]:
            self._streaming.setdefault(name, {})[label] = SampleStore.from_state(kept)
        self._seen = {name: ids.clone() for name, ids in state["seen"].items()}
        self._origin = _ANY
        self._rebuild()

    def _take_in(self, exp: Any) -> None:
        """Keep samples aside of what an experience has delivered."""
        for samples in delivered_by(exp):
            # One sample, one chance: what an active task has delivered before does not count.
            seen = self._seen.get(samples.name, torch.empty(0, dtype=torch.long))
            samples = samples.unlike(seen)
            self._seen[samples.name] = torch.cat([seen, samples.ids])
            keys = torch.rand(len(samples.labels), generator=self._generator, dtype=torch.float64)
            stores = self._streaming.setdefault(samples.name, {})
            # No class ever gets more than its task's share.
            offer(stores, samples, keys, -(-self.max_size // samples.num_classes))

    def _finish(self, name: str) -> None:
        """Move what was kept aside of a task into the memory."""
        self._seen.pop(name, None)
        for label, store in self._streaming.pop(name, {}).items():
            self._finished[name, label] = store

    def _share(self) -> None:
        if self._finished:
            share, more = divmod(self.max_size, len(self._finished))
            for position, store in enumerate(self._finished.values()):
                store.shrink(share + (position < more))
        self._rebuild()

    def _rebuild(self) -> None:
        """Lay the samples out one after the other; the stores become views of that."""
        stores = {key: store for key, store in self._finished.items() if len(store)}
        self._inputs, self._labels, self._task_labels = samples_of(list(stores.values()))
        named = [set(store.annotations) for store in stores.values()]
        self._annotations: dict[str, Tensor] = {
            name: torch.cat([store.annotations[name] for store in stores.values()])
            for name in sorted(set.intersection(*named) if named else ())
        }
        self._of_task: dict[str, Tensor] = {}
        start = 0
        for (name, _), store in stores.items():
            stop = start + len(store)
            store.inputs = self._inputs[start:stop]
            for annotation, values in self._annotations.items():
                store.annotations[annotation] = values[start:stop]
            positions = torch.arange(start, stop)
            self._of_task[name] = torch.cat([self._of_task.get(name, positions[:0]), positions])
            start = stop

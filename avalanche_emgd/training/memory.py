"""Replay memory of the finished tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from ..benchmarks.experience import finishing_objectives, objective_names
from ..benchmarks.origin import Origin
from .memory_intake import Delivered, delivered_by, ids_in, offer, runs_of
from .memory_samples import StoredSamples
from .memory_shares import equal_shares, filled_shares
from .memory_store import Group, SampleStore, samples_of, shrink_to

__all__ = ["ReplayMemory"]


class ReplayMemory(StoredSamples):
    """Owns samples of the finished tasks, an equal share of its capacity for each class.

    While a task streams, a random sample of what it has delivered is kept aside; when its span
    ends, the sample enters the memory, and the classes already there shrink to make room. Samples
    are stored as tensors after the evaluation transforms of their data set, so nothing done to them
    reaches the user's data.

    Classes and tasks may come again. What the memory keeps of a class is at any time a uniform
    sample of all that the class has delivered:

    * On a parallel benchmark the classes of each task have shares of their own, and a sample that
      is delivered again, as in a second pass over the stream, has no second chance. A task that
      streams again after its end, or not at all in the segment at hand, counts as finished.
    * On ordinary benchmarks every experience ends its tasks. Classes have shares of their own,
      those of different task labels, too, whichever experiences deliver them. A class with fewer
      samples than its share leaves the rest to the others. If there are more classes than places,
      chance decides which are kept.

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
        self._groups: dict[Group, None] = {}  # all there have been, in order
        self._streaming: dict[str, dict[int, SampleStore]] = {}
        self._seen: dict[str, Tensor] = {}
        self._origin: Origin | None = None

    def __repr__(self) -> str:
        return (
            f"ReplayMemory({len(self)} of {self.max_size} samples, of {len(self.tasks)} finished "
            "tasks)"
        )

    def pre_adapt(self, agent_state: Any, exp: Any) -> None:
        """Prepare for an experience; tasks that it does not go on with enter the memory.

        :raises ValueError: see :meth:`check_origin`.
        """
        self.check_origin(exp)
        paused = [name for name in self._streaming if name not in objective_names(exp).values()]
        self._finish_all(paused)

    def post_adapt(self, agent_state: Any, exp: Any) -> None:
        """Take in what the experience has delivered; tasks that it finishes enter the memory."""
        self.pre_adapt(agent_state, exp)
        self._take_in(exp)
        if self._is_ordinary:
            self._finish_all(self._streaming)
        else:
            again = [n for n in self._streaming if any(n == own for own, _ in self._groups)]
            self._finish_all(dict.fromkeys([*finishing_objectives(exp), *again]))

    def check_origin(self, exp: Any) -> None:
        """Check that an experience is of the benchmark that the memory's samples are of.

        Parallel benchmarks are compared by content. An empty memory takes note of the benchmark.

        :raises ValueError: if it is of another one, whose tasks and classes mean something else.
        """
        origin = Origin.of(exp)
        if self._origin is None or not (self._finished or self._streaming):
            if self._origin != origin:
                self._seen, self._groups = {}, {}
            self._origin = origin
        elif origin != self._origin:
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

    def draw(self, batch_size: int) -> list[Tensor]:
        """Random samples without repetition, ``[x, y, task labels]``; see :meth:`choose`."""
        return self.take(self.choose(batch_size))

    def kept(self) -> list[Tensor]:
        """All samples kept, ``[x, y, task labels]``: those kept aside for active tasks, too."""
        aside = [s for stores in self._streaming.values() for s in stores.values()]
        return samples_of([*self._finished, *aside])

    def state_dict(self) -> dict[str, Any]:
        """All samples with their annotations, and what decides on further ones.

        Made of tensors, numbers and text, so that ``torch.load(..., weights_only=True)`` reads it.
        It has the fingerprint of the benchmark that the samples are of.
        """
        origin = self._origin
        return {
            "max_size": self.max_size,
            "generator": self._generator.get_state(),
            "finished": [store.state_dict() for store in self._finished],
            "groups": list(self._groups),
            "streaming": [
                (name, label, store.state_dict())
                for name, stores in self._streaming.items()
                for label, store in stores.items()
            ],
            "seen": {name: runs_of(ids) for name, ids in self._seen.items()},
            "origin": None if origin is None else {"fingerprint": origin.fingerprint},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave; all that was in the memory is gone.

        :param state: state whose samples are of the benchmark that is trained on next.
        :raises ValueError: if it is no state of a replay memory, or one of an earlier release.
        """
        missing = sorted({"finished", "groups", "streaming", "seen", "origin"} - set(state))
        if missing:
            raise ValueError(
                f"`state` must be of a ReplayMemory of this release, found no {missing}."
            )
        self.max_size = int(state["max_size"])
        self._generator.set_state(state["generator"])
        self._finished = [SampleStore.from_state(kept) for kept in state["finished"]]
        self._streaming = {}
        self._groups = {(own, int(label)): None for own, label in state["groups"]}
        for name, label, kept in state["streaming"]:
            self._streaming.setdefault(name, {})[label] = SampleStore.from_state(kept)
        self._seen = {name: ids_in(runs) for name, runs in state["seen"].items()}
        origin = state["origin"]
        self._origin = None if origin is None else Origin(fingerprint=origin["fingerprint"])
        self._rebuild()

    # Copies hold what a state holds: tensors that are views of others would come back apart.
    _IN_STATE: ClassVar[tuple[str, ...]] = (
        "max_size", "_generator", "_finished", "_groups", "_streaming", "_seen",
        "_inputs", "_labels", "_task_labels", "_annotations", "_of_task",
    )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        others = {name: v for name, v in vars(self).items() if name not in self._IN_STATE}
        return {**others, "_state": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({name: v for name, v in state.items() if name != "_state"})
        self._generator = torch.Generator()
        self.load_state_dict(state["_state"])

    def _take_in(self, exp: Any) -> None:
        """Keep samples aside of what an experience has delivered."""
        delivered = delivered_by(exp)
        sizes = [-(-self.max_size // samples.num_classes) for samples in delivered]
        if self._is_ordinary:
            sizes = self._largest_shares(delivered)
        for samples, size in zip(delivered, sizes, strict=True):
            if not self._is_ordinary:
                # One sample, one chance: what a task has delivered before does not count.
                seen = self._seen.get(samples.name, torch.empty(0, dtype=torch.long))
                samples = samples.unlike(seen)
                self._seen[samples.name] = torch.cat([seen, samples.ids])
            keys = torch.rand(len(samples.labels), generator=self._generator, dtype=torch.float64)
            stores = self._streaming.setdefault(samples.name, {})
            offer(stores, samples, keys, size)

    @property
    def _is_ordinary(self) -> bool:
        return self._origin is not None and self._origin.is_ordinary

    def _largest_shares(self, delivered: Sequence[Delivered]) -> list[int]:
        """Most samples of a class that each of these can leave in the memory."""
        counts = Counter(dict.fromkeys(self._groups, 0))
        for store in self._finished:
            counts[store.group] += len(store)
        for samples in delivered:
            labels, numbers = samples.labels.unique(return_counts=True)
            counts.update(
                {
                    (samples.task_label, label): number
                    for label, number in zip(labels.tolist(), numbers.tolist(), strict=True)
                }
            )
        shares = filled_shares(self.max_size, list(counts.values()), [0.0] * len(counts))
        return len(delivered) * [max(1, *shares)]

    def _finish_all(self, names: Iterable[str]) -> None:
        finished = list(names)
        for name in finished:
            self._finish(name)
        if finished:
            self._share()

    def _finish(self, name: str) -> None:
        """Move what was kept aside of a task into the memory."""
        for label, store in self._streaming.pop(name, {}).items():
            store.name, store.group = name, self._group_of(name, label, store)
            self._finished.append(store)
            self._groups.setdefault(store.group)

    def _group_of(self, name: str, label: int, store: SampleStore) -> Group:
        """Group whose share of the capacity holds a store."""
        return (store.task_label if self._is_ordinary else name, label)

    def _share(self) -> None:
        stores: dict[Group, list[SampleStore]] = {group: [] for group in self._groups}
        for store in self._finished:
            stores[store.group].append(store)
        counts = [sum(map(len, group)) for group in stores.values()]
        if self._is_ordinary:
            ranks = [0.0] * len(counts)
            if len(counts) > self.max_size:
                ranks = [min((float(s.keys[0]) for s in g), default=1.0) for g in stores.values()]
            shares = filled_shares(self.max_size, counts, ranks)
        else:
            shares = equal_shares(self.max_size, max(1, len(stores)))
        for group, count, share in zip(stores.values(), counts, shares, strict=False):
            if count > share:
                shrink_to(share, group)
        self._finished = [store for store in self._finished if len(store)]
        self._rebuild()

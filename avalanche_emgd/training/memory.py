"""Replay memory of the finished tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from .._numbers import check_whole
from ..benchmarks.experience import finishing_objectives, objective_names
from ..benchmarks.live import LiveSegment
from ..benchmarks.origin import Origin
from .delivered_samples import DeliveredSamples, delivered_samples
from .id_ranges import ids_in_ranges, ranges_of
from .memory_shares import equal_shares, filled_shares
from .memory_store import Group, SampleStore, samples_of, shrink_to
from .memory_streaming import StreamedSamples
from .reservoir import keep_smallest_keys

__all__ = ["ReplayMemory"]


class ReplayMemory(StreamedSamples):
    """Replay memory of the finished tasks, with an equal share of the capacity for each class.

    During the span of a task, the memory sets aside a uniform random sample of its delivered
    samples. At the end of the span these samples become replayable, and the shares of other classes
    shrink. Samples are stored as tensors after the evaluation transforms of their data set, so
    changes to them do not reach the user's data.

    Classes and tasks may recur. At any time the stored samples of a class are a uniform random
    sample of all its delivered samples:

    * On a parallel benchmark, each class of each task has its own share. A sample that is delivered
      again, for example in a second pass over the stream, is not considered again. A task counts as
      finished if it streams again after its end, or does not stream in the current segment.
    * On a live stream, each class has its own share in the class scenario, and each class of each
      task in the task scenario. A task that returns is replayed while it streams; its new samples
      enter at its next end.
    * On an ordinary benchmark, every experience ends its tasks. Each pair of class and task label
      has its own share, independent of the experiences. A class with fewer samples than its share
      leaves the remainder to other classes. If there are more classes than ``max_size``, a random
      choice decides which classes are kept. Both hold for a live stream, too.

    A sample that has been dropped does not come back: a capacity that grows is filled with later
    samples.

    Methods may :meth:`annotate` the samples of the finished tasks. An annotation is a tensor that
    stays with its sample while the sample is in the memory. The methods :meth:`choose` and
    :meth:`take` identify samples by their positions, which are valid until the memory changes.

    :param max_size: capacity in samples, ≥ 1, shared equally among the classes of the finished
        tasks; the first classes get the remainder.
    :param seed: seed of the random choice of stored and replayed samples.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(self, max_size: int, seed: int = 0) -> None:
        check_whole("max_size", max_size, 1)
        super().__init__(max_size, seed)
        self._groups: dict[Group, None] = {}  # all groups so far, in order
        self._streaming: dict[str, dict[int, SampleStore]] = {}
        self._seen: dict[str, Tensor] = {}
        self._limits: dict[Group, float] = {}
        self._origin: Origin | None = None

    def __repr__(self) -> str:
        return (
            f"ReplayMemory({len(self)} of {self.max_size} samples, of {len(self.tasks)} finished "
            "tasks)"
        )

    def pre_adapt(self, agent_state: Any, exp: Any) -> None:
        """Prepare for an experience; tasks that it does not continue enter the memory.

        :param agent_state: strategy; not used.
        :param exp: experience of any benchmark.
        :raises ValueError: as in :meth:`check_origin`.
        """
        self.check_origin(exp)
        paused = [name for name in self._streaming if name not in objective_names(exp).values()]
        self._finish_all(paused)

    def post_adapt(self, agent_state: Any, exp: Any) -> None:
        """Store samples that an experience has delivered; its finishing tasks enter the memory.

        :param agent_state: strategy; not used.
        :param exp: experience of any benchmark.
        """
        self.pre_adapt(agent_state, exp)
        if isinstance(exp, LiveSegment):
            self._finish_all(finishing_objectives(exp))
            return
        self._collect(exp)
        if self._is_ordinary:
            self._finish_all(self._streaming)
        else:
            again = [n for n in self._streaming if any(n == own for own, _ in self._groups)]
            self._finish_all(dict.fromkeys([*finishing_objectives(exp), *again]))

    def check_origin(self, exp: Any) -> None:
        """Check that an experience and the samples in memory belong to the same benchmark.

        Parallel benchmarks are compared by content. An empty memory records the benchmark.

        :param exp: experience of any benchmark.
        :raises ValueError: if the benchmarks differ, so that labels have different meanings.
        """
        origin = Origin.of(exp)
        if self._origin is None or not (self._finished or self._streaming):
            if self._origin != origin:
                self._seen, self._groups, self._limits = {}, {}, {}
            self._origin = origin
        elif origin != self._origin:
            raise ValueError(
                "`experience` belongs to another benchmark than the samples in the replay memory: "
                "make a new strategy for it."
            )

    def resize(self, strategy: Any, new_size: int) -> None:
        """Change the capacity; a larger capacity takes effect when further tasks finish.

        :param strategy: strategy; not used.
        :param new_size: capacity in samples, ≥ 1.
        """
        check_whole("new_size", new_size, 1)
        if new_size > self.max_size:
            self._limits = {}
        self.max_size = new_size
        self._share()

    def kept(self) -> list[Tensor]:
        """Return all stored samples, ``[x, y, task labels]``, with those of active tasks."""
        aside = [s for stores in self._streaming.values() for s in stores.values()]
        return samples_of([*self._finished, *aside])

    def state_dict(self) -> dict[str, Any]:
        """Return the state: samples, annotations, generator and fingerprint of the benchmark.

        The state has only tensors, numbers and text, for ``torch.load(..., weights_only=True)``.
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
            "limits": [(own, label, key) for (own, label), key in self._limits.items()],
            "seen": {name: ranges_of(ids) for name, ids in self._seen.items()},
            "origin": None if origin is None else origin.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`, which replaces all samples.

        :param state: state with samples of the benchmark of the next training.
        :raises ValueError: if ``state`` is not a state of a replay memory of this release.
        """
        needed = {"finished", "groups", "limits", "streaming", "seen", "origin"}
        missing = sorted(needed - set(state))
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
        self._limits = {(own, int(label)): float(key) for own, label, key in state["limits"]}
        self._seen = {name: ids_in_ranges(ranges) for name, ranges in state["seen"].items()}
        origin = state["origin"]
        self._origin = None if origin is None else Origin.from_state(origin)
        self._rebuild()

    # Copies use `state_dict`, because pickled views would lose the connection to their tensors.
    _IN_STATE: ClassVar[tuple[str, ...]] = (
        "max_size", "_generator", "_finished", "_groups", "_limits", "_streaming", "_seen",
        "_inputs", "_labels", "_task_labels", "_annotations", "_of_task",
    )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        others = {name: v for name, v in vars(self).items() if name not in self._IN_STATE}
        return {**others, "_state": self.state_dict()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({name: v for name, v in state.items() if name != "_state"})
        self._generator = torch.Generator()
        self.load_state_dict(state["_state"])

    def _collect(self, exp: Any) -> None:
        """Set aside samples that an experience has delivered."""
        delivered = delivered_samples(exp)
        sizes = [-(-self.max_size // samples.num_classes) for samples in delivered]
        if self._is_ordinary:
            sizes = self._largest_shares(delivered)
        for samples, size in zip(delivered, sizes, strict=True):
            if not self._is_ordinary:
                # Each sample is considered once, so repeated deliveries are dropped.
                seen = self._seen.get(samples.name, torch.empty(0, dtype=torch.long))
                samples = samples.unseen(seen)
                self._seen[samples.name] = torch.cat([seen, samples.ids])
            keys = torch.rand(len(samples.labels), generator=self._generator, dtype=torch.float64)
            stores = self._streaming.setdefault(samples.name, {})
            keep_smallest_keys(stores, samples, keys, size)

    @property
    def _is_ordinary(self) -> bool:
        return self._origin is not None and self._origin.is_ordinary

    def _largest_shares(self, delivered: Sequence[DeliveredSamples]) -> list[int]:
        """Return for each task the largest number of samples of a class that can stay."""
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
        """Move the samples of a task that were set aside into the memory."""
        for label, store in self._streaming.pop(name, {}).items():
            store.name, store.group = name, self._group_of(name, label, store)
            self._finished.append(store)
            self._groups.setdefault(store.group)

    def _group_of(self, name: str, label: int, store: SampleStore) -> Group:
        """Return the group whose share of the capacity contains a store."""
        if self._is_live:
            return self._live_group(name, label)
        return (store.task_label if self._is_ordinary else name, label)

    def _share(self) -> None:
        stores: dict[Group, list[SampleStore]] = {group: [] for group in self._groups}
        for store in self._finished:
            stores[store.group].append(store)
        counts = [sum(map(len, group)) for group in stores.values()]
        if self._is_ordinary or self._is_live:
            ranks = [0.0] * len(counts)
            if len(counts) > self.max_size:
                ranks = [min((float(s.keys[0]) for s in g), default=1.0) for g in stores.values()]
            shares = filled_shares(self.max_size, counts, ranks)
        else:
            shares = equal_shares(self.max_size, max(1, len(stores)))
        for name, count, share in zip(stores, counts, shares, strict=False):
            if count > share:
                if self._is_live:
                    self._limit(name, stores[name], share)
                shrink_to(share, stores[name])
        self._finished = [store for store in self._finished if len(store)]
        self._rebuild()

"""Samples of live streams in a replay memory, considered tick by tick."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..benchmarks.origin import Origin
from .delivered_samples import DeliveredSamples
from .memory_samples import StoredSamples
from .memory_shares import filled_shares
from .memory_store import Group, SampleStore, smallest_key
from .reservoir import keep_smallest_keys

__all__ = ["StreamedSamples"]


class StreamedSamples(StoredSamples):
    """Samples that the ticks of a live stream offer, set aside until their task ends.

    A segment of a live stream may be longer than any memory, so that its samples are considered at
    each tick. Each has a uniform random key, and of a class those with the smallest keys stay. The
    share of a class never grows. So each class has a key from which on samples cannot stay, and
    most samples are dropped at once. An active task sets aside as many samples as it would keep if
    it ended now: at most about 1.5 times the capacity.
    """

    _groups: dict[Group, None]
    _streaming: dict[str, dict[int, SampleStore]]
    _limits: dict[Group, float]
    """Keys from which on samples of a class cannot stay; 1 where there is none."""
    _origin: Origin | None

    def stream(self, samples: DeliveredSamples) -> None:
        """Consider the samples of one task at a tick of a live stream.

        :param samples: samples that the task has delivered.
        """
        keys = torch.rand(len(samples.labels), generator=self._generator, dtype=torch.float64)
        groups = [self._live_group(samples.name, label) for label in samples.labels.tolist()]
        limits = [self._limits.get(group, 1.0) for group in groups]
        entering = keys < torch.tensor(limits, dtype=torch.float64)
        if not bool(entering.any()):
            return
        stores = self._streaming.setdefault(samples.name, {})
        keep_smallest_keys(stores, samples.chosen(entering), keys[entering], self.max_size)
        spare = max(self.max_size // 2, 2 * len(stores))  # so that not every sample trims
        if sum(map(len, stores.values())) > self.max_size + spare:
            self._trim(samples.name, stores)

    @property
    def _is_live(self) -> bool:
        return self._origin is not None and self._origin.is_live

    def _live_group(self, name: str, label: int) -> Group:
        """Return the group of a class of a live stream, whose tasks may have classes in common."""
        assert self._origin is not None
        return ("" if self._origin.scenario == "class" else name, label)

    def _trim(self, name: str, stores: dict[int, SampleStore]) -> None:
        """Drop samples of an active task that cannot stay if it is the next one to end."""
        found: dict[Group, list[SampleStore]] = {group: [] for group in self._groups}
        for store in self._finished:
            found[store.group].append(store)
        for label, store in stores.items():
            found.setdefault(self._live_group(name, label), []).append(store)
        counts = [sum(map(len, group)) for group in found.values()]
        shares = filled_shares(self.max_size, counts, [0.0] * len(counts))
        for group, count, share in zip(found, counts, shares, strict=True):
            own = stores.get(group[1])
            # One more: tasks may end in another order, by which a remainder is given.
            most = max(1, share) + 1
            if own is not None and own in found[group] and count > most:
                limit = self._limit(group, found[group], most)
                own.shrink(int((own.keys < limit).sum()))

    def _limit(self, group: Group, stores: Sequence[SampleStore], share: int) -> float:
        """Note and return the key from which on samples of a class cannot stay.

        :param stores: all stores of the class, with more samples than its share.
        """
        limit = min(smallest_key(stores, share), self._limits.get(group, 1.0))
        self._limits[group] = limit
        return limit

"""Joint training on the samples of all tasks, an upper bound of continual learning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

import torch
from avalanche.training import JointTraining
from torch import nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...benchmarks import Part, SegmentExperience, SerialTickLoader, TickBatch
from ...benchmarks.loader import ShuffledLoader
from ..options import StrategyOptions
from .memory_free import MemoryFreeStrategy

__all__ = ["JointStrategy"]


class JointStrategy(MemoryFreeStrategy, JointTraining):
    """Upper bound: training on the whole stream in random order, with one update for each tick.

    An update has as many samples as the stream delivers at the tick, but from all tasks, in an
    order that ``seed`` determines. They are one objective, ``joint``. All tasks start at the first
    update and end at the same time, so that A_e = A_ē. The strategy is a subclass of Avalanche's
    ``JointTraining``, so that metrics and plugins recognise it. Its ``train`` takes the whole
    stream, once.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``. The argument
    ``memory_size`` has no effect. On ordinary benchmarks an update has ``train_mb_size`` samples.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        super().__init__(model, optimizer=optimizer, **options)
        self._generator = torch.Generator().manual_seed(options.get("seed", 0))

    def _left(self, experiences: Iterable[Any]) -> Iterator[Any]:
        """Yield all experiences, which are one; none after it is done."""
        return iter(() if self._progress.done else experiences)

    def _before_training_exp(self, **kwargs: Any) -> None:
        super()._before_training_exp(**kwargs)
        self._class_mask.observe(self.experience, all_started=True)

    def classes_of(self, objectives: Iterable[str]) -> list[int]:
        """Return the class labels of all tasks of the stream, all of which are active, ascending.

        :param objectives: argument without effect.
        """
        return self._current_classes.of(self._experiences, ("joint",))

    def _state_between_experiences(self) -> dict[str, Any]:
        # Avalanche's state has the stream, which is not needed after training.
        return {**super()._state_between_experiences(), "_experiences": []}

    def _check_minibatches(self, experiences: Any) -> None:
        """Check nothing, because the loader draws from all experiences together."""

    def make_train_dataloader(self, shuffle: bool = True, **kwargs: Any) -> None:
        """Load the whole stream, shuffled.

        :param shuffle: whether to shuffle the samples of ordinary benchmarks; samples of parallel
            benchmarks are always shuffled.
        """
        dataset = self.adapted_dataset
        if isinstance(self.experience, SegmentExperience):
            self.dataloader = _JointLoader(self._experiences, dataset, self._generator)
        else:
            names = {0: "joint"}
            self.dataloader = SerialTickLoader(dataset, self.train_mb_size, names, shuffle=shuffle)


class _JointLoader(ShuffledLoader):
    """Loader of all samples of a stream in random order, in minibatches of its ticks' sizes."""

    def __init__(
        self, experiences: Sequence[SegmentExperience], dataset: Any, generator: torch.Generator
    ) -> None:
        super().__init__(generator)
        self._dataset = dataset
        self._sizes = [
            (tick, deliveries[-1].stop - deliveries[0].start)
            for experience in experiences
            for tick, deliveries in zip(experience.ticks, experience.deliveries, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._sizes)

    def _draw(self, generator: torch.Generator | None) -> None:
        self._order = torch.randperm(len(self._dataset), generator=generator).tolist()

    def ticks_from(self, start: int) -> Iterator[TickBatch]:
        """See :meth:`ShuffledLoader.ticks_from`."""
        stops = list(accumulate(size for _, size in self._sizes))
        for (tick, size), stop in zip(self._sizes[start:], stops[start:], strict=True):
            samples = [self._dataset[index] for index in self._order[stop - size : stop]]
            yield TickBatch(self._dataset.collate_fn(samples), [Part("joint", 0, size)], tick)

"""Training on live streams: checks, segments, and heads that grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from avalanche.training import JointTraining
from torch import nn

from ..benchmarks.live import Interruption, LiveSegment, LiveStream
from ..benchmarks.origin import Origin
from ..models import carry_optimizer_state, grow_heads
from .compatibility import check_smoothing
from .single_sample_batches import has_batch_norm

__all__ = ["Heads", "check_live", "segments_of", "stopped_while_waiting"]


def check_live(strategy: Any, stream: LiveStream) -> None:
    """Check that a strategy can be trained on a live stream, and set its smallest minibatch.

    :raises ValueError: if the strategy needs the whole stream, several processes or several passes
        over a segment. Also if its criterion gives targets to classes that do not compete.
    """
    if isinstance(strategy, JointTraining):
        raise ValueError(
            f"`experiences` is a live stream, but {type(strategy).__name__} needs all data "
            "beforehand: use another strategy."
        )
    processes = getattr(strategy, "processes", None)
    if processes is not None and processes.size > 1:
        raise ValueError(
            f"`experiences` is a live stream, whose data differ from process to process, but "
            f"`distributed` trains on {processes.size} processes: leave it out."
        )
    if strategy.train_epochs != 1:
        raise ValueError(
            f"`train_epochs` must be 1 for a live stream, found {strategy.train_epochs!r}: give "
            "`epochs` to add_task()."
        )
    check_smoothing(strategy._criterion)
    several = stream.benchmark.batch_size > 1
    stream.smallest = 2 if several and has_batch_norm(strategy.model) else 1


def segments_of(strategy: Any, stream: LiveStream) -> Iterator[LiveSegment]:
    """Yield the segments of a live stream until it ends or the strategy is to stop."""
    segments = iter(stream)
    while not strategy._stop_training and (segment := next(segments, None)) is not None:
        yield segment


@contextmanager
def stopped_while_waiting(strategy: Any, stream: LiveStream) -> Iterator[None]:
    """Context in which plugins that are asked to stop do so while a stream waits for data.

    :param strategy: strategy that trains.
    :param stream: its stream.
    """
    before, stream.interruption = stream.interruption, _Requests(strategy, stream)
    try:
        yield
    finally:
        stream.interruption = before


class _Requests(Interruption):
    """Requests to the plugins of a strategy with ``is_asked_to_stop`` and ``stop``."""

    def __init__(self, strategy: Any, stream: LiveStream) -> None:
        self._strategy, self._stream = strategy, stream

    def is_asked(self) -> bool:
        return any(getattr(each, "is_asked_to_stop", False) for each in self._strategy.plugins)

    def stop(self) -> None:
        strategy, progress = self._strategy, self._strategy._progress
        if progress.current is None:  # between two segments, of which the first may be to come
            progress.enter(Origin(self._stream.benchmark))
            progress.loader, strategy.dataloader = {"stream": self._stream.state_dict()}, []
        before, progress.is_settled = progress.is_settled, True
        try:
            for each in strategy.plugins:
                if getattr(each, "is_asked_to_stop", False):
                    each.stop(strategy)
        finally:
            progress.is_settled = before


class Heads:
    """Classes for which the heads of a strategy's model have been grown."""

    def __init__(self) -> None:
        self._identity = ""
        self._grown: dict[int, tuple[int, ...]] = {}

    def grow(self, strategy: Any, segment: LiveSegment) -> dict[int, nn.Parameter]:
        """Grow the heads for the tasks of a segment, and keep the state of the optimizer.

        :param strategy: strategy that trains.
        :return: new parameters by the ``id`` of those that they replace.
        """
        benchmark: Any = segment.benchmark
        if benchmark.identity != self._identity:
            self._identity, self._grown = benchmark.identity, {}
        tasks = {
            task: benchmark.label_sets[task]
            for task in segment.active_tasks
            if self._grown.get(task) != benchmark.label_sets[task]
        }
        if not tasks:
            return {}
        self._grown.update(tasks)
        before = dict(strategy.model.named_parameters())
        grow_heads(strategy.model, tasks, benchmark.num_classes)
        strategy.model.to(strategy.device)
        after = dict(strategy.model.named_parameters())
        replaced = carry_optimizer_state(strategy.optimizer, before, after)
        known = strategy.optimized_param_id
        if known is not None:  # Avalanche would empty the state of replaced parameters
            strategy.optimized_param_id = {name: after.get(name, p) for name, p in known.items()}
        return replaced

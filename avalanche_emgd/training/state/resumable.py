"""Training that continues from a state at the tick after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, ClassVar

from torch import nn

from ...benchmarks.origin import Origin
from ..several_processes import is_stopped
from .progress import Progress, number_of
from .random_states import random_states, restore_random_states
from .strategies import load_strategy, strategy_state

__all__ = ["Resumable"]


# Parts that say where training continues; of the others, what is loaded may be changed.
_OF_POSITION = frozenset(
    ("position", "random", "loader", "epoch", "engine", "engines", "processes", "stops")
)


class Resumable:
    """Part of a strategy's template: its state between two ticks, and training from it on."""

    _derived: ClassVar[frozenset[str]] = frozenset()
    """Attributes that follow from others, or are set in each tick anew."""
    _progress: Progress
    # Those of the template.
    clock: Any
    dataloader: Any
    evaluator: Any
    experience: Any
    train_epochs: int
    _stop_training: bool
    _trigger: Any

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next tick depends on, apart from the data.

        The state has copies of model, optimizer, replay memory, weighting, averaged weights,
        gradient engine, plugins, metrics, and random states, with the position in the stream. It
        has tensors, numbers, text and containers only, for ``torch.load(weights_only=True)``.
        Plugins and metrics take part with their plain attributes, or with ``state_dict`` and
        ``load_state_dict`` if they have these methods.

        :raises RuntimeError: in the middle of a tick; the callback ``after_tick`` of
            :class:`~avalanche_emgd.training.plugins.MultiGradientPlugin` comes between two ticks.
        :raises StateError: if a plugin holds samples of a data set.
        """
        if not self._progress.is_settled:
            raise RuntimeError(
                "`state_dict()` is for the time between two ticks: call it outside of `train`, or "
                "in the callback `after_tick` of a plugin."
            )
        if self._progress.pending is not None:
            raise RuntimeError("`state_dict()` follows `train`, which continues the loaded state.")
        return strategy_state(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`; the next ``train`` continues at its next tick.

        ``train`` takes the same stream as before. Experiences that are done are left out, as long
        as none has been trained on since this call.

        :param state: state of a strategy with the same arguments.
        :raises StateError: if the state is damaged, of another strategy or of another release.
        """
        load_strategy(self, state)
        is_pending = state["position"]["current"] is not None
        self._progress.pending = state if is_pending else None
        self._progress.loader = None if is_pending else state.get("loader")

    def _take_parameters(self, replaced: Mapping[int, nn.Parameter]) -> None:
        """Take parameters that have grown, by the ``id`` of those that they replace."""

    def train(self, experiences: Any, eval_streams: Any = None, **kwargs: Any) -> Any:
        """Train on a stream or an experience, after what is done already."""
        progress = self._progress
        left = experiences
        if progress.skips_done:
            every = experiences if isinstance(experiences, Iterable) else [experiences]
            iterator = self._left(every)
            first = next(iterator, None)
            if first is None:
                return self.evaluator.get_last_metrics()
            self._check_position(first)
            eval_streams = [every] if eval_streams is None else eval_streams
            left = chain([first], iterator)
        if progress.pending is not None:
            progress.pending = {**progress.pending, **self._changed_since()}
        progress.is_settled = False
        found = super().train(left, eval_streams, **kwargs)  # type: ignore[misc]
        progress.is_settled = True
        return found

    def _changed_since(self) -> dict[str, Any]:
        """Return the parts of the state that may have been changed since it was loaded.

        For example, the learning rate. Callbacks before the first tick change them, too, so that
        they are restored once more.
        """
        now = strategy_state(self)
        return {name: value for name, value in now.items() if name not in _OF_POSITION}

    def _left(self, experiences: Iterable[Any]) -> Iterator[Any]:
        """Yield the experiences that are not done."""
        return (each for each in experiences if not self._progress.is_done(each))

    def _check_position(self, first: Any) -> None:
        """Check that an experience is the one in whose middle the loaded state was saved."""
        pending = self._progress.pending
        if pending is None:
            return
        position = pending["position"]
        if number_of(first) != position["current"] or self._progress.origin != Origin.of(first):
            raise ValueError(
                f"`experiences` must contain the experience {position['current']} of the stream of "
                "the loaded state, which was saved in mid-experience, found "
                f"{first!r} first: give the same stream."
            )
        if len(first.dataset) != position["samples"]:
            raise ValueError(
                f"`experiences` has {len(first.dataset)} samples in the experience "
                f"{position['current']}, but {position['samples']} when the state was saved: give "
                "the same stream."
            )

    # Callbacks that have been called before the state was saved

    def _before_training(self, **kwargs: Any) -> None:
        if self._progress.pending is None:
            super()._before_training(**kwargs)  # type: ignore[misc]

    def _before_training_exp(self, **kwargs: Any) -> None:
        progress = self._progress
        if progress.pending is None:
            progress.begin(self.experience)
            super()._before_training_exp(**kwargs)  # type: ignore[misc]
            return
        # Plugins prepare their data again; their states are restored afterwards.
        active, self.evaluator.active = self.evaluator.active, False
        try:
            super()._before_training_exp(**kwargs)  # type: ignore[misc]
        finally:
            self.evaluator.active = active

    def _after_training_exp(self, **kwargs: Any) -> None:
        super()._after_training_exp(**kwargs)  # type: ignore[misc]
        self._progress.finish()

    def _train_exp(self, experience: Any, eval_streams: Any = None, **kwargs: Any) -> None:
        """Train for the epochs of an experience, or for the remaining ones."""
        self._progress.start = 0
        first, resumed = 0, self._progress.pending
        if resumed is not None:
            self._continue(resumed)
            first = int(self.clock.train_exp_epochs)
        for epoch in range(first, self.train_epochs):
            if resumed is None or epoch > first:
                self._before_training_epoch(**kwargs)  # type: ignore[attr-defined]
                if is_stopped(self):
                    self._stop_training = False
                    break
            self.training_epoch(**kwargs)  # type: ignore[attr-defined]
            self._after_training_epoch(**kwargs)  # type: ignore[attr-defined]

    def _continue(self, state: Mapping[str, Any]) -> None:
        """Restore the state in the middle of the experience that has been prepared."""
        load_strategy(self, state)
        progress = self._progress
        progress.current, progress.epoch = state["position"]["current"], state["epoch"]
        progress.pending, progress.is_settled, progress.skips_done = None, False, False
        progress.start = int(self.clock.train_epoch_iterations)
        progress.loader = state["loader"]

    def _minibatches(self) -> Iterator[Any]:
        """Yield the minibatches of an epoch, or the remaining ones."""
        loader, progress = self.dataloader, self._progress
        start, progress.start = progress.start, 0
        if start == 0:
            own = hasattr(loader, "ticks_from")
            progress.epoch = None if own else random_states()
            return iter(loader)
        if hasattr(loader, "ticks_from"):
            if progress.loader is not None:
                loader.load_state_dict(progress.loader)
            ticks: Iterator[Any] = loader.ticks_from(start)
            return ticks
        now = random_states()
        restore_random_states(progress.epoch)
        ticks = iter(loader)
        for _ in islice(ticks, start):
            pass  # a loader without a state delivers these again
        restore_random_states(now)
        return ticks

    def _after_training(self, **kwargs: Any) -> None:
        self._progress.is_settled = True
        super()._after_training(**kwargs)  # type: ignore[misc]

    def _after_tick(self, **kwargs: Any) -> None:
        self._progress.is_settled = True
        try:
            self._trigger("after_tick", **kwargs)
        finally:
            self._progress.is_settled = False

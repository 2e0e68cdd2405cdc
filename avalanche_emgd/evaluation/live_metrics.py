"""A_e, A_ē and F_ē of a live stream, and tests on demand."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue

from .._numbers import check_whole
from ..benchmarks.live import LiveSegment, LiveStream
from ..models import ClassMask
from ._sharing_copies import copy_sharing
from .accuracy import TestSamples, accuracy
from .pcl_metrics import PCLResult
from .thinned import ThinnedCurve

__all__ = ["LiveMetrics", "live_metrics"]


class LiveMetrics(PluginMetric[PCLResult]):
    """Avalanche metric that tests each task of a live stream at its own end, and all on demand.

    Tasks without test samples are left out. The metric emits at these times:

    * at the end of a task, and anew at each later end of a task that returns:
      ``Accuracy_At_End/<task>``;
    * every ``every`` iterations, and after :meth:`request`: ``Accuracy/<task>`` of each task that
      has started;
    * when the stream has ended: ``Accuracy_Final/<task>``, ``A_e``, ``A_ebar`` and ``F_ebar``, see
      :class:`PCLResult` for definitions and sign; e_t is the last end of task t.

    What is kept grows with the number of tasks, and not with the number of ticks: of each task two
    accuracies and a curve of up to 512 points.

    :param stream: stream with the tasks to test.
    :param every: number of iterations between tests of all tasks, ≥ 0; none if 0.
    :raises TypeError: if ``stream`` is no live stream.
    :raises ValueError: if ``every`` is out of range.
    """

    def __init__(self, stream: LiveStream, every: int = 0) -> None:
        super().__init__()
        if not isinstance(stream, LiveStream):
            raise TypeError(f"`stream` must be a LiveStream, found {type(stream).__name__}.")
        check_whole("every", every, 0)
        self.stream = stream
        self.every = every
        self._samples: dict[str, tuple[Any, TestSamples]] = {}
        self._is_requested = False
        self.reset()

    def reset(self) -> None:
        """Clear all measurements."""
        self._at_end: dict[str, float] = {}
        self._final: dict[str, float] = {}
        self._curves: dict[str, ThinnedCurve] = {}
        self.seconds: float = 0.0
        """Time spent on tests, in seconds."""

    def request(self) -> None:
        """Test all tasks after the current iteration; from any thread or callback."""
        self._is_requested = True

    def result(self) -> PCLResult | None:
        """Return the metrics of the stream; ``None`` before it has ended."""
        if not self._final or set(self._final) != set(self._at_end):
            return None
        return PCLResult(tuple(self._at_end.values()), tuple(self._final[t] for t in self._at_end))

    @property
    def at_end(self) -> dict[str, float]:
        """Accuracy of each task at its last end so far, by name."""
        return dict(self._at_end)

    @property
    def final(self) -> dict[str, float]:
        """Accuracy of each task at the end of the stream, by name; empty before."""
        return dict(self._final)

    @property
    def history(self) -> dict[str, list[tuple[int, float]]]:
        """For each task, (completed iterations, accuracy) of tests, evenly spread over the run."""
        return {name: curve.points for name, curve in self._curves.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return all measurements as numbers and text, for ``torch.load(weights_only=True)``."""
        return {
            "identity": self.stream.benchmark.identity,
            "at_end": self.at_end,
            "final": self.final,
            "curves": {name: curve.state_dict() for name, curve in self._curves.items()},
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`, to continue a run.

        :raises ValueError: if the state belongs to another stream.
        """
        if state["identity"] != self.stream.benchmark.identity:
            raise ValueError(
                "`state` belongs to metrics of another stream: load the state of the stream first."
            )
        self.reset()
        self._at_end, self._final = dict(state["at_end"]), dict(state["final"])
        curves = state["curves"].items()
        self._curves = {name: ThinnedCurve.from_state(curve) for name, curve in curves}
        self.seconds = float(state["seconds"])

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_samples": {}}  # loaded again at the next test

    def __deepcopy__(self, memo: dict[int, Any]) -> LiveMetrics:
        """Copy the measurements and share the stream."""
        return copy_sharing(self, self.stream, memo)

    def after_training_iteration(self, strategy: Any) -> list[MetricValue] | None:
        """Test all tasks that have started, if that is due or requested."""
        # The clock is the last plugin, and counts this iteration after this callback.
        done = int(strategy.clock.train_iterations) + 1
        is_due = bool(self.every) and done % self.every == 0
        if not (is_due or self._is_requested) or not self._is_ours(strategy):
            return None
        self._is_requested = False
        return self._values("Accuracy", self._test(strategy, done), done)

    def after_training_exp(self, strategy: Any) -> list[MetricValue] | None:
        """Test the tasks that end with this segment."""
        if not self._is_ours(strategy):
            return None
        done, names = int(strategy.clock.train_iterations), self.stream.benchmark.task_names
        ended = [names[task] for task in strategy.experience.finishing_tasks]
        found = self._test(strategy, done, ended) if ended else {}
        self._at_end.update(found)
        values = self._values("Accuracy_At_End", found, done)
        if self._is_requested:
            self._is_requested = False
            values += self._values("Accuracy", self._test(strategy, done), done)
        return values + self._at_the_end(strategy, done)

    def after_training(self, strategy: Any) -> list[MetricValue] | None:
        """Test all tasks if the stream has been closed after its last segment."""
        if not self._is_ours(strategy):
            return None
        return self._at_the_end(strategy, int(strategy.clock.train_iterations))

    def _at_the_end(self, strategy: Any, done: int) -> list[MetricValue]:
        if self._final or not self.stream.has_ended:
            return []
        self._final = self._test(strategy, done)
        values = self._values("Accuracy_Final", self._final, done)
        result = self.result()
        if result is not None:
            for name in ("A_e", "A_ebar", "F_ebar"):
                values.append(MetricValue(self, name, getattr(result, name), done))
        return values

    def _is_ours(self, strategy: Any) -> bool:
        experience = strategy.experience
        is_live = isinstance(experience, LiveSegment)
        return is_live and experience.benchmark == self.stream.benchmark

    def _test(
        self, strategy: Any, done: int, names: Iterable[str] | None = None
    ) -> dict[str, float]:
        """Measure the accuracies of tasks with test samples, by name; of all if ``None``."""
        started = time.perf_counter()
        trained = getattr(strategy, "class_mask", None)
        mask = trained if isinstance(trained, ClassMask) else ClassMask()
        # A strategy may test other weights than those that it trains.
        model = getattr(strategy, "tested_model", strategy.model)
        chosen = None if names is None else set(names)
        known, found = self.stream.benchmark.task_names, {}
        for experience in self.stream.test_stream:
            name = known[experience.task_label]
            is_started = experience.task_label in mask.started_tasks
            if not is_started or (chosen is not None and name not in chosen):
                continue
            if name not in self._samples or self._samples[name][0] is not experience:
                self._samples[name] = experience, TestSamples(experience)
            found[name] = accuracy(model, self._samples[name][1], mask, strategy.device)
            self._curves.setdefault(name, ThinnedCurve()).append(done, found[name])
        self.seconds += time.perf_counter() - started
        return found

    def _values(self, kind: str, found: Mapping[str, float], done: int) -> list[MetricValue]:
        return [MetricValue(self, f"{kind}/{name}", value, done) for name, value in found.items()]


def live_metrics(stream: LiveStream, every: int = 0) -> list[PluginMetric]:
    """Make the metrics of a live stream for an ``EvaluationPlugin``.

    :param stream: stream with the tasks to test.
    :param every: number of iterations between tests of all tasks, ≥ 0; none if 0.
    """
    return [LiveMetrics(stream, every)]

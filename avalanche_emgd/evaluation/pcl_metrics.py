"""A_e, A_ē and F_ē: the metrics of parallel continual learning."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue
from avalanche.training import JointTraining
from matplotlib.figure import Figure

from .._numbers import check_whole
from ..benchmarks import ParallelBenchmark, SegmentExperience
from ..models import ClassMask
from ._sharing_copies import copy_sharing
from .accuracy import TestSamples, accuracy
from .numbered_metrics import warn_of_numbered_metrics

__all__ = ["PCLMetrics", "PCLResult", "pcl_metrics"]


@dataclass(frozen=True)
class PCLResult:
    r"""Metrics of one run, as fractions.

    Let a_t(k) be the test accuracy of task t after tick k. Let e_t be the last tick of task t, and
    ē the last tick of the stream.

    * ``A_e`` = mean_t a_t(e_t), the average accuracy of each task at its own end;
    * ``A_ebar`` = mean_t a_t(ē), the final average accuracy;
    * ``F_ebar`` = mean_t [a_t(ē) − a_t(e_t)] = A_ē − A_e. **Values below zero mean forgetting**.
      Avalanche and others report the opposite sign, and the maximum over time in place of a_t(e_t).

    :param at_end: a_t(e_t) of each task, in the order of the tasks.
    :param final: a_t(ē) of each task.
    """

    at_end: tuple[float, ...]
    final: tuple[float, ...]

    @property
    def A_e(self) -> float:  # noqa: N802
        """Mean accuracy of the tasks, each at its own last tick."""
        return sum(self.at_end) / len(self.at_end)

    @property
    def A_ebar(self) -> float:  # noqa: N802
        """Mean accuracy of the tasks at the end of the stream."""
        return sum(self.final) / len(self.final)

    @property
    def F_ebar(self) -> float:  # noqa: N802
        """Mean change of accuracy after each task's own end; a value below zero is forgetting."""
        return self.A_ebar - self.A_e


class PCLMetrics(PluginMetric[PCLResult]):
    """Avalanche metric that tests each task at its own last tick and at the end of the stream.

    The metric runs its own tests, so it works with any Avalanche strategy. Training may take the
    whole stream or one experience at a time, with or without ``eval`` in between. Logits are masked
    by the benchmark's scenario, even if the strategy does not mask them. In joint training all
    tasks end at the same time.

    A task ends when all of its segments have been trained on. The stream ends when all segments
    have been trained on, in any order. Later training is another pass with new measurements, and so
    is another strategy from the first segment on. A run that continues in another process needs
    :meth:`state_dict` of its first part. Otherwise the last segment warns that the metrics are not
    known.

    The metric emits at these times:

    * at the start: the figure ``Timeline``;
    * after each segment, and every ``every`` iterations: ``Accuracy/<task>`` of each started task;
    * at the end of a task: ``Accuracy_At_End/<task>``;
    * at the end of the stream: ``Accuracy_Final/<task>``, ``A_e``, ``A_ebar`` and ``F_ebar``, see
      :class:`PCLResult` for definitions and sign.

    The x-axis counts training iterations; multi-gradient strategies have one iteration per tick.

    :param benchmark: benchmark with the tasks to test.
    :param every: number of iterations between further tests, ≥ 0; 0 tests after segments only.
    :raises TypeError: if ``benchmark`` is no parallel benchmark.
    :raises ValueError: if ``every`` is out of range.
    """

    def __init__(self, benchmark: ParallelBenchmark, every: int = 0) -> None:
        super().__init__()
        if not isinstance(benchmark, ParallelBenchmark):
            raise TypeError(
                f"`benchmark` must be a ParallelBenchmark, found {type(benchmark).__name__}."
            )
        check_whole("every", every, 0)
        self.benchmark = benchmark
        self.every = every
        segments = [set(segment.tasks) for segment in benchmark.timeline.segments()]
        self._segments = range(len(segments))
        self._segments_of = [
            {k for k in self._segments if task in segments[k]}
            for task in range(len(benchmark.task_names))
        ]
        self._samples: list[TestSamples] | None = None
        self._mask = ClassMask()
        self.reset()

    def reset(self) -> None:
        """Clear all measurements."""
        self._at_end: dict[int, float] = {}
        self._final: dict[int, float] = {}
        self.history: dict[int, list[tuple[int, float]]] = {
            task: [] for task in range(len(self.benchmark.task_names))
        }
        """For each task, (completed iterations, accuracy) of each test, in order."""
        self.seconds: float = 0.0
        """Time spent on tests, in seconds."""
        self._trained: set[int] = set()  # segments
        self._iterations = 0  # completed in total
        self._earlier = 0  # completed before the strategy's clock started
        self._is_restored = self._has_warned = False

    def result(self) -> PCLResult | None:
        """Return the metrics of the run; ``None`` before the end of the stream."""
        tasks = range(len(self.benchmark.task_names))
        if len(self._final) < len(tasks) or len(self._at_end) < len(tasks):
            return None
        return PCLResult(
            tuple(self._at_end[t] for t in tasks), tuple(self._final[t] for t in tasks)
        )

    def state_dict(self) -> dict[str, Any]:
        """Return all measurements as numbers and text, for ``torch.load(weights_only=True)``."""
        return {
            "fingerprint": self.benchmark.fingerprint,
            "at_end": dict(self._at_end),
            "final": dict(self._final),
            "history": {task: list(curve) for task, curve in self.history.items()},
            "seconds": self.seconds,
            "trained": sorted(self._trained),
            "iterations": self._iterations,
            "started": list(self._mask.started_tasks),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the state of :meth:`state_dict`, to continue a run.

        :param state: state of :meth:`state_dict`.
        :raises ValueError: if the state belongs to another benchmark.
        """
        if state["fingerprint"] != self.benchmark.fingerprint:
            raise ValueError(
                "`state` belongs to metrics of another benchmark: make the benchmark from the same "
                "data and settings."
            )
        self.reset()
        self._at_end, self._final = dict(state["at_end"]), dict(state["final"])
        self.history = {
            task: [(int(done), float(value)) for done, value in curve]
            for task, curve in state["history"].items()
        }
        self.seconds = float(state["seconds"])
        self._trained, self._iterations = set(state["trained"]), int(state["iterations"])
        self._mask = ClassMask()
        self._mask.observe(self.benchmark.train_stream[0], started=state["started"])
        self._is_restored = True

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_samples": None}  # loaded again at the next test

    def __deepcopy__(self, memo: dict[int, Any]) -> PCLMetrics:
        """Copy the measurements and share the benchmark, which does not change."""
        return copy_sharing(self, self.benchmark, memo)

    def before_training_exp(self, strategy: Any) -> list[MetricValue] | None:
        """Clear the measurements if another pass or another run begins."""
        experience = self._segment(strategy)
        if experience is None:
            return None
        warn_of_numbered_metrics(strategy.evaluator, experience)
        counted = strategy.clock.train_iterations
        is_new = counted == 0 and not self._is_restored
        if self._is_restored:
            self._earlier, self._is_restored = max(0, self._iterations - counted), False
        is_another_run = is_new and experience.current_experience == 0
        if is_another_run or self._trained.issuperset(self._segments):
            earlier = 0 if is_new else self._earlier
            self.reset()
            self._earlier = earlier
        if is_new:
            self._mask = ClassMask()
        self._mask.observe(experience, all_started=isinstance(strategy, JointTraining))
        if experience.current_experience != 0:
            return None
        picture = self.benchmark.timeline.plot(self.benchmark.task_names)
        return [self._value("Timeline", picture, strategy)]

    def after_training_iteration(self, strategy: Any) -> list[MetricValue] | None:
        """Test the started tasks every ``every`` iterations."""
        # The clock is the last plugin, and counts this iteration after this callback.
        done = self._iterations = self._done(strategy) + 1
        if self.every == 0 or done % self.every or self._segment(strategy) is None:
            return None
        return self._test(strategy, done)

    def after_training_exp(self, strategy: Any) -> list[MetricValue] | None:
        """Test the started tasks; emit the results of tasks that end here, and of the stream."""
        experience = self._segment(strategy)
        if experience is None:
            return None
        self._iterations = self._done(strategy)
        values = self._test(strategy, self._iterations)
        names = self.benchmark.task_names
        delivered: Iterable[int] = experience.active_tasks
        if isinstance(strategy, JointTraining):
            self._trained.update(self._segments)
            delivered = range(len(names))
        self._trained.add(experience.current_experience)
        for task in delivered:
            if self._segments_of[task] <= self._trained:
                value = self._at_end[task] = self.history[task][-1][1]
                values.append(self._value(f"Accuracy_At_End/{names[task]}", value, strategy))
        if self._trained.issuperset(self._segments):
            for task, name in enumerate(names):
                self._final[task] = self.history[task][-1][1]
                values.append(self._value(f"Accuracy_Final/{name}", self._final[task], strategy))
            result = self.result()
            if result is not None:
                for name in ("A_e", "A_ebar", "F_ebar"):
                    values.append(self._value(name, getattr(result, name), strategy))
        elif experience.is_last and not self._has_warned:
            self._has_warned = True
            missing = sorted(set(self._segments) - self._trained)
            warnings.warn(
                f"A_e, A_ebar and F_ebar are not known before segments {missing} have been trained "
                "on, too. If that happened before a checkpoint, call load_state_dict() of the "
                "metrics with their state_dict() of that time.",
                stacklevel=2,
            )
        return values

    def _segment(self, strategy: Any) -> SegmentExperience | None:
        """Return the current experience if it belongs to this benchmark's training stream."""
        experience = strategy.experience
        if isinstance(experience, SegmentExperience) and experience.benchmark == self.benchmark:
            return experience
        return None

    def _done(self, strategy: Any) -> int:
        """Count the iterations of the strategy and the iterations before a checkpoint."""
        return self._earlier + int(strategy.clock.train_iterations)

    def _test(self, strategy: Any, done: int) -> list[MetricValue]:
        started = time.perf_counter()
        if self._samples is None:
            self._samples = [TestSamples(e) for e in self.benchmark.test_stream]
        # The mask of a strategy also covers the classes in its memory.
        trained = getattr(strategy, "class_mask", None)
        mask = trained if isinstance(trained, ClassMask) else self._mask
        # A strategy may test other weights than those that it trains.
        model = getattr(strategy, "tested_model", strategy.model)
        values = []
        for task in mask.started_tasks:
            curve = self.history[task]
            if not curve or curve[-1][0] != done:  # not tested just now
                value = accuracy(model, self._samples[task], mask, strategy.device)
                curve.append((done, value))
                name = f"Accuracy/{self.benchmark.task_names[task]}"
                values.append(MetricValue(self, name, value, done))
        self.seconds += time.perf_counter() - started
        return values

    def _value(self, name: str, value: float | Figure, strategy: Any) -> MetricValue:
        return MetricValue(self, name, value, self._done(strategy))


def pcl_metrics(benchmark: ParallelBenchmark, every: int = 0) -> list[PluginMetric]:
    """Make the metrics of parallel continual learning for an ``EvaluationPlugin``.

    :param benchmark: benchmark with the tasks to test.
    :param every: number of iterations between further tests, ≥ 0; 0 tests after segments only.
    """
    return [PCLMetrics(benchmark, every)]

"""A_e, A_ē and F_ē: the figures of merit of parallel continual learning."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue
from avalanche.training import JointTraining
from matplotlib.figure import Figure

from ..benchmarks import ParallelBenchmark, SegmentExperience
from ..models import ClassMask
from .accuracy import TestSamples, accuracy
from .numbered_metrics import warn_of_numbered_metrics

__all__ = ["PCLMetrics", "PCLResult", "pcl_metrics"]


@dataclass(frozen=True)
class PCLResult:
    r"""Figures of merit of one run, as fractions.

    With a_t(k) the test accuracy of task t after tick k, e_t the last tick of task t and ē the last
    of all:

    * ``A_e`` = mean_t a_t(e_t), how well tasks are learned;
    * ``A_ebar`` = mean_t a_t(ē), the final average accuracy;
    * ``F_ebar`` = mean_t [a_t(ē) − a_t(e_t)] = A_ē − A_e. **Below zero means forgetting**;
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
        """Mean accuracy of the tasks at the very end."""
        return sum(self.final) / len(self.final)

    @property
    def F_ebar(self) -> float:  # noqa: N802
        """Mean change of accuracy since each task's own end; below zero means forgetting."""
        return self.A_ebar - self.A_e


class PCLMetrics(PluginMetric[PCLResult]):
    """Avalanche metric that tests each task at its own last tick and once more at the end.

    It evaluates by itself, so it does not matter how training is driven: on the whole stream, or
    experience by experience with or without ``eval`` in between, by any Avalanche strategy. Logits
    are masked as the benchmark's scenario asks, whether or not the strategy does so. Joint training
    has all tasks end at the same time.

    A task ends when all of its segments have been trained on, and the stream when all segments
    have, in whatever order. Training after that is another pass, which is measured afresh. So is
    another strategy, from the first segment on. A run that goes on in another process
    needs :meth:`state_dict` of its first part; without it, the last segment warns that the figures
    of merit are not known.

    Emits after each segment, and in between as asked for, ``Accuracy/<task>`` for each task that
    has started; at a task's end ``Accuracy_At_End/<task>``; at the very end
    ``Accuracy_Final/<task>``, ``A_e``, ``A_ebar`` and ``F_ebar`` (see :class:`PCLResult` for
    definitions and sign), and at the start the picture ``Timeline``. They are plotted over training
    iterations, of which there is one per tick on multi-gradient strategies.

    :param benchmark: whose tasks are tested.
    :param every: test the started tasks every so many iterations too; 0 for segment ends only.
    """

    def __init__(self, benchmark: ParallelBenchmark, every: int = 0) -> None:
        super().__init__()
        if not isinstance(benchmark, ParallelBenchmark):
            raise TypeError(
                f"`benchmark` must be a ParallelBenchmark, found {type(benchmark).__name__}."
            )
        if every < 0:
            raise ValueError(f"`every` must be at least 0, found {every!r}.")
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
        """Forget all measurements."""
        self._at_end: dict[int, float] = {}
        self._final: dict[int, float] = {}
        self.history: dict[int, list[tuple[int, float]]] = {
            task: [] for task in range(len(self.benchmark.task_names))
        }
        """For each task, (iterations done, accuracy) of each test, in order."""
        self.seconds: float = 0.0
        """Time spent on tests."""
        self._trained: set[int] = set()  # segments
        self._iterations = 0  # done in all
        self._earlier = 0  # of these, before those that the strategy's clock has counted
        self._is_restored = self._has_warned = False

    def result(self) -> PCLResult | None:
        """Figures of merit, or ``None`` before the end of the stream."""
        tasks = range(len(self.benchmark.task_names))
        if len(self._final) < len(tasks) or len(self._at_end) < len(tasks):
            return None
        return PCLResult(
            tuple(self._at_end[t] for t in tasks), tuple(self._final[t] for t in tasks)
        )

    def state_dict(self) -> dict[str, Any]:
        """All measurements, as numbers and text, which ``torch.load(weights_only=True)`` reads."""
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
        """Restore what :meth:`state_dict` gave, to go on with the run.

        :raises ValueError: if it is of another benchmark.
        """
        if state["fingerprint"] != self.benchmark.fingerprint:
            raise ValueError(
                "`state` is of metrics of another benchmark: make the benchmark from the same data "
                "and settings."
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
        return {**vars(self), "_samples": None}  # loaded again when they are needed

    def __deepcopy__(self, memo: dict[int, Any]) -> PCLMetrics:
        """Copy the measurements; a benchmark does not change and is shared."""
        other = object.__new__(type(self))
        memo[id(self)], memo[id(self.benchmark)] = other, self.benchmark
        other.__dict__.update(copy.deepcopy(self.__getstate__(), memo))
        return other

    def before_training_exp(self, strategy: Any) -> list[MetricValue] | None:
        """Start afresh with the first segment of another pass or run."""
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
        """Test what has started, if it is time."""
        # The clock is the last plugin: it has not counted this iteration yet.
        done = self._iterations = self._done(strategy) + 1
        if self.every == 0 or done % self.every or self._segment(strategy) is None:
            return None
        return self._test(strategy, done)

    def after_training_exp(self, strategy: Any) -> list[MetricValue] | None:
        """Test what has started; record the tasks that finish, and all at the very end."""
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
                "on, too. If they were, before a checkpoint: load_state_dict() takes what "
                "state_dict() of the metrics gave then.",
                stacklevel=2,
            )
        return values

    def _segment(self, strategy: Any) -> SegmentExperience | None:
        """Return the current experience, if it is one of this benchmark's training stream."""
        experience = strategy.experience
        if isinstance(experience, SegmentExperience) and experience.benchmark == self.benchmark:
            return experience
        return None

    def _done(self, strategy: Any) -> int:
        """Count the iterations of the strategy and those before a checkpoint."""
        return self._earlier + int(strategy.clock.train_iterations)

    def _test(self, strategy: Any, done: int) -> list[MetricValue]:
        started = time.perf_counter()
        if self._samples is None:
            self._samples = [TestSamples(e) for e in self.benchmark.test_stream]
        # A mask of the strategy's own has the classes in memory, too.
        trained = getattr(strategy, "class_mask", None)
        mask = trained if isinstance(trained, ClassMask) else self._mask
        values = []
        for task in mask.started_tasks:
            curve = self.history[task]
            if not curve or curve[-1][0] != done:  # not tested just now
                value = accuracy(strategy.model, self._samples[task], mask, strategy.device)
                curve.append((done, value))
                name = f"Accuracy/{self.benchmark.task_names[task]}"
                values.append(MetricValue(self, name, value, done))
        self.seconds += time.perf_counter() - started
        return values

    def _value(self, name: str, value: float | Figure, strategy: Any) -> MetricValue:
        return MetricValue(self, name, value, self._done(strategy))


def pcl_metrics(benchmark: ParallelBenchmark, every: int = 0) -> list[PluginMetric]:
    """Metrics of parallel continual learning for an ``EvaluationPlugin``.

    :param benchmark: whose tasks are tested.
    :param every: test the started tasks every so many iterations too; 0 for segment ends only.
    """
    return [PCLMetrics(benchmark, every)]

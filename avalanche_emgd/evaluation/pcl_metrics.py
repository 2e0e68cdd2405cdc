"""A_e, A_ē and F_ē: the figures of merit of parallel continual learning."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from avalanche.evaluation import PluginMetric
from avalanche.evaluation.metric_results import MetricValue
from avalanche.training import JointTraining
from matplotlib.figure import Figure

from ..benchmarks import ParallelBenchmark, SegmentExperience
from ..models import ClassMask
from .accuracy import TestSamples, accuracy

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
        self._samples: list[TestSamples] | None = None
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

    def result(self) -> PCLResult | None:
        """Figures of merit, or ``None`` before the end of the stream."""
        tasks = range(len(self.benchmark.task_names))
        if len(self._final) < len(tasks) or len(self._at_end) < len(tasks):
            return None
        return PCLResult(
            tuple(self._at_end[t] for t in tasks), tuple(self._final[t] for t in tasks)
        )

    def before_training_exp(self, strategy: Any) -> list[MetricValue] | None:
        """Start afresh with the first segment of the benchmark."""
        experience = self._segment(strategy)
        if experience is None or experience.current_experience != 0:
            return None
        self.reset()
        picture = self.benchmark.timeline.plot(self.benchmark.task_names)
        return [self._value("Timeline", picture, strategy)]

    def after_training_iteration(self, strategy: Any) -> list[MetricValue] | None:
        """Test what has started, if it is time."""
        experience = self._segment(strategy)
        # The clock is the last plugin: it has not counted this iteration yet.
        done = strategy.clock.train_iterations + 1
        if experience is None or self.every == 0 or done % self.every:
            return None
        return self._test(strategy, self._started(strategy, experience), done)

    def after_training_exp(self, strategy: Any) -> list[MetricValue] | None:
        """Test what has started; record the tasks that finish, and all at the very end."""
        experience = self._segment(strategy)
        if experience is None:
            return None
        joint = isinstance(strategy, JointTraining)
        started = self._started(strategy, experience)
        values = self._test(strategy, started, strategy.clock.train_iterations)
        names = self.benchmark.task_names
        for task in started if joint else experience.finishing_tasks:
            self._at_end[task] = self.history[task][-1][1]
            values.append(
                self._value(f"Accuracy_At_End/{names[task]}", self._at_end[task], strategy)
            )
        if joint or experience.is_last:
            for task in started:
                self._final[task] = self.history[task][-1][1]
                values.append(
                    self._value(f"Accuracy_Final/{names[task]}", self._final[task], strategy)
                )
            result = self.result()
            if result is not None:
                for name in ("A_e", "A_ebar", "F_ebar"):
                    values.append(self._value(name, getattr(result, name), strategy))
        return values

    def _segment(self, strategy: Any) -> SegmentExperience | None:
        """Return the current experience, if it is one of this benchmark's training stream."""
        experience = strategy.experience
        if isinstance(experience, SegmentExperience) and experience.benchmark is self.benchmark:
            return experience
        return None

    def _started(self, strategy: Any, experience: SegmentExperience) -> tuple[int, ...]:
        if isinstance(strategy, JointTraining):
            return tuple(range(len(self.benchmark.task_names)))
        return experience.started_tasks

    def _test(self, strategy: Any, tasks: tuple[int, ...], done: int) -> list[MetricValue]:
        started = time.perf_counter()
        if self._samples is None:
            self._samples = [TestSamples(e) for e in self.benchmark.test_stream]
        mask = ClassMask()
        mask.observe(strategy.experience, all_started=isinstance(strategy, JointTraining))
        values = []
        for task in tasks:
            curve = self.history[task]
            if not curve or curve[-1][0] != done:  # not tested just now
                value = accuracy(strategy.model, self._samples[task], mask, strategy.device)
                curve.append((done, value))
                name = f"Accuracy/{self.benchmark.task_names[task]}"
                values.append(MetricValue(self, name, value, done))
        self.seconds += time.perf_counter() - started
        return values

    def _value(self, name: str, value: float | Figure, strategy: Any) -> MetricValue:
        return MetricValue(self, name, value, strategy.clock.train_iterations)


def pcl_metrics(benchmark: ParallelBenchmark, every: int = 0) -> list[PluginMetric]:
    """Metrics of parallel continual learning for an ``EvaluationPlugin``.

    :param benchmark: whose tasks are tested.
    :param every: test the started tasks every so many iterations too; 0 for segment ends only.
    """
    return [PCLMetrics(benchmark, every)]

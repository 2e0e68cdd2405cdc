"""Warning about Avalanche metrics that use the index of a training experience as a task label."""

from __future__ import annotations

import warnings
import weakref
from typing import Any

from avalanche.evaluation.metrics.accuracy import TrainedExperienceAccuracy
from avalanche.evaluation.metrics.cumulative_accuracies import (
    CumulativeAccuracyPluginMetric,
    CumulativeForgettingPluginMetric,
)
from avalanche.evaluation.metrics.forgetting_bwt import (
    GenericExperienceForgetting,
    GenericStreamForgetting,
)
from avalanche.evaluation.metrics.forward_transfer import (
    GenericExperienceForwardTransfer,
    GenericStreamForwardTransfer,
)
from avalanche.evaluation.metrics.topk_acc import TrainedExperienceTopkAccuracy
from avalanche.training.plugins import EvaluationPlugin

from ..benchmarks.experience import SegmentExperience
from ..benchmarks.live import LiveSegment

__all__ = ["warn_of_numbered_metrics"]

# Backward transfer is a subclass of forgetting.
_NUMBERED = (
    GenericExperienceForgetting,
    GenericStreamForgetting,
    GenericExperienceForwardTransfer,
    GenericStreamForwardTransfer,
    TrainedExperienceAccuracy,
    TrainedExperienceTopkAccuracy,
    CumulativeAccuracyPluginMetric,
    CumulativeForgettingPluginMetric,
)

_warned: weakref.WeakSet[EvaluationPlugin] = weakref.WeakSet()


def warn_of_numbered_metrics(evaluator: EvaluationPlugin, experience: Any) -> None:
    """Warn, once for each evaluator, about metrics that are wrong on a parallel benchmark.

    Metrics such as forgetting and transfer match training and test experiences by index. The
    segments of a parallel benchmark are not its tasks: training experience 3 does not train
    task 3. Ordinary benchmarks give no warning, nor do serial time lines with their tasks in order,
    because their segments are the tasks.

    :param evaluator: evaluator of the strategy.
    :param experience: training experience of any benchmark.
    """
    if not isinstance(experience, SegmentExperience) or evaluator in _warned:
        return
    if not isinstance(experience, LiveSegment):
        segments = experience.benchmark.timeline.segments()
        if [segment.tasks for segment in segments] == [(task,) for task in range(len(segments))]:
            return
    wrong = sorted(
        {type(each).__name__ for each in evaluator.metrics if isinstance(each, _NUMBERED)}
    )
    if wrong:
        _warned.add(evaluator)
        warnings.warn(
            f"`evaluator` has {', '.join(wrong)}, whose values are wrong here. Such metrics "
            "take the index of a training experience for a task label, but the segments of a "
            "parallel benchmark are not its tasks. Use "
            "avalanche_emgd.pcl_metrics(benchmark), or live_metrics(stream), whose F_ebar is the "
            "forgetting.",
            stacklevel=3,
        )

"""Pictures of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from ..benchmarks import ParallelBenchmark
from ..benchmarks.gantt import draw_gantt, task_color

__all__ = ["Curves", "draw_curves"]

Curves = Sequence[Sequence[tuple[int, float]]]
"""For each task, (ticks done, accuracy) at each test."""


def draw_curves(benchmark: ParallelBenchmark, curves_of: Mapping[str, Curves]) -> Figure:
    """Accuracy of each task over ticks, under its span; one column per method.

    Lines are solid within a task's span and dashed after it, where a fall is forgetting; a dot
    marks the accuracy at its end.

    :param benchmark: with the time line and the names.
    :param curves_of: curves by the name of the method.
    """
    timeline = benchmark.timeline
    columns = len(curves_of)
    figure = Figure(
        figsize=(1.5 + 5.0 * columns, 4.2 + 0.22 * timeline.num_tasks), layout="constrained"
    )
    axes = figure.subplots(
        2,
        columns,
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=[0.6 + 0.22 * timeline.num_tasks, 3.6],
    )
    for column, (name, curves) in enumerate(curves_of.items()):
        spans, plot = axes[0][column], axes[1][column]
        draw_gantt(timeline.spans, benchmark.task_names, (), spans)
        spans.set_xlabel("")
        spans.set_title(name)
        for task, (_, last) in enumerate(timeline.spans):
            color, points = task_color(task), curves[task]
            during = [point for point in points if point[0] <= last + 1]
            after = [point for point in points if point[0] >= last + 1]
            plot.plot(*_xy(during), color=color, label=benchmark.task_names[task])
            plot.plot(*_xy(after), color=color, linestyle="--", linewidth=1.2)
            plot.plot(*_xy(during[-1:]), color=color, marker="o", markersize=5, clip_on=False)
        plot.set_xlabel("tick")
        plot.grid(alpha=0.25)
        plot.spines[["top", "right"]].set_visible(False)
    axes[1][0].set_ylim(0.0, 1.02)
    axes[1][0].yaxis.set_major_formatter(PercentFormatter(1.0))
    axes[1][0].set_ylabel("test accuracy")
    return figure


def _xy(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [x for x, _ in points], [y for _, y in points]

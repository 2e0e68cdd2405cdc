"""Pictures of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from ..benchmarks import ParallelBenchmark
from ..benchmarks.gantt import draw_gantt, task_color
from ..evaluation import editing_grid

__all__ = ["Curves", "draw_accuracies", "draw_curves", "draw_edits", "plain"]

Curves = Sequence[Sequence[tuple[int, float]]]
"""Pairs (ticks done, accuracy) of each task, one for each test."""


def draw_curves(benchmark: ParallelBenchmark, curves_of: Mapping[str, Curves]) -> Figure:
    """Accuracy of each task over ticks, under its span; one column per method.

    See ``draw_accuracies``.

    :param benchmark: benchmark, which has the time line and the names of the tasks.
    :param curves_of: curves by name of the method.
    """
    spans, names = benchmark.timeline.spans, benchmark.task_names
    return draw_accuracies(spans, names, curves_of, columns=len(curves_of))


def draw_accuracies(
    spans: Sequence[tuple[int, int]],
    names: Sequence[str],
    curves_of: Mapping[str, Curves],
    *,
    columns: int,
) -> Figure:
    """Accuracy of each task over ticks, under its span; one panel per method.

    A line is solid within a task's span and dashed after it, where a fall is forgetting. A dot
    marks the accuracy at the end of the span.

    :param spans: (first tick, last tick) of each task.
    :param names: names of the tasks.
    :param curves_of: curves by name of the method; at least one.
    :param columns: number of panels side by side, ≥ 1; the spans stand above each column.
    """
    tasks, rows = len(spans), -(-len(curves_of) // columns)
    figure = Figure(
        figsize=(1.5 + 5.0 * columns, 0.6 + 0.22 * tasks + 3.6 * rows), layout="constrained"
    )
    axes = figure.subplots(
        1 + rows,
        columns,
        sharex=True,
        sharey="row",
        squeeze=False,
        height_ratios=[0.6 + 0.22 * tasks] + rows * [3.6],
    )
    for column in range(columns):
        draw_gantt(spans, names, (), axes[0][column])
        axes[0][column].set_xlabel("")
    for panel, (name, curves) in enumerate(curves_of.items()):
        row, column = divmod(panel, columns)
        plot = axes[1 + row][column]
        # In a single row, the name is the heading of a column.
        (axes[0][column] if rows == 1 else plot).set_title(plain(name))
        _draw_panel(plot, spans, names, curves)
        if column == 0:
            plot.set_ylim(0.0, 1.02)
            plot.yaxis.set_major_formatter(PercentFormatter(1.0))
            plot.set_ylabel("test accuracy")
        if panel + columns >= len(curves_of):  # last panel of its column
            plot.set_xlabel("tick")
            plot.tick_params(labelbottom=True)
    for empty in axes[-1][len(curves_of) - (rows - 1) * columns :]:
        empty.set_axis_off()
    return figure


def plain(text: str) -> str:
    """Escape a text such that Matplotlib shows it unchanged, dollar signs included."""
    return text.replace("$", r"\$")


def _draw_panel(
    plot: Axes, spans: Sequence[tuple[int, int]], names: Sequence[str], curves: Curves
) -> None:
    for task, (_, last) in enumerate(spans):
        color, points = task_color(task), curves[task]
        during = [point for point in points if point[0] <= last + 1]
        after = [point for point in points if point[0] >= last + 1]
        plot.plot(*_xy(during), color=color, label=names[task])
        plot.plot(*_xy(after), color=color, linestyle="--", linewidth=1.2)
        plot.plot(*_xy(during[-1:]), color=color, marker="o", markersize=5, clip_on=False)
    plot.grid(alpha=0.25)
    plot.spines[["top", "right"]].set_visible(False)


def _xy(points: Sequence[tuple[int, float]]) -> tuple[list[int], list[float]]:
    return [x for x, _ in points], [y for _, y in points]


def draw_edits(originals: Tensor, edited: Tensor) -> Figure:
    """Draw originals, edited images and ten times their difference, one below the other.

    :param originals: images ``[n, C, H, W]``, C = 1 or 3, n ≥ 1.
    :param edited: edited images, of the same shape.
    :raises ValueError: as in :func:`~avalanche_emgd.evaluation.editing_grid`.
    """
    grid = editing_grid(originals, edited).permute(1, 2, 0).numpy()
    height, width = grid.shape[:2]
    figure = Figure(figsize=(9.0, 0.3 + 8.0 * height / width), layout="constrained")
    ax = figure.subplots()
    ax.imshow(grid, interpolation="nearest")
    ax.set_yticks(
        [(row + 0.5) * height / 3 for row in range(3)], ["original", "edited", "difference × 10"]
    )
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure

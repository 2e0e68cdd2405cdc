"""The picture of a time line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from .timeline import Timeline

# Readable apart by people who do not see all colours (Okabe and Ito, 2008).
_PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442")


def task_color(task: int) -> str:
    """Colour of a task, the same in every picture."""
    return _PALETTE[task % len(_PALETTE)]


def draw_gantt(timeline: Timeline, names: Sequence[str], ax: Axes | None) -> Figure:
    """Draw one bar per task, the first task on top, and dotted lines between segments."""
    if ax is None:
        figure = Figure(figsize=(7.0, 0.8 + 0.38 * timeline.num_tasks), layout="constrained")
        ax = figure.subplots()
    for task, (first, last) in enumerate(timeline.spans):
        ax.barh(task, last - first + 1, left=first, height=0.65, color=task_color(task))
    for segment in timeline.segments()[1:]:
        ax.axvline(segment.start, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
    ax.set_yticks(range(timeline.num_tasks), list(names))
    ax.invert_yaxis()
    ax.set_xlim(0, timeline.num_ticks)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("tick")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    owner = ax.get_figure(root=True)
    if not isinstance(owner, Figure):
        raise TypeError("`ax` must belong to a figure.")
    return owner

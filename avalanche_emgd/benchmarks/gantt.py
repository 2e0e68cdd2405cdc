"""Gantt charts of time lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["draw_gantt", "task_color"]

# First the palette of Okabe and Ito (2008), safe for colour blindness; then darker colours.
_PALETTE = (
    *("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#999999", "#F0E442"),
    *("#332288", "#117733", "#882255", "#000000"),
)


def task_color(task: int) -> str:
    """Return the colour of a task, the same in every figure."""
    return _PALETTE[task % len(_PALETTE)]


def draw_gantt(
    spans: Sequence[tuple[int, int]], names: Sequence[str], cuts: Iterable[int], ax: Axes | None
) -> Figure:
    """Draw one bar per task, the first task on top.

    :param spans: (first tick, last tick) of each task.
    :param names: names of the tasks.
    :param cuts: ticks at which dotted lines are drawn.
    :param ax: axes to draw into; a new figure if ``None``.
    """
    if ax is None:
        figure = Figure(figsize=(7.0, 0.8 + 0.38 * len(spans)), layout="constrained")
        ax = figure.subplots()
    for task, (first, last) in enumerate(spans):
        ax.barh(task, last - first + 1, left=first, height=0.65, color=task_color(task))
    for cut in cuts:
        ax.axvline(cut, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
    ax.set_yticks(range(len(spans)), list(names))
    if not ax.yaxis_inverted():  # shared axes may be inverted already
        ax.invert_yaxis()
    ax.set_xlim(0, max(last for _, last in spans) + 1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("tick")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    owner = ax.get_figure(root=True)
    if not isinstance(owner, Figure):
        raise TypeError(f"`ax` must belong to a figure, found {type(owner).__name__}.")
    return owner

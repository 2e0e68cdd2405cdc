"""Stability against plasticity: F_ē over A_ē of all methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...training.methods import Family
from ..pictures import plain
from .families import FAMILIES, family_handles, short_label
from .labels import label_points
from .statistics import Estimate, Summary

__all__ = ["draw_plane", "shows_intervals"]

# With more methods, crosses hide the points.
_MOST_CROSSES = 12


def draw_plane(
    summaries: Sequence[Summary], families: Mapping[str, Family], reference: str | None
) -> Figure:
    """Draw F_ē over A_ē, with a point for each method.

    Dotted lines have equal A_e = A_ē − F_ē. Crosses are 95 % intervals, if :func:`shows_intervals`.

    :param summaries: summaries of one scenario, at least one.
    :param families: families of the methods, by label.
    :param reference: method whose label is bold.
    """
    crowded = len(summaries) > _MOST_CROSSES
    figure = Figure(figsize=(8.6, 7.4 if crowded else 5.6), layout="constrained")
    ax = figure.subplots()
    points = [(100 * s.A_ebar.mean, 100 * s.F_ebar.mean) for s in summaries]
    crosses = shows_intervals(summaries)
    for (x, y), summary in zip(points, summaries, strict=True):
        look = FAMILIES[families[summary.method]]
        if crosses:
            for xs, ys in ((_ends(summary.A_ebar), (y, y)), ((x, x), _ends(summary.F_ebar))):
                ax.plot(xs, ys, color=look.color, alpha=0.4, linewidth=1.2, zorder=1)
        ax.plot(
            x, y, look.marker, color=look.color, markersize=7, markeredgecolor="white", zorder=3
        )
    ax.margins(0.08)
    ax.autoscale_view()
    _draw_frame(ax)
    handles = family_handles(families[summary.method] for summary in summaries)
    figure.legend(handles=handles, loc="outside upper left", ncols=3, frameon=False)
    label_points(
        ax,
        points,
        [plain(short_label(summary.method)) for summary in summaries],
        size=7.5 if crowded else 9.0,
        bold=[summary.method == reference for summary in summaries],
    )
    return figure


def shows_intervals(summaries: Sequence[Summary]) -> bool:
    """Return whether :func:`draw_plane` shows intervals: if they are few and narrow."""
    estimates = [(s.A_ebar, s.F_ebar) for s in summaries]
    if len(summaries) > _MOST_CROSSES or any(e.low is None for pair in estimates for e in pair):
        return False
    if len(summaries) == 1:
        return True
    spreads = np.ptp([[e.mean for e in pair] for pair in estimates], axis=0)
    widths = np.array([[np.ptp(_ends(e)) for e in pair] for pair in estimates])
    return bool(np.all(widths <= 100 * spreads))


def _ends(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        raise ValueError("An estimate from a single value has no interval.")
    return 100 * estimate.low, 100 * estimate.high


def _draw_frame(ax: Axes) -> None:
    """Draw axes, their names, and the lines of equal A_e, with numbers at the frame."""
    # The axes of a single point, or of equal points, need a width, too.
    for low, high, setter in ((*ax.get_xlim(), ax.set_xlim), (*ax.get_ylim(), ax.set_ylim)):
        middle, half = (low + high) / 2.0, max((high - low) / 2.0, 1.0)
        setter(middle - half, middle + half)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    gray = "0.45"
    for level in MaxNLocator(7).tick_values(left - top, right - bottom):
        ax.plot((level + bottom, level + top), (bottom, top), ":", color="0.75", lw=0.9, zorder=0)
        label = f"{level:g}"
        if left <= level + top <= right:
            ax.annotate(
                label, (level + top, top), (0, 3), textcoords="offset points", ha="center",
                color=gray, fontsize=8,
            )  # fmt: skip
        elif bottom <= right - level <= top:
            ax.annotate(
                label, (right, right - level), (4, 0), textcoords="offset points", va="center",
                color=gray, fontsize=8,
            )  # fmt: skip
    ax.annotate(
        "A_e (%)", (1.0, 1.0), (4, 3), xycoords="axes fraction", textcoords="offset points",
        color=gray, fontsize=8,
    )  # fmt: skip
    if bottom < 0.0 < top:
        ax.axhline(0.0, color="0.6", linewidth=0.9, zorder=0)
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set_xlabel("A_ē: accuracy at the very end (%)")
    ax.set_ylabel("F_ē: A_ē − A_e (points); below zero: forgetting")
    ax.spines[["top", "right"]].set_color("0.85")

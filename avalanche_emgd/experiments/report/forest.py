"""Differences to the reference: a dot and an interval for each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from ...training.methods import Family
from ..pictures import plain
from .families import FAMILIES, family_handles, short_label
from .statistics import Comparison

__all__ = ["draw_differences"]


def draw_differences(comparisons: Sequence[Comparison], families: Mapping[str, Family]) -> Figure:
    """Differences of A_ē and of F_ē to the reference, with 95 % intervals, a row for each method.

    A dot is full if the interval excludes zero. If the numbers of pairs differ, each stands behind
    the label.

    :param comparisons: comparisons with pairs, at least one, from top to bottom.
    :param families: families of the methods, by label.
    :raises ValueError: if a comparison has no pairs.
    """
    rows = len(comparisons)
    figure = Figure(figsize=(8.6, 1.5 + 0.26 * rows), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    balanced = len({comparison.pairs for comparison in comparisons}) == 1
    for ax, estimates, words in (
        (panels[0], [comparison.A_ebar for comparison in comparisons], "A_ē"),
        (panels[1], [comparison.F_ebar for comparison in comparisons], "F_ē"),
    ):
        for row, (comparison, estimate) in enumerate(zip(comparisons, estimates, strict=True)):
            if estimate is None:
                raise ValueError(f"{comparison.method!r} has no pairs to draw.")
            look = FAMILIES[families[comparison.method]]
            if estimate.low is not None and estimate.high is not None:
                ends = (100 * estimate.low, 100 * estimate.high)
                ax.plot(ends, (row, row), color=look.color, linewidth=1.6, zorder=2)
            ax.plot(
                100 * estimate.mean,
                row,
                look.marker,
                color=look.color,
                markersize=6,
                markerfacecolor=look.color if estimate.excludes_zero else "white",
                zorder=3,
            )
        ax.axvline(0.0, color="0.4", linewidth=1.0, zorder=1)
        ax.set_xlabel(f"difference of {words} (points)")
        ax.grid(axis="x", alpha=0.25)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        for row in range(0, rows, 2):
            ax.axhspan(row - 0.5, row + 0.5, color="0.96", zorder=0)
    names = [
        plain(short_label(c.method)) + ("" if balanced else f" ({c.pairs})") for c in comparisons
    ]
    panels[0].set_yticks(range(rows), names, fontsize=8.5)
    panels[0].set_ylim(rows - 0.5, -0.5)
    handles = family_handles(families[comparison.method] for comparison in comparisons)
    figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=3,
        frameon=False,
        fontsize=9,
    )
    return figure

"""Reproducible layouts of figures."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

__all__ = ["settle"]


def settle(figure: Figure) -> None:
    """Compute the final layout of a figure.

    Positions are rounded, because the last digits of Matplotlib's constrained layout differ from
    run to run, and the picture would differ with them.

    :param figure: figure with all elements that take space.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        ax.set_position(Bbox(ax.get_position().get_points().round(6)))

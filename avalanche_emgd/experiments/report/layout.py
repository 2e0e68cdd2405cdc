"""The layout of a figure, settled."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

__all__ = ["settle"]


def settle(figure: Figure) -> None:
    """Lay a figure out for good.

    Positions are rounded: the solver behind Matplotlib's constrained layout leaves other last
    digits in each run, and everything in the picture would inherit them.

    :param figure: with everything in it that needs room.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for ax in figure.axes:
        ax.set_position(Bbox(ax.get_position().get_points().round(6)))

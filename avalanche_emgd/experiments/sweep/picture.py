"""The picture of a search."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from .space import Choices, Dimension

__all__ = ["draw_sweep"]

_COLUMNS = 4


def draw_sweep(
    table: pd.DataFrame, space: Mapping[str, Dimension], metric: str, label: str
) -> Figure:
    """Draw the metric of the trials in their order, with the best so far, and over each setting.

    :param table: table with at least one done trial, see
        :func:`~avalanche_emgd.experiments.sweep.results.trials_table`.
    :param space: ranges and choices of the search, by name.
    :param metric: column of the metric.
    :param label: label of the metric.
    """
    done = table[table["status"] == "done"]
    values = done[metric]
    best = values.idxmax()
    columns = min(_COLUMNS, 1 + len(space))
    rows = -(-(1 + len(space)) // columns)
    figure = Figure(figsize=(0.6 + 2.9 * columns, 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    first, *others = panels.flat
    first.plot(done["trial"], values, "o", markersize=4)
    first.step(done["trial"], values.cummax(), where="post", color="C1", label="best so far")
    first.set_xlabel("trial")
    first.xaxis.set_major_locator(MaxNLocator(integer=True))
    first.legend(loc="best")
    for axes, (name, each) in zip(others, space.items(), strict=False):
        places = _places(axes, each, list(done[name]))
        axes.plot(places, values, "o", markersize=4)
        axes.plot(places[list(done.index).index(best)], values[best], "o", color="C1")
        axes.set_xlabel(name)
    for axes in others[len(space) :]:
        axes.remove()
    for axes in panels[:, 0]:
        axes.set_ylabel(label)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


def _places(axes: Axes, dimension: Dimension, values: list[object]) -> list[object]:
    """Return the positions of values on the axis of a setting."""
    if isinstance(dimension, Choices):
        words = [shorten(str(value), 12, placeholder="…") for value in dimension.values]
        axes.set_xticks(range(len(words)), words)
        return [dimension.values.index(value) for value in values]
    if dimension.log:
        axes.set_xscale("log")
    return values

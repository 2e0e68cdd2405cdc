"""Draw the figures of the concept pages: ``python docs/figures/draw.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from avalanche_emgd import Timeline
from avalanche_emgd.optim import GMC, EMGDWeighting, solve_dual

FOLDER = Path(__file__).parent
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
Vector = NDArray[np.float64]


def main() -> None:
    """Write each figure as SVG beside this script, the same bytes on every run."""
    mpl.rcParams["svg.hashsalt"] = "avalanche-emgd"
    mpl.rcParams["mathtext.fontset"] = "cm"
    for draw in (streams, two_gradients, elastic, length_of_a_gradient):
        draw().savefig(FOLDER / f"{draw.__name__}.svg", metadata={"Date": None})


def streams() -> Figure:
    """Draw four tasks, from serial to joint."""
    figure = Figure(figsize=(9.0, 2.4), layout="constrained")
    lengths = [60, 40, 50, 45]
    for ax, overlap in zip(figure.subplots(1, 3, sharey=True), (0.0, 0.5, 1.0), strict=True):
        timeline = Timeline.overlapping(lengths, overlap)
        timeline.plot(names=[f"task {task}" for task in range(4)], ax=ax)
        ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        words = {0.0: "serial: overlap 0", 1.0: "joint: overlap 1"}
        ax.set_title(words.get(overlap, f"overlap {overlap}"), fontsize=10)
    return figure


def two_gradients() -> Figure:
    """Draw two gradients that agree, and two that conflict: average and common direction."""
    figure = Figure(figsize=(9.0, 2.9), layout="constrained")
    axes = figure.subplots(1, 2)
    pairs = {
        "gradients that agree": ([1.5, 0.3], [0.5, 1.3]),
        "gradients that conflict": ([2.0, 0.5], [-1.0, 0.55]),
    }
    for ax, (title, (first, second)) in zip(axes, pairs.items(), strict=True):
        gradients = np.array([first, second])
        _half_planes(ax, gradients)
        ax.plot(*gradients.T, color="0.55", linewidth=1.2, linestyle="--", zorder=1)
        _arrow(ax, gradients[0], BLUE, "$g_1$")
        _arrow(ax, gradients[1], ORANGE, "$g_2$")
        average = gradients.mean(axis=0)
        _arrow(ax, average, "0.45", "average", at=0.8, offset=(9.0, -6.0))
        direction = _combined(gradients, np.ones(2))
        _arrow(ax, direction, GREEN, "$\\lambda_1 g_1 + \\lambda_2 g_2$")
        _dress(ax, title)
    return figure


def elastic() -> Figure:
    """Draw common directions of two gradients for several elastic factors."""
    figure = Figure(figsize=(9.0, 3.7), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    gradients = np.array([[2.0, 0.4], [-0.45, 0.85]])
    shares = np.linspace(0.02, 1.98, 99)
    paths = np.array([_combined(gradients, np.array([s, 2.0 - s])) for s in shares])
    left.plot(*paths.T, color=GREEN, linewidth=1.6, alpha=0.5, zorder=2)
    _arrow(left, gradients[0], BLUE, "$g_1$")
    _arrow(left, gradients[1], ORANGE, "$g_2$")
    directions = (
        (1.0, r"$\sigma_1=\sigma_2$", (-18.0, 14.0)),
        (1.7, r"$\sigma_1<\sigma_2$", (6.0, 6.0)),
    )
    for share, label, offset in directions:
        to = _combined(gradients, np.array([share, 2.0 - share]))
        _arrow(left, to, GREEN, label, offset=offset)
    _dress(left, "common directions, from a large $\\sigma_1$ to a small one")
    descents = paths @ gradients.T
    for k, color in enumerate((BLUE, ORANGE)):
        right.plot(shares / 2.0, descents[:, k], color=color, label=f"objective {k + 1}")
    right.axhline(0.0, color="0.6", linewidth=0.8)
    right.set_xlabel(r"share of $1/\sigma_1$")
    right.set_title(r"rate of descent  $\langle g_i, -d\rangle$", fontsize=10)
    right.legend(frameon=False, fontsize=9)
    _without_frame(right)
    return figure


def length_of_a_gradient() -> Figure:
    """Draw the weights of two orthogonal gradients over the ratio of their lengths."""
    figure = Figure(figsize=(6.0, 3.0), layout="constrained")
    ax = figure.subplots()
    ratios = np.geomspace(0.1, 10.0, 101)
    rules = {
        "p = 0: MGDA": 0.0,
        "p = 1: MGDA on unit gradients": 1.0,
        "p = 2: plain average": 2.0,
    }
    for (name, exponent), color in zip(rules.items(), (PINK, BLUE, GREEN), strict=True):
        weights = [_share_of_first(ratio, exponent) for ratio in ratios]
        ax.semilogx(ratios, weights, color=color, label=name)
    ax.set_xlabel(r"$\|g_1\| \, / \, \|g_2\|$")
    ax.set_ylabel(r"$\lambda_1 / (\lambda_1 + \lambda_2)$")
    ax.legend(frameon=False, fontsize=9)
    _without_frame(ax)
    return figure


def _share_of_first(ratio: float, exponent: float) -> float:
    gramian = torch.diag(torch.tensor([ratio**2, 1.0], dtype=torch.float64))
    weights = EMGDWeighting(GMC(exponent=exponent, decay=0.0, lower_bound=0.0))(gramian)
    return float(weights[0] / weights.sum())


def _combined(gradients: Vector, inverse: Vector) -> Vector:
    gramian = torch.from_numpy(gradients @ gradients.T)
    weights = solve_dual(gramian, torch.from_numpy(1.0 / inverse)).weights
    return np.asarray(weights) @ gradients


def _half_planes(ax: Axes, gradients: Vector) -> None:
    """Shade the directions that make an angle below 90° with both gradients."""
    grid = np.linspace(-4.0, 4.0, 601)
    x, y = np.meshgrid(grid, grid)
    inside = np.all([g[0] * x + g[1] * y >= 0.0 for g in gradients], axis=0)
    ax.contourf(x, y, inside, levels=[0.5, 1.5], colors=[GREEN], alpha=0.1, zorder=0)


def _arrow(
    ax: Axes,
    to: Vector,
    color: str,
    label: str,
    *,
    at: float = 1.0,
    offset: tuple[float, float] = (4.0, 6.0),
) -> None:
    """Draw an arrow from the origin, labelled at a share of its length."""
    arrow = {"arrowstyle": "-|>", "color": color, "linewidth": 2.0, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=tuple(to), xytext=(0.0, 0.0), arrowprops=arrow, zorder=3)
    place = tuple(at * to)
    ax.annotate(label, place, xytext=offset, textcoords="offset points", color=color)


def _dress(ax: Axes, title: str) -> None:
    ax.set_title(title, fontsize=10)
    ax.set_xlim(-1.2, 2.6)
    ax.set_ylim(-0.4, 1.7)
    ax.set_aspect("equal")
    ax.axhline(0.0, color="0.85", linewidth=0.8, zorder=0)
    ax.axvline(0.0, color="0.85", linewidth=0.8, zorder=0)
    ax.set_xticks([])
    ax.set_yticks([])
    for side in ax.spines.values():
        side.set_visible(False)


def _without_frame(ax: Axes) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


if __name__ == "__main__":
    main()

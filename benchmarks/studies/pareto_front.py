r"""Picture of two objectives: the Pareto front, and how weightings come to it.

Example::

    python benchmarks/studies/pareto_front.py --picture docs/images/pareto_front.png

Two convex quadratics in the plane, whose minima lie apart and whose curvatures differ. From the
same starts, plain steps of the same length follow the directions of several weightings until these
are shorter than 1e-4. Prints where each ends, and its distance from the front.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from torch import Tensor
from torchjd.aggregation import MeanWeighting

from avalanche_emgd.optim import GMC, GS, EMGDWeighting

MINIMA = torch.tensor([[-1.0, 0.0], [1.0, 0.5]], dtype=torch.float64)
CURVATURES = torch.tensor([[[1.0, 0.0], [0.0, 3.0]], [[5.0, 1.5], [1.5, 1.0]]], dtype=torch.float64)
STARTS = torch.tensor([[-1.5, 2.0], [0.5, 2.2], [2.0, -1.0]], dtype=torch.float64)
RULES: dict[str, Callable[[], Callable[[Tensor], Tensor]]] = {
    "plain average": MeanWeighting,
    "MGDA": lambda: EMGDWeighting("mgda"),
    "GMC, p = 1, no smoothing": lambda: EMGDWeighting(GMC(1.0, 0.0, 0.0)),
    "GMC, defaults": lambda: EMGDWeighting(GMC()),
    "GS, defaults": lambda: EMGDWeighting(GS()),
}
SHORT = 1e-4
MAX_STEPS = 20_000


def main(
    picture: Annotated[Path, typer.Option(help="Picture to write.")],
) -> None:
    """Print where the trajectories end, and draw them."""
    say = Console(soft_wrap=True, markup=False, highlight=False).print
    say("| weighting | start | steps | f₁ at the end | f₂ at the end | distance from the front |")
    say("|---|---|---:|---:|---:|---:|")
    paths = {}
    front = pareto_set(2001)
    for name, make in RULES.items():
        paths[name] = [follow(make(), start) for start in STARTS]
        for start, path in zip(STARTS.tolist(), paths[name], strict=True):
            f1, f2 = objectives(path[-1:])[0].tolist()
            away = float((front - path[-1]).norm(dim=1).min())
            place = f"({start[0]:g}, {start[1]:g})"
            say(f"| {name} | {place} | {len(path) - 1} | {f1:.3f} | {f2:.3f} | {away:.1e} |")
    draw(paths, front).savefig(picture, dpi=150)


def objectives(points: Tensor) -> Tensor:
    """Values of both objectives at points ``[k, 2]``, ``[k, 2]``."""
    away = points[:, None, :] - MINIMA
    return 0.5 * torch.einsum("kni,nij,knj->kn", away, CURVATURES, away)


def gradients(point: Tensor) -> Tensor:
    """Gradients of both objectives at a point ``[2]``, one per row, ``[2, 2]``."""
    return torch.einsum("nij,nj->ni", CURVATURES, point - MINIMA)


def pareto_set(points: int) -> Tensor:
    """Minima of all convex combinations of the objectives, ``[points, 2]``."""
    shares = torch.linspace(0.0, 1.0, points, dtype=torch.float64)
    weights = torch.stack([1.0 - shares, shares], dim=1)
    matrices = torch.einsum("kn,nij->kij", weights, CURVATURES)
    sides = torch.einsum("kn,nij,nj->ki", weights, CURVATURES, MINIMA)
    return torch.linalg.solve(matrices, sides)


def follow(weighting: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """Points of a trajectory, ``[steps + 1, 2]``."""
    step = 0.1 / float(torch.linalg.eigvalsh(CURVATURES).max())
    path = [start]
    for _ in range(MAX_STEPS):
        rows = gradients(path[-1])
        direction = weighting(rows @ rows.T) @ rows
        if float(direction.norm()) < SHORT:
            break
        path.append(path[-1] - step * direction)
    return torch.stack(path)


def draw(paths: dict[str, list[Tensor]], front: Tensor) -> Figure:
    """Trajectories in the plane of parameters and in that of the objectives."""
    figure = Figure(figsize=(11.0, 4.8), layout="constrained")
    plane, values = figure.subplots(1, 2)
    _contours(plane)
    plane.plot(*front.T.tolist(), color="black", linewidth=3, label="Pareto set and front")
    values.plot(*objectives(front).T.tolist(), color="black", linewidth=3)
    for index, (name, each) in enumerate(paths.items()):
        color = f"C{index}"
        for start, path in enumerate(each):
            label = name if start == 0 else None
            plane.plot(*path.T.tolist(), color=color, label=label)
            reached = objectives(path)
            values.plot(*reached.T.tolist(), color=color)
            plane.plot(*path[-1].tolist(), "o", color=color, markersize=6)
            values.plot(*reached[-1].tolist(), "o", color=color, markersize=6)
    plane.plot(*STARTS.T.tolist(), "k+", markersize=10)
    plane.set(xlabel="x₁", ylabel="x₂", title="parameters")
    values.set(xlabel="f₁", ylabel="f₂", title="objectives", xscale="log", yscale="log")
    values.set(xlim=(2e-2, 20.0), ylim=(2e-2, 60.0))
    values.plot(*objectives(STARTS).T.tolist(), "k+", markersize=10)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _contours(axes: Axes) -> None:
    x = torch.from_numpy(np.linspace(-2.2, 2.6, 200))
    y = torch.from_numpy(np.linspace(-1.4, 2.6, 200))
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
    found = objectives(grid.reshape(-1, 2)).view(200, 200, 2)
    for objective, style in ((0, "dotted"), (1, "dashed")):
        axes.contour(
            x.numpy(),
            y.numpy(),
            found[..., objective].numpy(),
            levels=[0.1, 0.5, 1.5, 4.0, 10.0],
            colors="0.75",
            linewidths=0.8,
            linestyles=style,
        )


if __name__ == "__main__":
    typer.run(main)

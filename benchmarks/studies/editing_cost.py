"""Cost of the gradient by the pixels, beside one plain forward and backward pass.

Example::

    python benchmarks/studies/editing_cost.py

Takes about a minute on one core.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable

import torch
from rich.console import Console
from torch import Tensor, nn

from avalanche_emgd import MLP, ResNet18
from avalanche_emgd.gradients.input_gradient import product_gradient
from avalanche_emgd.models import frozen_statistics

REPEATS = 7
CASES: tuple[tuple[str, Callable[[], nn.Module], tuple[int, ...]], ...] = (
    ("MLP, 128 images", lambda: MLP(62), (128, 1, 28, 28)),
    ("slim ResNet-18, 32 images", lambda: ResNet18(100, width=20), (32, 3, 32, 32)),
    ("ResNet-18, 16 images", lambda: ResNet18(100), (16, 3, 32, 32)),
)


def main() -> None:
    """Print a table of ratios."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    print_ = Console(soft_wrap=True, markup=False, highlight=False).print
    print_("| | double backward | forward over backward | relative difference |")
    print_("|---|---:|---:|---:|")
    for name, make, shape in CASES:
        model, x = make(), torch.randn(shape)
        with frozen_statistics(model):
            ratios, difference = _compare(model, x)
        print_(f"| {name} | {ratios[0]:.2f} | {ratios[1]:.2f} | {difference:.0e} |")
    print_(
        f"\nMedian time of {REPEATS} in turn ÷ that of one forward and backward pass. torch "
        f"{torch.__version__}, Python {platform.python_version()}, {platform.machine()}, 1 thread."
    )


def _compare(model: nn.Module, x: Tensor) -> tuple[list[float], float]:
    parameters = list(model.parameters())
    y = torch.randint(62, x.shape[:1])
    v = 0.01 * torch.randn(sum(p.numel() for p in parameters))

    def loss(inputs: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model(inputs), y)

    ways: list[Callable[[], object]] = [
        lambda: torch.autograd.grad(loss(x), parameters),
        lambda: product_gradient(loss, model, parameters, x, v, "double-backward"),
        lambda: product_gradient(loss, model, parameters, x, v, "forward"),
    ]
    times: list[list[float]] = [[] for _ in ways]
    for _ in range(REPEATS + 1):
        for way, taken in zip(ways, times, strict=True):
            started = time.perf_counter()
            way()
            taken.append(time.perf_counter() - started)
    plain, *others = (statistics.median(taken[1:]) for taken in times)
    found, other = (
        product_gradient(loss, model, parameters, x, v, kind)
        for kind in ("double-backward", "forward")
    )
    return [value / plain for value in others], float((found - other).norm() / found.norm())


if __name__ == "__main__":
    main()

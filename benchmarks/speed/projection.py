"""A projection of a tick to many GPUs, from counted bytes and operations; no GPU is measured.

    python -m benchmarks.speed.projection

Bytes are counted with 2, 3 and 4 processes on this machine, and compared with the formula that the
projection uses. ``torch.utils.flop_counter`` counts the operations of one pass of ResNet-18 over
images of 32 x 32 pixels. It also counts those of the Gramian of one slice of the gradients.
"""

from __future__ import annotations

from typing import Annotated

import torch
import typer
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from avalanche_emgd.distributed import ByObjective, BySample, Even, Placement
from avalanche_emgd.gradients import gramian_of
from avalanche_emgd.models import make_model

from .several_processes import expected_bytes, measure

_CLASSES = 100
_COUNTED = (2, 3, 4)
_MLP = "MLP 784-128-64-62"


def operations_of_a_sample(model: nn.Module) -> float:
    """Count the operations of a forward and a backward pass, for each sample."""
    x = torch.randn(4, 3, 32, 32)
    with FlopCounterMode(display=False) as counter:
        cross_entropy(model(x), torch.zeros(len(x), dtype=torch.int64)).backward()
    return counter.get_total_flops() / len(x)


def operations_of_a_gramian(n: int, length: int) -> int:
    """Count the operations of the Gramian of n gradients of some length."""
    with FlopCounterMode(display=False) as counter:
        gramian_of(torch.randn(n, length))
    return counter.get_total_flops()


def main(
    processes: Annotated[int, typer.Option(help="Number of GPUs to project to.")] = 64,
    samples: Annotated[int, typer.Option(help="Samples of a tick.")] = 2048,
    bandwidth: Annotated[float, typer.Option(help="Assumed GB/s that a GPU receives.")] = 25.0,
    speed: Annotated[float, typer.Option(help="Assumed TFLOP/s of a GPU.")] = 30.0,
) -> None:
    """Count, compare with the formula, and print the projection as tables in Markdown."""
    print("| processes | kind | bytes counted | formula |\n|---|---|---|---|")
    for size in _COUNTED:
        *_, counted, expected, _ = measure(_MLP, size, blocks=1)
        for kind, number in expected.items():
            print(f"| {size} | {kind} | {counted[kind]:,.0f} | {number:,.0f} |", flush=True)

    model = make_model("resnet18", _CLASSES, (3, 32, 32))
    size = sum(p.numel() for p in model.parameters())
    of_model = samples / processes * operations_of_a_sample(model)
    plain_bytes = 8 * (processes - 1) / processes * size  # of a ring all-reduce
    plain = of_model / (1e12 * speed), plain_bytes / (1e9 * bandwidth)
    print(f"\nResNet-18, P = {size:,}; {samples} samples on {processes} GPUs; {of_model / 1e9:.1f}")
    print("GFLOP of the model for each GPU. Data-parallel training of one loss receives ", end="")
    print(f"{plain_bytes / 1e6:.0f} MB.\n")
    print("| placement | n | MB received | GFLOP of Gramian | ratio, one by one | overlapping |")
    print("|---|---|---|---|---|---|")
    cases: list[tuple[Placement, int]] = [(Even(), 8), (BySample(), 8), (ByObjective(), processes)]
    for placement, n in cases:
        sizes = [samples // n] * n
        received = sum(expected_bytes(sizes, processes, size, _CLASSES, placement).values())
        gramian = operations_of_a_gramian(n, -(-size // processes))
        own = (of_model + gramian) / (1e12 * speed) + received / (1e9 * bandwidth)
        print(
            f"| {placement!r} | {n} | {received / 1e6:.0f} | {gramian / 1e9:.3f} | "
            f"{own / sum(plain):.2f} | {own / max(plain):.2f} |"
        )


if __name__ == "__main__":
    typer.run(main)

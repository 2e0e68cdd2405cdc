"""Cost of a tick on several processes, against data-parallel training of one loss.

    python -m benchmarks.speed.several_processes --processes 1,2,4

The plain sum is the mean cross-entropy of all samples of the tick, by PyTorch's
``DistributedDataParallel``. EMGD takes the same samples, as eight objectives. Both are measured in
turn, in the same processes, with one thread each.
"""

from __future__ import annotations

import copy
import socket
import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import typer
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel

from avalanche_emgd.distributed import Automatic, DistributedEngine, Placement, Processes
from avalanche_emgd.gradients import Batches, FusedEngine, GradientEngine
from avalanche_emgd.models import MLP, make_model
from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.training.cross_entropy import mean_cross_entropies
from avalanche_emgd.training.gradient_space import GradientSpace

_OBJECTIVES = 8
_CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int, int]] = {
    # model, shape of an input, samples of an objective, ticks in a block
    "MLP 784-128-64-62": (lambda: MLP(62), (784,), 128, 20),
    "slim ResNet-18": (lambda: make_model("slim-resnet18", 100, (3, 32, 32)), (3, 32, 32), 16, 2),
}
_BLOCKS = 9


def expected_bytes(
    sizes: list[int],
    processes: int,
    parameters: int,
    outputs: int,
    placement: Placement | None = None,
) -> dict[str, float]:
    """Mean bytes that a process receives at a tick, from the shares alone; float32 numbers.

    :param sizes: samples of each objective.
    :param processes: number W of processes.
    :param parameters: P.
    :param outputs: numbers that the model returns for a sample.
    :param placement: placement of the samples; the automatic one if omitted.
    :return: bytes of the gradients of other processes, of the update, and of the outputs, which are
        padded to the longest share.
    """
    chosen = Automatic() if placement is None else placement
    shares = chosen.shares(sizes, [1] * len(sizes), processes, coupled=False)
    rows = sum(map(len, shares))
    most = max(sum(share.stop - share.start for share in own) for own in shares)
    others = (processes - 1) / processes
    return {
        "gradients": 4 * others * rows * parameters / processes,
        "update": 4 * others * parameters,
        "outputs": 4.0 * (processes - 1) * most * outputs,
    }


def _work(rank: int, size: int, port: int, name: str, blocks: int, results: Any) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=size
    )
    make, shape, batch, ticks = _CASES[name]
    torch.manual_seed(0)
    model = make()
    reference: nn.Module = copy.deepcopy(model)
    x, y = torch.randn(_OBJECTIVES * batch, *shape), torch.randint(10, (_OBJECTIVES * batch,))
    plain = DistributedDataParallel(reference) if size > 1 else reference
    plain_optimizer = torch.optim.SGD(plain.parameters(), lr=1e-4)
    own = slice(len(y) * rank // size, len(y) * (rank + 1) // size)

    def plain_tick() -> None:
        plain_optimizer.zero_grad()
        cross_entropy(plain(x[own]), y[own]).backward()
        plain_optimizer.step()

    processes = Processes("cpu")
    engine: GradientEngine = FusedEngine()
    if size > 1:
        engine = DistributedEngine(engine, processes)
    engine.attach(model)
    space, weighting = GradientSpace(model), EMGDWeighting("gmc")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    sizes, criterion = [batch] * _OBJECTIVES, nn.CrossEntropyLoss()

    def tick() -> None:
        optimizer.zero_grad()
        made = engine.forward(model, Batches(x, sizes))
        losses: Any
        if made.joined is not None:
            losses = mean_cross_entropies(criterion, made.joined, y, sizes)
        else:
            pairs = zip(made.outputs, y.split(sizes), strict=True)
            losses = [criterion(output, labels) for output, labels in pairs]
        gradients = made.gradients(losses, space.parameters, separable=True)
        weights = weighting(gradients.gramian(space.num_shared).cpu())
        update = gradients.combine(weights, space.num_shared, out=space.update)
        space.assign(update, gradients.used, accumulate=False)
        optimizer.step()

    def seconds(step: Callable[[], None], number: int) -> float:
        dist.barrier()
        started = time.perf_counter()
        for _ in range(number):
            step()
        dist.barrier()
        return (time.perf_counter() - started) / number

    seconds(plain_tick, 3)
    seconds(tick, 9)  # comparisons of the engine are made at ticks 1, 2, 4, 8 ...
    processes.received.clear()
    found = [(seconds(plain_tick, ticks), seconds(tick, ticks)) for _ in range(blocks)]
    width = (model(x[:2])).shape[1]
    parameters = sum(p.numel() for p in model.parameters())
    expected = expected_bytes(sizes, size, parameters, width)
    total = torch.tensor([processes.received[kind] for kind in expected])
    dist.all_reduce(total)
    means = (total / (size * blocks * ticks)).tolist()
    if rank == 0:
        results.put((found, dict(zip(expected, means, strict=True)), expected, parameters))
    dist.destroy_process_group()


def measure(
    name: str, size: int, blocks: int = _BLOCKS
) -> tuple[float, float, float, dict[str, float], dict[str, float], int]:
    """Milliseconds of the plain sum and of EMGD, their ratio, bytes counted and expected, and P.

    Bytes are means over the processes, of which some take more objectives than others.

    :param name: name of a model in the table of this module.
    :param size: number of processes.
    :param blocks: number of pairs of measurements.
    """
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        port = each.getsockname()[1]
    results = mp.get_context("spawn").SimpleQueue()
    mp.spawn(_work, args=(size, port, name, blocks, results), nprocs=size)
    found, counted, expected, parameters = results.get()
    plain, own = (1e3 * statistics.median(each) for each in zip(*found, strict=True))
    ratio = statistics.median(b / a for a, b in found)
    return plain, own, ratio, counted, expected, parameters


def main(
    processes: Annotated[str, typer.Option(help="Numbers of processes.")] = "1,2,4",
    only: Annotated[str | None, typer.Option(help="Part of the name of a model.")] = None,
) -> None:
    """Measure, and print a table in Markdown."""
    print("| model | processes | plain sum, ms | EMGD, ms | ratio | MB received | formula |")
    print("|---|---|---|---|---|---|---|")
    for name in _CASES:
        for size in map(int, processes.split(",")):
            if only is not None and only.lower() not in name.lower():
                continue
            plain, own, ratio, counted, expected, _ = measure(name, size)
            received = sum(counted.values())
            print(
                f"| {name} | {size} | {plain:.1f} | {own:.1f} | {ratio:.2f} | "
                f"{received / 1e6:.3f} | {sum(expected.values()) / 1e6:.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    typer.run(main)

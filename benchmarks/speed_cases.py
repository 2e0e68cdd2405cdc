"""The goals of speed, each measured side by side with what it is a ratio to."""

from __future__ import annotations

import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import Replay
from speed_parts import (
    Batches,
    PeakBytes,
    batches_of,
    emgd,
    emgd_by_hand,
    emgd_passes_by_hand,
    emnist_like,
    equal_tasks,
    most_saved,
    one_pass,
    seconds,
    separate_passes,
    side_by_side,
)
from torch import nn
from torch.nn.functional import cross_entropy
from torchjd.aggregation import MGDAWeighting

from avalanche_emgd import MLP, gradient_diagnostics
from avalanche_emgd.evaluation import BatchedTensorboardLogger
from avalanche_emgd.models import ResNet18
from avalanche_emgd.optim import (
    EMGDWeighting,
    FusedEngine,
    GradientEngine,
    PlainEngine,
    kkt_residual,
    solve_dual,
)
from avalanche_emgd.training.gradient_space import GradientSpace

_SOLVES = 50  # at a time: what is timed is the work, not the first call after something else
IMAGE, COLOUR = (1, 28, 28), (3, 32, 32)


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    :param repeats: of everything, of which the median counts.
    :param ticks: of a stream of MLP ticks; what a run does once should not count.
    :param resnet_ticks: of a stream of ResNet ticks.
    :param samples: of a whole run.
    :param solves: of the dual at each n, fifty at a time.
    """

    repeats: int
    ticks: int
    resnet_ticks: int
    samples: int
    solves: int


FULL = Effort(repeats=7, ticks=150, resnet_ticks=12, samples=60_000, solves=21)
QUICK = Effort(repeats=5, ticks=30, resnet_ticks=3, samples=8_000, solves=5)


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    :param what: was measured.
    :param against: what it is a ratio to.
    :param value: the ratio, or the multiple.
    :param goal: it must be at most, or at least.
    :param at_least: which of the two.
    :param detail: the figures behind it.
    """

    what: str
    against: str
    value: float
    goal: float
    at_least: bool = False
    detail: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal is reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal


def _mlp(n: int) -> MLP:
    torch.manual_seed(0)
    return MLP(6 * n)


def _resnet(n: int) -> nn.Module:
    torch.manual_seed(0)
    return ResNet18(6 * n, width=20)


def _milliseconds(*pairs: tuple[str, float]) -> str:
    return ", ".join(f"{name} {1000 * value:.2f} ms" for name, value in pairs)


def ticks_of_the_mlp(effort: Effort) -> Iterator[Finding]:
    """EMGD beside the plain average with n passes and with one."""
    for n in (3, 5, 10):
        stream = equal_tasks(n, 128, effort.ticks, IMAGE)
        ticks = batches_of(stream)
        ours, average, joint, least = (t / effort.ticks for t in side_by_side(
            [
                lambda s=stream, n=n: emgd(s, _mlp(n)),
                lambda t=ticks, n=n: separate_passes(t, _mlp(n)),
                lambda t=ticks, n=n: one_pass(t, _mlp(n)),
                lambda t=ticks, n=n: emgd_by_hand(t, _mlp(n)),
            ],
            effort.repeats,
        ))  # fmt: skip
        detail = _milliseconds(
            ("EMGD", ours), ("by hand", least), ("n passes", average), ("one pass", joint)
        )
        what = f"EMGD tick, MLP, n = {n}, batches of 128"
        yield Finding(what, "plain average, n passes", ours / average, 1.10, detail=detail)
        if n == 10:
            yield Finding(what, "plain average, one pass", ours / joint, 1.25, detail=detail)


def small_batches(effort: Effort) -> Iterator[Finding]:
    """Put the fused engine beside the plain one."""
    stream, ticks = equal_tasks(10, 10, 2 * effort.ticks, IMAGE), 2 * effort.ticks
    batches = batches_of(stream)
    fused, plain, least = (t / ticks for t in side_by_side(
        [
            lambda: emgd(stream, _mlp(10), engine=FusedEngine()),
            lambda: emgd(stream, _mlp(10), engine=PlainEngine()),
            lambda: emgd_by_hand(batches, _mlp(10)),
        ],
        effort.repeats,
    ))  # fmt: skip
    detail = _milliseconds(("fused", fused), ("by hand", least), ("plain", plain))
    what = "EMGD tick, MLP, n = 10, fused engine, batches of 10"
    yield Finding(what, "the same with the plain engine", fused / plain, 0.3, detail=detail)


def ticks_of_the_resnet(effort: Effort) -> Iterator[Finding]:
    """EMGD beside the plain average; batch norm leaves no other way than n passes."""
    for n in (3, 5):
        stream = equal_tasks(n, 32, effort.resnet_ticks, COLOUR)
        ticks = batches_of(stream)
        ours, average, least = (t / effort.resnet_ticks for t in side_by_side(
            [
                lambda s=stream, n=n: emgd(s, _resnet(n)),
                lambda t=ticks, n=n: separate_passes(t, _resnet(n)),
                lambda t=ticks, n=n: emgd_passes_by_hand(t, _resnet(n)),
            ],
            effort.repeats,
        ))  # fmt: skip
        detail = _milliseconds(("EMGD", ours), ("by hand", least), ("n passes", average))
        what = f"EMGD tick, slim ResNet-18, n = {n}, batches of 32"
        yield Finding(what, "plain average, n passes", ours / average, 1.03, detail=detail)


def _with_memory(stream: Any, capacity: int) -> list[Batches]:
    """Minibatches of a stream with one from a memory of the finished tasks, in memory."""
    generator = torch.Generator().manual_seed(0)
    kept: list[Any] = []
    ticks: list[Batches] = []
    for experience, batches in zip(
        [e for e in stream.train_stream for _ in e.ticks], batches_of(stream), strict=True
    ):
        last = experience.ticks.stop - 1
        if kept:
            x, y = (torch.cat(column)[-capacity:] for column in zip(*kept, strict=True))
            chosen = torch.randperm(len(y), generator=generator)[: stream.batch_size]
            batches = [*batches, (x[chosen], y[chosen])]
        ticks.append(batches)
        if experience.finishing_tasks and len(ticks) == last + 1:
            kept += [batches[experience.active_tasks.index(t)] for t in experience.finishing_tasks]
    return ticks


def whole_runs(effort: Effort) -> Iterator[Finding]:
    """Whole runs beside a loop written by hand and Avalanche's own replay."""
    stream, capacity = emnist_like(effort.samples), 310
    ticks = _with_memory(stream, capacity)
    per_tick = sum(len(y) for batches in ticks for _, y in batches) // len(ticks)

    def replay() -> Callable[[], Any]:
        model = MLP(62)
        strategy = Replay(
            model=model, optimizer=torch.optim.Adam(model.parameters(), lr=0.001),
            criterion=nn.CrossEntropyLoss(), mem_size=capacity, train_mb_size=per_tick - 128,
            train_epochs=1, evaluator=None,
        )  # fmt: skip

        def train() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                strategy.train(stream.train_stream)

        return train

    torch.manual_seed(0)
    ours, by_hand, least = side_by_side(
        [
            lambda: emgd(stream, MLP(62), memory_size=capacity),
            lambda: one_pass(ticks, MLP(62)),
            lambda: emgd_by_hand(ticks, MLP(62)),
        ],
        effort.repeats,
    )
    avalanche, again = side_by_side(
        [replay, lambda: emgd(stream, MLP(62), memory_size=capacity)], max(2, effort.repeats // 2)
    )
    what = f"whole run, EMGD, MLP, {effort.samples} samples, no tests"
    detail = (
        f"EMGD {ours:.2f} s, by hand {least:.2f} s, one pass {by_hand:.2f} s, {len(ticks)} ticks"
    )
    yield Finding(what, "loop by hand, one pass", ours / by_hand, 1.25, detail=detail)
    detail = f"EMGD {again:.2f} s, Avalanche {avalanche:.2f} s"
    yield Finding(what, "Avalanche's Replay", again / avalanche, 0.5, detail=detail)
    yield from _diagnostics(stream, capacity, effort)


def _diagnostics(stream: Any, capacity: int, effort: Effort) -> Iterator[Finding]:
    waiting: list[float] = []
    with tempfile.TemporaryDirectory() as folder:

        def logged() -> Callable[[], Any]:
            logger = BatchedTensorboardLogger(folder)
            evaluator = EvaluationPlugin(
                gradient_diagnostics(), loggers=[logger], collect_all=False
            )
            train = emgd(stream, MLP(62), memory_size=capacity, evaluator=evaluator)

            def train_and_write() -> None:
                train()
                waiting.append(seconds(logger.writer.flush))

            return train_and_write

        on, off = side_by_side(
            [logged, lambda: emgd(stream, MLP(62), memory_size=capacity)], effort.repeats
        )
    rest = statistics.median(waiting)
    detail = f"on {on:.2f} s, of which {rest:.3f} s of writing after the last tick, off {off:.2f} s"
    yield Finding("whole run, TensorBoard diagnostics on", "off", on / off, 1.05, detail=detail)


def duals(effort: Effort) -> Iterator[Finding]:
    """Put the dual beside cvxopt and TorchJD's MGDA, with its exactness."""
    mgda = MGDAWeighting()
    for n in (2, 5, 10, 20, 50):
        generator = torch.Generator().manual_seed(n)
        jacobian = torch.randn(n, 4 * n, generator=generator, dtype=torch.float64) + 0.3
        gramian, sigma = jacobian @ jacobian.T, torch.rand(n, generator=generator) + 0.5
        ours, interior, frank_wolfe = (t / _SOLVES for t in side_by_side(
            [
                lambda g=gramian, s=sigma: lambda: [solve_dual(g, s) for _ in range(_SOLVES)],
                lambda g=gramian, s=sigma: lambda: [
                    solve_dual(g, s, solver="cvxopt") for _ in range(_SOLVES)
                ],
                lambda g=gramian: lambda: [mgda(g) for _ in range(_SOLVES)],
            ],
            effort.solves,
        ))  # fmt: skip
        detail = _milliseconds(("dual", ours), ("cvxopt", interior), ("TorchJD", frank_wolfe))
        what = f"dual, n = {n}"
        yield Finding(what, "cvxopt (times faster)", interior / ours, 10.0, True, detail)
        yield Finding(what, "TorchJD's MGDA", ours / frank_wolfe, 1.0, detail=detail)
        residual = kkt_residual(gramian, solve_dual(gramian, sigma).weights, sigma)
        inexact = kkt_residual(gramian, mgda(gramian))
        detail = f"TorchJD's on the same Gramian with σ = 1: {inexact:.0e}"
        yield Finding(what, "KKT residual", residual, 1e-9, detail=detail)


def _core_tick(
    model: nn.Module, batches: Batches, engine: GradientEngine
) -> Callable[[], tuple[Any, Any]]:
    """Do a tick without loader, memory and callbacks, up to the weighted gradient."""
    weighting, parameters = EMGDWeighting(), list(model.parameters())
    size = sum(p.numel() for p in parameters)
    engine.attach(model)

    def tick() -> tuple[Any, Any]:
        outputs = engine.forward(lambda batch: model(batch[0]), batches)
        losses = [cross_entropy(o, y) for o, (_, y) in zip(outputs, batches, strict=True)]
        gradients = engine.gradients(losses, parameters)
        update = gradients.combine(weighting(gradients.gramian(size)), size)
        return gradients, update

    return tick


def _with_step(tick: Callable[[], tuple[Any, Any]], model: nn.Module) -> Callable[[], Any]:
    """Let the optimizer follow the weighted gradient; return the objectives' gradients."""
    space = GradientSpace(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

    def whole() -> Any:
        gradients, update = tick()
        space.assign(update, [True] * len(space.parameters), accumulate=False)
        optimizer.step()
        return gradients

    return whole


def peak_memory(effort: Effort) -> Iterator[Finding]:
    """Tensors that live at one time, beyond those of a plain step, in numbers of parameters."""
    n = 10
    model = MLP(62, hidden=(1024, 1024))
    size = sum(p.numel() for p in model.parameters())
    batches = [(torch.randn(4, *IMAGE), torch.randint(62, (4,))) for _ in range(n)]

    def plain() -> None:
        for x, y in batches:
            (cross_entropy(model(x), y) / n).backward()

    def peak(work: Callable[[], Any]) -> float:
        with PeakBytes() as meter:
            work()  # engines check themselves once; the rows that they keep count below, too
            model.zero_grad()
            meter.peak = 0
            work()
            model.zero_grad()
        return meter.peak / (4 * size)

    base = peak(plain)
    what = f"peak memory beyond a plain step, MLP, n = {n}"
    for name, goal, engine in (
        ("PlainEngine()", n + 1.0, PlainEngine()),
        ("FusedEngine()", n + 1.0, FusedEngine()),
        ("FusedEngine(lean=True)", 2.0, FusedEngine(lean=True)),
    ):
        found = peak(_core_tick(model, batches, engine))
        detail = f"{found:.2f} P, plain step {base:.2f} P"
        yield Finding(f"{what}, {name}", "parameters P", found - base, goal, detail=detail)
    stream = equal_tasks(5, 8, 2, COLOUR)
    ours = most_saved(emgd(stream, _resnet(5)))
    one = most_saved(separate_passes(batches_of(stream), _resnet(5)))
    what = "what graphs keep at one time, slim ResNet-18, n = 5, batches of 8"
    detail = f"{ours / 1e6:.1f} MB, one pass {one / 1e6:.1f} MB"
    yield Finding(what, "one pass of a plain step", ours / one, 1.1, detail=detail)


def growth(effort: Effort) -> Iterator[Finding]:
    """Cost as n grows while the samples of a tick stay the same."""
    total, times, shares = 1200, {}, {}
    for n in (2, 5, 10, 20, 50, 100):
        model = _mlp(10)
        batches = [
            (torch.randn(total // n, *IMAGE), torch.randint(60, (total // n,))) for _ in range(n)
        ]
        tick = _with_step(_core_tick(model, batches, FusedEngine()), model)
        gradients, size = tick(), sum(p.numel() for p in model.parameters())
        times[n], gramian = side_by_side(
            [lambda t=tick: t, lambda g=gradients, s=size: lambda: g.gramian(s)],
            2 * effort.repeats + 1,
        )
        shares[n] = gramian / times[n]
    worst = max(times[n] / times[2] / (n / 2) for n in times)
    detail = ", ".join(f"n = {n}: {1000 * t:.1f} ms" for n, t in times.items())
    what = f"EMGD tick without the loop, MLP, {total} samples"
    yield Finding(
        f"{what}, n from 2 to 100", "growth in proportion to n", worst, 1.0, detail=detail
    )
    detail = ", ".join(f"n = {n}: {100 * share:.0f} %" for n, share in shares.items())
    share = max(shares[n] for n in (2, 5, 10, 20))
    yield Finding(f"{what}, Gramian, n up to 20", "the tick", share, 0.1, detail=detail)


CASES = (
    ticks_of_the_mlp,
    small_batches,
    ticks_of_the_resnet,
    whole_runs,
    duals,
    peak_memory,
    growth,
)

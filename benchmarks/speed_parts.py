"""What the speed cases are made of: streams, loops written by hand, clocks and a memory meter."""

from __future__ import annotations

import statistics
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.data import TensorDataset

from avalanche_emgd import (
    MLP,
    EMGDStrategy,
    Timeline,
    parallel_benchmark,
    parallel_benchmark_from_classes,
)
from avalanche_emgd.benchmarks import ParallelBenchmark
from avalanche_emgd.benchmarks.images import ImagesInMemory
from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.optim.gramian import GramianOf
from avalanche_emgd.optim.layer_gradients import MANY
from avalanche_emgd.training.gradient_space import GradientSpace

Batches = Sequence[tuple[Tensor, Tensor]]
CLASSES_PER_TASK = 6
_LARGER = 4096  # float32 numbers; what the C library takes for small ends at a kilobyte


def seconds(work: Callable[[], Any]) -> float:
    """Time one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def side_by_side(works: Sequence[Callable[[], Callable[[], Any]]], repeats: int) -> list[float]:
    """Typical seconds of several things, measured in turns in one run.

    Ratios of what is returned are medians of the ratios within turns: a machine that slows down for
    a while slows down everything in a turn alike.

    Before each, memory is allocated and let go: C libraries put off joining small pieces that have
    been freed until somebody wants a larger one (glibc's ``malloc_consolidate``). What TorchJD's
    thousands of small tensors leave takes 12 ms, which would count as another's.

    :param works: each prepares one call, which alone is timed.
    :param repeats: of each.
    """
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for own, prepare in zip(times, works, strict=True):
            work = prepare()
            torch.empty(_LARGER)
            own.append(seconds(work))
    first = times[0]
    ratios = [[t / f for t, f in zip(own, first, strict=True)] for own in times]
    return [statistics.median(first) * statistics.median(own) for own in ratios]


def equal_tasks(n: int, batch_size: int, ticks: int, shape: Sequence[int]) -> ParallelBenchmark:
    """N tasks that all stream from the first to the last tick, in memory."""
    generator = torch.Generator().manual_seed(0)
    sets = []
    for task in range(n):
        x = torch.randn(batch_size * ticks, *shape, generator=generator)
        y = CLASSES_PER_TASK * task + torch.arange(len(x)) % CLASSES_PER_TASK
        sets.append(TensorDataset(x, y))
    spans = Timeline(tuple((0, ticks - 1) for _ in range(n)))
    return parallel_benchmark(sets, sets, spans, batch_size=batch_size)


def emnist_like(samples: int) -> ParallelBenchmark:
    """Streams of the size of PS-EMNIST: noise, 62 classes in 5 tasks, minibatches of 128."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (samples, 1, 28, 28), generator=generator, dtype=torch.uint8)
    data = ImagesInMemory(images, torch.arange(samples) % 62, (0.5,), (0.29,))
    bounds = (0, 13, 25, 37, 50, 62)
    label_sets = [range(a, b) for a, b in pairwise(bounds)]
    return parallel_benchmark_from_classes(data, data, label_sets, batch_size=128)


def batches_of(benchmark: ParallelBenchmark) -> list[Batches]:
    """All minibatches of a benchmark, in memory: one per task at each tick."""
    ticks = []
    for experience in benchmark.train_stream:
        for deliveries in experience.deliveries:
            x, y, _ = experience.load(deliveries)
            start = deliveries[0].start
            ticks.append([(x[d.start - start : d.stop - start], y[d.start - start : d.stop - start])
                          for d in deliveries])  # fmt: skip
    return ticks


def emgd(benchmark: ParallelBenchmark, model: nn.Module, **options: Any) -> Callable[[], Any]:
    """EMGD on a benchmark, prepared."""
    torch.manual_seed(0)
    options.setdefault("evaluator", None)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    strategy = EMGDStrategy(model, optimizer=optimizer, **options)

    def train() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            strategy.train(benchmark.train_stream)

    return train


def separate_passes(ticks: Sequence[Batches], model: nn.Module) -> Callable[[], Any]:
    """Train the plain average by hand, with one forward and one backward pass per objective."""
    return _by_hand(ticks, model, lambda batches: batches)


def one_pass(ticks: Sequence[Batches], model: nn.Module) -> Callable[[], Any]:
    """Train the plain average by hand, with one forward and one backward pass over everything."""

    def joined(batches: Batches) -> Batches:
        x, y = (torch.cat(column) for column in zip(*batches, strict=True))
        return [(x, y)]

    return _by_hand(ticks, model, joined)


def emgd_by_hand(ticks: Sequence[Batches], model: MLP) -> Callable[[], Any]:
    """Do EMGD's arithmetic and nothing else: what a loop could cost at least.

    One pass over prepared minibatches, a product for each layer and objective, Gramian, factors and
    dual, weighted sum, optimizer; no stream, memory, mask, engine or strategy. As in the engine,
    many gradients by the first layer's weight are in a piece of memory of their own.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    lengths = [p.numel() for p in model.parameters()]

    def pieces_of(n: int) -> list[Tensor]:
        apart = 0 if n < MANY else lengths[0]
        return [torch.empty(n, size) for size in (apart, sum(lengths) - apart) if size]

    def write(batches: Batches, pieces: Sequence[Tensor]) -> None:
        x, y = (torch.cat(column) for column in zip(*batches, strict=True))
        sizes = [len(y) for _, y in batches]
        inputs, outputs = [x.flatten(1)], []
        for layer in layers[:-1]:
            outputs.append(layer(inputs[-1]))
            inputs.append(torch.relu(outputs[-1]))
        outputs.append(layers[-1](inputs[-1]))
        losses = cross_entropy(outputs[-1], y, reduction="none").split(sizes)
        slopes = torch.autograd.grad(sum(loss.mean() for loss in losses), outputs)
        n, (*apart, rest) = len(batches), pieces
        places = iter([*apart, *rest.split(lengths[len(apart) :], dim=1)])
        for into, back in zip(inputs, slopes, strict=True):
            weights = next(places).view(n, back.shape[1], into.shape[1])
            pairs = list(zip(into.detach().split(sizes), back.split(sizes), strict=True))
            if len(set(sizes)) == 1:
                one, other = (t.detach().view(n, sizes[0], -1) for t in (into, back))
                if n < MANY or weights.is_contiguous():
                    torch.bmm(other.transpose(1, 2), one, out=weights)
                else:
                    weights.copy_(torch.bmm(other.transpose(1, 2), one))
                torch.sum(other, dim=1, out=next(places))
            else:
                for weight, (one, other) in zip(weights, pairs, strict=True):
                    torch.mm(other.T, one, out=weight)
                torch.stack([other.sum(0) for _, other in pairs], out=next(places))

    return _emgd_with(ticks, model, pieces_of, write)


def emgd_passes_by_hand(ticks: Sequence[Batches], model: nn.Module) -> Callable[[], Any]:
    """Do EMGD's arithmetic with one pass for each objective, and nothing else."""
    parameters = list(model.parameters())
    size = sum(p.numel() for p in parameters)

    def pieces_of(n: int) -> list[Tensor]:
        return [torch.empty(n, size)]

    def write(batches: Batches, pieces: Sequence[Tensor]) -> None:
        for row, (x, y) in zip(pieces[0], batches, strict=True):
            found = torch.autograd.grad(cross_entropy(model(x), y), parameters)
            torch.cat([each.reshape(-1) for each in found], out=row)

    return _emgd_with(ticks, model, pieces_of, write)


def _emgd_with(
    ticks: Sequence[Batches],
    model: nn.Module,
    pieces_of: Callable[[int], list[Tensor]],
    write: Callable[[Batches, Sequence[Tensor]], None],
) -> Callable[[], Any]:
    """Do EMGD with gradients that ``write(batches, pieces)`` writes.

    :param pieces_of: from n to what the gradients of n objectives are written to, ``[n, size]``
        each, P in all.
    """
    space, weighting = GradientSpace(model), EMGDWeighting()
    pieces = {n: pieces_of(n) for n in {len(batches) for batches in ticks}}
    gramians = {n: GramianOf(those) for n, those in pieces.items()}
    used = [True] * len(space.parameters)

    def differentiate(batches: Batches) -> None:
        those, update = pieces[len(batches)], space.update
        write(batches, those)
        weights = weighting(gramians[len(batches)]()).float()
        lengths = [piece.shape[1] for piece in those]
        for piece, into in zip(those, update.split(lengths), strict=True):
            torch.mv(piece.T, weights, out=into)
        space.assign(update, used, accumulate=False)

    return _training(ticks, model, differentiate)


def _by_hand(
    ticks: Sequence[Batches], model: nn.Module, passes_of: Callable[[Batches], Batches]
) -> Callable[[], Any]:
    def differentiate(batches: Batches) -> None:
        passes = passes_of(batches)
        for x, y in passes:
            (cross_entropy(model(x), y) / len(passes)).backward()

    return _training(ticks, model, differentiate)


def _training(
    ticks: Sequence[Batches], model: nn.Module, differentiate: Callable[[Batches], None]
) -> Callable[[], Any]:
    """Train by gradients that ``differentiate`` leaves with the parameters."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

    def train() -> None:
        model.train()
        for batches in ticks:
            optimizer.zero_grad()
            differentiate(batches)
            optimizer.step()

    return train


class PeakBytes(TorchDispatchMode):
    """Most bytes of tensors made within that were alive at one time."""

    def __init__(self) -> None:
        super().__init__()
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        inputs = {id_of(t) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        for leaf in tree_leaves(found):
            if isinstance(leaf, Tensor) and id_of(leaf) not in inputs:
                storage = leaf.untyped_storage()
                self._alive[id_of(leaf)] = (StorageWeakRef(storage), storage.nbytes())
        self._alive = {k: each for k, each in self._alive.items() if not each[0].expired()}
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))
        return found


def most_saved(work: Callable[[], Any]) -> int:
    """Most bytes that graphs have kept for their backward passes at one time."""
    alive: weakref.WeakSet[_Saved] = weakref.WeakSet()
    most = 0

    def pack(tensor: Tensor) -> _Saved:
        nonlocal most
        saved = _Saved(tensor)
        alive.add(saved)
        most = max(most, sum(each.tensor.nbytes for each in alive))
        return saved

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved.tensor):
        work()
    return most


class _Saved:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def id_of(tensor: Tensor) -> int:
    """Identity of the memory of a tensor."""
    return tensor.untyped_storage()._cdata

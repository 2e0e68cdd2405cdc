"""Whole runs of EMGD, beside loops by hand and Avalanche's own replay."""

from __future__ import annotations

import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.supervised import Replay
from torch import nn

from avalanche_emgd import MLP, gradient_diagnostics
from avalanche_emgd.evaluation import BatchedTensorboardLogger

from .by_hand import BY_HAND, emgd_by_hand, one_pass
from .clock import seconds, side_by_side
from .finding import Effort, Finding
from .strategy import emgd
from .streams import emnist_like, with_memory

__all__ = ["whole_runs"]


def whole_runs(effort: Effort) -> Iterator[Finding]:
    """Whole runs beside a loop written by hand and Avalanche's own replay."""
    stream, capacity = emnist_like(effort.samples), 310
    ticks = with_memory(stream, capacity)
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
        [replay, lambda: emgd(stream, MLP(62), memory_size=capacity)], effort.repeats
    )
    what = f"whole run, EMGD, MLP, {effort.samples} samples, no tests"
    detail = (
        f"EMGD {ours:.2f} s, by hand {least:.2f} s, one pass {by_hand:.2f} s, {len(ticks)} ticks"
    )
    yield Finding(what, BY_HAND, ours / least, 1.10, detail=detail)
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

"""EMGD as users call it, and its tick without the loop around it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from avalanche_emgd import EMGDStrategy
from avalanche_emgd.benchmarks import ParallelBenchmark
from avalanche_emgd.gradients import GradientEngine
from avalanche_emgd.optim import EMGDWeighting
from avalanche_emgd.training.gradient_space import GradientSpace

from .streams import Batches

__all__ = ["core_tick", "emgd", "with_step"]


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


def core_tick(
    model: nn.Module, batches: Batches, engine: GradientEngine
) -> Callable[[], tuple[Any, Any]]:
    """Do a tick without loader, memory and callbacks, up to the weighted gradient."""
    weighting, parameters = EMGDWeighting(), list(model.parameters())
    size = sum(p.numel() for p in parameters)
    engine.attach(model)

    def tick() -> tuple[Any, Any]:
        made = engine.forward(lambda batch: model(batch[0]), batches)
        losses = [cross_entropy(o, y) for o, (_, y) in zip(made.outputs, batches, strict=True)]
        gradients = made.gradients(losses, parameters)
        update = gradients.combine(weighting(gradients.gramian(size)), size)
        return gradients, update

    return tick


def with_step(tick: Callable[[], tuple[Any, Any]], model: nn.Module) -> Callable[[], Any]:
    """Let the optimizer follow the weighted gradient; return the objectives' gradients."""
    space = GradientSpace(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

    def whole() -> Any:
        gradients, update = tick()
        space.assign(update, [True] * len(space.parameters), accumulate=False)
        optimizer.step()
        return gradients

    return whole

"""Avalanche's growing modules on parallel streams."""

from __future__ import annotations

from avalanche.models.dynamic_modules import avalanche_model_adaptation
from torch import nn

from ..benchmarks.parallel import ParallelBenchmark

__all__ = ["prepare_heads"]


def prepare_heads(model: nn.Module, benchmark: ParallelBenchmark) -> None:
    """Grow the heads of all tasks beforehand.

    Avalanche's ``MultiTaskModule`` and ``IncrementalClassifier`` grow from experience to
    experience, and refuse experiences with several tasks. Here each of them sees the tasks one by
    one, before training; models without such modules are left as they are. Multi-gradient
    strategies call this themselves.

    :param model: any model; its mode (training or evaluation) is kept.
    :param benchmark: whose tasks and classes the heads are for.
    """
    modes = {name: module.training for name, module in model.named_modules()}
    model.train()
    for experience in benchmark.test_stream:
        avalanche_model_adaptation(model, experience)
    for name, module in model.named_modules():
        module.training = modes.get(name, model.training)

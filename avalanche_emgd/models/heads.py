"""Avalanche's dynamic modules on parallel streams."""

from __future__ import annotations

from avalanche.models.dynamic_modules import avalanche_model_adaptation
from torch import nn

from ..benchmarks.parallel import ParallelBenchmark

__all__ = ["prepare_heads"]


def prepare_heads(model: nn.Module, benchmark: ParallelBenchmark) -> None:
    """Grow the heads of all tasks before training.

    Avalanche's ``MultiTaskModule`` and ``IncrementalClassifier`` grow at each experience, and raise
    an error for experiences with several tasks. This function adapts them to one task at a time.
    Models without such modules do not change. Multi-gradient strategies call this function.

    :param model: any model; its modes (training or evaluation) do not change.
    :param benchmark: benchmark with the tasks and classes of the heads.
    """
    modes = {name: module.training for name, module in model.named_modules()}
    model.train()
    for experience in benchmark.test_stream:
        avalanche_model_adaptation(model, experience)
    for name, module in model.named_modules():
        module.training = modes.get(name, model.training)

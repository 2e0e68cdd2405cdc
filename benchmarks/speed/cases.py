"""All cases of the bench, in their order."""

from __future__ import annotations

from .dual import duals
from .growth import growth
from .memory import peak_memory
from .mlp import small_batches, ticks_of_the_mlp
from .resnet import threads_of_the_resnet, ticks_of_the_full_resnet, ticks_of_the_resnet
from .start_up import start_up
from .study import study
from .whole_runs import whole_runs

__all__ = ["CASES"]

CASES = (
    start_up,
    ticks_of_the_mlp,
    small_batches,
    ticks_of_the_resnet,
    ticks_of_the_full_resnet,
    threads_of_the_resnet,
    whole_runs,
    duals,
    peak_memory,
    growth,
    study,
)
"""Each takes how long it may measure, and yields what it finds."""

"""Trial of a user-defined weighting before training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..benchmarks import SegmentExperience
from ..gradients.random_state import RandomState
from ..optim import ObjectiveWeighting, checked_weights
from .trial_copy import trial_copy

__all__ = ["most_tasks", "probe_weighting"]

_SIZES = (2, 3)


def most_tasks(experiences: Any) -> int:
    """Return the largest number of tasks that are active together; 0 if unknown.

    :param experiences: segments of a parallel benchmark, one segment, or other experiences.
    """
    found = [experiences] if isinstance(experiences, SegmentExperience) else experiences
    if not isinstance(found, Sequence):
        return 0  # a lazy stream
    return max((len(e.task_labels) for e in found if isinstance(e, SegmentExperience)), default=0)


def probe_weighting(weighting: Callable[[Tensor], Tensor], num_tasks: int) -> None:
    """Compute weights for two and for three artificial objectives, and check them.

    The trial uses a copy of the weighting, and restores the global random number generators. State
    that a copy shares with the original, such as a global variable, may still change.

    Some weightings have no trial, and are checked at the first tick, before its update:

    * the weightings of this package;
    * a weighting that cannot be copied, or a function that refers to mutable values;
    * a weighting that raises an error, for example because it expects other names or another number
      of objectives.

    A weighting with a fixed number of weights is an error only if more tasks are active together.

    :param weighting: function from a Gramian ``[n, n]`` to weights ``[n]``.
    :param num_tasks: largest number of tasks that are known to be active together; 0 if unknown.
    :raises ValueError: if the weights are of the wrong shape or dtype, or not finite; the message
        names the weighting.
    """
    trial = trial_copy(weighting)
    if trial is None:
        return
    asked: list[tuple[list[str], Any]] = []
    state = RandomState([], [], thorough=True)
    state.save()
    try:
        for n in _SIZES:
            names = _names(n)
            if isinstance(trial, ObjectiveWeighting):
                trial.set_objectives(names, torch.ones(n), [False] * n)
            asked.append((names, trial(_gramian(n))))
    except Exception:
        return  # The weighting may expect the objectives of the benchmark.
    finally:
        state.restore()
    shapes = {tuple(w.shape) if isinstance(w, Tensor) else None for _, w in asked}
    if len(shapes) == 1 and (shape := shapes.pop()) is not None and len(shape) == 1:
        # The number of weights is fixed, and must be at least the number of active tasks.
        asked = [(_names(max(shape[0], num_tasks)), weights) for _, weights in asked]
    for names, weights in asked:
        checked_weights(weights, names, weighting)


def _names(n: int) -> list[str]:
    return [f"task{i}" for i in range(n)]


def _gramian(n: int) -> Tensor:
    """Make the Gramian ``[n, n]`` float64 of n gradients of lengths near one, without conflicts."""
    gradients = torch.eye(n, dtype=torch.float64) + 0.1 * torch.arange(1.0, n + 1)[:, None] / n
    return gradients @ gradients.T

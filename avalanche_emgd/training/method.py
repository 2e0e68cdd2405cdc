"""What the table says of a method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from avalanche.training.templates import SupervisedTemplate

__all__ = ["Family", "Method"]

Family = Literal["parallel", "weighting", "serial", "bound", "yours"]


@dataclass(frozen=True)
class Method:
    """A continual learning method.

    :param name: name of the method.
    :param family: family of the method: ``"parallel"`` (parallel continual learning),
        ``"weighting"`` (multi-task weighting of gradients or losses), ``"serial"`` (serial
        continual learning), ``"bound"`` (upper bound, not a continual learner) or ``"yours"``.
    :param make: function that makes the strategy: ``make(model, *, optimizer, memory_size, seed,
        device, plugins, evaluator, **settings)``.
    :param about: source of the method, one line.
    :param has_memory: whether the method stores samples.
    """

    name: str
    family: Family
    make: Callable[..., SupervisedTemplate]
    about: str
    has_memory: bool = True

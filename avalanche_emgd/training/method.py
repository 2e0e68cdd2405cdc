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
    :param family: ``"parallel"`` (made for parallel continual learning), ``"weighting"``
        (multi-task weightings of gradients or losses), ``"serial"`` (serial continual learning),
        ``"bound"`` (an upper bound, which is not a continual learner) or ``"yours"``
        (user-defined).
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

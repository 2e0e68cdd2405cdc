"""Functions that make the strategies of the table of methods from the settings of a run.

Each is given a function that finds a class, so that the class is imported when a strategy is made.
The table alone needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import training

if TYPE_CHECKING:
    from avalanche.training.templates import SupervisedTemplate
    from torch import nn

    from ..optim import ElasticFactor
    from .editing import EditingSpec

__all__ = ["emgd", "multi_gradient", "strategy"]

Make = Callable[..., "SupervisedTemplate"]


def strategy(find: Callable[[], Callable[..., Any]]) -> Make:
    """Strategy of a class, whose settings are its arguments."""

    def make(*args: Any, **kwargs: Any) -> SupervisedTemplate:
        return find()(*args, **kwargs)

    return make


def multi_gradient(find: Callable[[], Callable[..., Any]], **fixed: Any) -> Make:
    """Multi-gradient strategy; settings are its weighting's, and ``memory_editing``.

    :param fixed: arguments of the strategy.
    """

    def make(model: nn.Module, settings: dict[str, Any], **arguments: Any) -> SupervisedTemplate:
        weighting = find()(**settings)
        return training.MultiGradientTemplate(model, weighting=weighting, **arguments, **fixed)

    return _apart(make)


def emgd(find: Callable[[], type[ElasticFactor]], **fixed: Any) -> Make:
    """EMGD; settings are those of its elastic factors, and ``memory_editing``.

    :param fixed: settings of the elastic factors that a run does not choose.
    """

    def make(model: nn.Module, settings: dict[str, Any], **arguments: Any) -> SupervisedTemplate:
        elastic = find()(**fixed, **settings)
        return training.EMGDStrategy(model, elastic=elastic, **arguments)

    return _apart(make)


def _apart(make: Callable[..., SupervisedTemplate]) -> Make:
    """Tell the arguments of every multi-gradient strategy apart from settings of one method."""

    def make_from_all(
        model: nn.Module,
        *,
        optimizer: Any,
        memory_size: int,
        seed: int,
        device: str,
        plugins: Any,
        evaluator: Any,
        memory_editing: EditingSpec | None = None,
        **settings: Any,
    ) -> SupervisedTemplate:
        return make(
            model,
            settings,
            optimizer=optimizer,
            memory_size=memory_size,
            memory_editing=memory_editing,
            seed=seed,
            device=device,
            plugins=plugins,
            evaluator=evaluator,
        )

    return make_from_all

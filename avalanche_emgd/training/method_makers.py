"""Functions that make the strategies of the table of methods from the settings of a run.

Each function takes a callable that imports a class, so that the import happens when a strategy is
made. The table itself does not import torch.
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
    """Return a function that makes a strategy; settings are arguments of the strategy's class.

    :param find: callable that imports the class of the strategy.
    """

    def make(*args: Any, **kwargs: Any) -> SupervisedTemplate:
        return find()(*args, **kwargs)

    return make


def multi_gradient(find: Callable[[], Callable[..., Any]], **fixed: Any) -> Make:
    """Return a function that makes a multi-gradient strategy.

    Settings are those of the weighting, and ``memory_editing``.

    :param find: callable that imports the class of the weighting.
    :param fixed: arguments of the strategy.
    """

    def make(model: nn.Module, settings: dict[str, Any], **arguments: Any) -> SupervisedTemplate:
        weighting = find()(**settings)
        return training.MultiGradientTemplate(model, weighting=weighting, **arguments, **fixed)

    return _apart(make)


def emgd(find: Callable[[], type[ElasticFactor]], **fixed: Any) -> Make:
    """Return a function that makes an EMGD strategy.

    Settings are those of the elastic factors, and ``memory_editing``.

    :param find: callable that imports the class of the elastic factors.
    :param fixed: settings of the elastic factors that a run cannot change.
    """

    def make(model: nn.Module, settings: dict[str, Any], **arguments: Any) -> SupervisedTemplate:
        elastic = find()(**fixed, **settings)
        return training.EMGDStrategy(model, elastic=elastic, **arguments)

    return _apart(make)


def _apart(make: Callable[..., SupervisedTemplate]) -> Make:
    """Separate the arguments of all multi-gradient strategies from the settings of one method."""

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

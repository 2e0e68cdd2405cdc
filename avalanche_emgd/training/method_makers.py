"""Functions that make the strategies of the table of methods from the settings of a run.

Each function takes callables that import classes, so that the import happens when a strategy is
made. The table itself does not import torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import optim, training

if TYPE_CHECKING:
    from avalanche.training.templates import SupervisedTemplate
    from torch import nn

    from ..optim import ElasticFactor

__all__ = ["INGREDIENTS", "composed", "emgd", "recommended", "strategy"]

Make = Callable[..., "SupervisedTemplate"]
Find = Callable[[], Callable[..., Any]]

INGREDIENTS = (
    "memory_objectives",
    "memory_loss",
    "competition",
    "memory_selection",
    "memory_retrieval",
    "memory_editing",
    "memory_augmentation",
    "tested_weights",
)
"""Options of every multi-gradient strategy that are settings of a run, too."""


def strategy(find: Find) -> Make:
    """Return a function that makes a strategy; settings are arguments of the strategy's class.

    :param find: callable that imports the class of the strategy.
    """

    def make(*args: Any, **kwargs: Any) -> SupervisedTemplate:
        return find()(*args, **kwargs)

    return make


def composed(weighting: Find, *, memory_objectives: str | None = None, **parts: Find) -> Make:
    """Return a function that makes a multi-gradient strategy from a weighting and ingredients.

    Settings are those of the ingredients, those of the weighting, and further ingredients.

    :param weighting: callable that imports the class of the weighting.
    :param memory_objectives: objectives of the memory, see :class:`StrategyOptions`.
    :param parts: options of the strategy that a run cannot change; for each option, a callable that
        imports the class of its value.
    """

    def make(model: nn.Module, settings: dict[str, Any], **arguments: Any) -> SupervisedTemplate:
        fixed: dict[str, Any] = {}
        if memory_objectives is not None:
            fixed["memory_objectives"] = memory_objectives
        for option, find in parts.items():
            part = find()
            own = [name for name in inspect.signature(part).parameters if name in settings]
            fixed[option] = part(**{name: settings.pop(name) for name in own})
        for option in fixed:
            if option in arguments and arguments[option] != fixed[option]:
                raise TypeError(
                    f"`{option}` cannot be chosen: it is {fixed[option]!r} in this method."
                )
        if not arguments["memory_size"]:
            fixed.pop("memory_editing", None)  # there is nothing to edit
        return training.MultiGradientTemplate(
            model, weighting=weighting()(**settings), **{**arguments, **fixed}
        )

    return _apart(make)


def emgd(find: Callable[[], type[ElasticFactor]], **fixed: Any) -> Make:
    """Return a function that makes an EMGD strategy.

    Settings are those of the elastic factors, and ingredients.

    :param find: callable that imports the class of the elastic factors.
    :param fixed: settings of the elastic factors that a run cannot change.
    """

    def make(model: nn.Module, settings: dict[str, Any], **arguments: Any) -> SupervisedTemplate:
        elastic = find()(**fixed, **settings)
        return training.EMGDStrategy(model, elastic=elastic, **arguments)

    return _apart(make)


def recommended() -> Make:
    """Return a function that makes EMGD with the recommended ingredients.

    Settings are those of GMC, and ingredients.
    """

    def make(model: nn.Module, settings: dict[str, Any], **arguments: Any) -> SupervisedTemplate:
        chosen = {"exponent": 1.0, "decay": 0.0, "lower_bound": 0.0, **settings}
        elastic = optim.GMC(**chosen)
        return training.EMGDStrategy.recommended(model, elastic=elastic, **arguments)

    return _apart(make)


def gmed_editing() -> Callable[..., Any]:
    """Return a function that makes the memory editing of GMED."""
    from .editing import MemoryEditing

    def edit(step: float = 0.1, radius: float = 1.0, beta: float = 0.01) -> MemoryEditing:
        return MemoryEditing("gmed", step=step, radius=radius, settings={"beta": beta})

    return edit


def er_ace_competition() -> Callable[..., Any]:
    """Return a function that makes the competition of ER-ACE."""
    from .ingredients import Asymmetric

    return partial(Asymmetric, share=1.0, among="incoming")


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
        **settings: Any,
    ) -> SupervisedTemplate:
        ingredients = {name: settings.pop(name) for name in INGREDIENTS if name in settings}
        return make(
            model,
            settings,
            optimizer=optimizer,
            memory_size=memory_size,
            seed=seed,
            device=device,
            plugins=plugins,
            evaluator=evaluator,
            **ingredients,
        )

    return make_from_all

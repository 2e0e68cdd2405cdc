"""Methods by name: what a run, a study or the command line can be asked for."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from avalanche.training.templates import SupervisedTemplate
from torch import nn

from ..optim import EGDA, GMC, GS, Constant, ElasticFactor
from .baselines import AvgGradStrategy
from .emgd import EMGDStrategy

__all__ = ["METHODS", "Family", "Method", "find_method", "make_method"]

Family = Literal["parallel", "weighting", "serial", "bound", "yours"]


@dataclass(frozen=True)
class Method:
    """A way to learn a stream.

    :param name: what it is called.
    :param family: ``"parallel"`` (made for parallel continual learning), ``"weighting"``
        (multi-task weightings of gradients or losses), ``"serial"`` (serial continual learning),
        ``"bound"`` (not a continual learner: what one would get at best) or ``"yours"``.
    :param make: ``make(model, *, optimizer, memory_size, seed, device, plugins, evaluator,
        **settings)`` gives the strategy.
    :param about: where it comes from, in a line.
    """

    name: str
    family: Family
    make: Callable[..., SupervisedTemplate]
    about: str


def _emgd(factor: type[ElasticFactor]) -> Callable[..., EMGDStrategy]:
    """EMGD whose settings are those of its elastic factors."""

    def make(
        model: nn.Module,
        *,
        optimizer: Any,
        memory_size: int,
        seed: int,
        device: str,
        plugins: Any,
        evaluator: Any,
        **settings: Any,
    ) -> EMGDStrategy:
        return EMGDStrategy(
            model,
            optimizer=optimizer,
            elastic=factor(**settings),
            memory_size=memory_size,
            seed=seed,
            device=device,
            plugins=plugins,
            evaluator=evaluator,
        )

    return make


_ALL = (
    Method("emgd-gmc", "parallel", _emgd(GMC), "EMGD by gradient magnitude change"),
    Method("emgd-gs", "parallel", _emgd(GS), "EMGD by gradient similarity"),
    Method("egda", "parallel", _emgd(EGDA), "softmax factors"),
    Method("mgda", "weighting", _emgd(Constant), "all factors equal"),
    Method("avg", "weighting", AvgGradStrategy, "plain average"),
)

METHODS: Mapping[str, Method] = {method.name: method for method in _ALL}
"""The built-in methods, in the order of tables."""


def find_method(name: str) -> Method:
    """Look a method up.

    :param name: of a built-in method, or ``module:callable`` for one of your own, with the
        signature of :attr:`Method.make`. The module must be importable: installed, or in a folder
        of ``PYTHONPATH``.
    :raises ValueError: if there is none of that name; says which there are.
    """
    if name in METHODS:
        return METHODS[name]
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise ValueError(
            f"`method` must be one of {', '.join(METHODS)}, or module:callable for one of your "
            f"own, found {name!r}."
        )
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"`method` {name!r} cannot be imported: {error}. Its module must be installed, or in "
            "a folder of PYTHONPATH."
        ) from error
    if not callable(found):
        raise ValueError(f"`method` {name!r} is not callable: {found!r}.")
    about = (inspect.getdoc(found) or "").partition("\n")[0]
    return Method(name, "yours", found, about)


def make_method(
    name: str, model: nn.Module, settings: Mapping[str, Any], **arguments: Any
) -> SupervisedTemplate:
    """Make the strategy of a method.

    :param name: see :func:`find_method`.
    :param model: to be trained.
    :param settings: of the method.
    :param arguments: ``optimizer``, ``memory_size``, ``seed``, ``device``, ``plugins`` and
        ``evaluator``.
    :raises ValueError: if the method is not known, or its settings are wrong.
    """
    method = find_method(name)
    try:
        strategy = method.make(model, **arguments, **settings)
    except TypeError as error:
        raise ValueError(
            f"`method` {name!r} cannot be made with the settings {dict(settings)!r}: {error}"
        ) from error
    if not isinstance(strategy, SupervisedTemplate):
        raise ValueError(
            f"`method` {name!r} must return an Avalanche strategy (a SupervisedTemplate), found "
            f"{type(strategy).__name__}."
        )
    return strategy

"""Methods by name, for runs, studies and the command line."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._imports import find_callable
from .._near import known_words
from .._text_files import excerpt
from .method import Family, Method
from .method_table import METHODS

if TYPE_CHECKING:
    from avalanche.training.templates import SupervisedTemplate
    from torch import nn

__all__ = ["METHODS", "Family", "Method", "find_method", "make_method"]


def find_method(name: str) -> Method:
    """Find a method by its name.

    :param name: name of a built-in method, or ``module:callable`` for a user-defined one with the
        signature of ``Method.make``. The module is installed, or lies in a folder of
        ``PYTHONPATH``.
    :raises ValueError: if the name is unknown; the message lists the built-in methods.
    """
    if name in METHODS:
        return METHODS[name]
    if ":" not in name:
        raise ValueError(
            f"`method` {excerpt(name)} is unknown.{known_words(name[:80], list(METHODS))}, and "
            "module:callable for one of your own."
        )
    found = find_callable(name, "method")
    about = (inspect.getdoc(found) or "").partition("\n")[0]
    return Method(name, "yours", found, about)


def make_method(
    name: str, model: nn.Module, settings: Mapping[str, Any], **arguments: Any
) -> SupervisedTemplate:
    """Make the strategy of a method.

    :param name: name of the method, as for :func:`find_method`.
    :param model: model to train.
    :param settings: settings of the method.
    :param arguments: arguments ``optimizer``, ``memory_size``, ``seed``, ``device``, ``plugins``
        and ``evaluator``.
    :raises ValueError: if the method is unknown, or its settings are wrong.
    """
    from avalanche.training.templates import SupervisedTemplate

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

"""Strategies that take the model as a positional argument."""

from __future__ import annotations

from typing import Any

from avalanche.training.templates.base import BaseTemplate


class ModelIsPositional:
    """Lets strategies take the model as a positional argument.

    Avalanche's ``BaseTemplate`` wraps the constructors of its subclasses to warn of every
    positional argument. All others of ours are keyword-only, as it wants them.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super(BaseTemplate, cls).__init_subclass__(**kwargs)

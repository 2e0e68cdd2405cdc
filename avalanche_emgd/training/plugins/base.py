"""Callbacks of multi-gradient strategies beyond Avalanche's own."""

from __future__ import annotations

from typing import Any

from avalanche.core import SupervisedPlugin

__all__ = ["MultiGradientPlugin"]


class MultiGradientPlugin(SupervisedPlugin):
    """Base class of plugins that read or change the gradients of the objectives.

    The class adds two callbacks between the gradients and the update, and one after each tick.
    """

    def before_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Run after ``strategy.gradients`` and ``strategy.gramian`` are computed."""

    def after_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Run after ``strategy.weights`` are computed, before the update."""

    def after_tick(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Run after all other callbacks of a tick, when ``strategy.state_dict()`` is whole."""

"""Callbacks of multi-gradient strategies beyond Avalanche's own."""

from __future__ import annotations

from typing import Any

from avalanche.core import SupervisedPlugin

__all__ = ["MultiGradientPlugin"]


class MultiGradientPlugin(SupervisedPlugin):
    """Base class of plugins that look at, or act on, the gradients of the objectives.

    Beside Avalanche's callbacks there are two more, between the gradients and the update:
    """

    def before_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Call when ``strategy.gradients`` and ``strategy.gramian`` are known."""

    def after_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Call when ``strategy.weights`` are known too, before the update."""

"""The model that tests use: the trained one, or an average of its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from torch import nn

from .ingredients.averaging import AveragedWeightsPlugin

__all__ = ["TestedModel"]


class _HasModel(Protocol):
    model: nn.Module


class TestedModel:
    """Puts the average of the weights in the place of a strategy's model while a test lasts.

    :param averaged: plugin that averages the weights; ``None`` if tests use the trained model.
    """

    __test__ = False  # keeps pytest from collecting the class by its name

    def __init__(self, averaged: AveragedWeightsPlugin | None) -> None:
        self._averaged = averaged
        self.trained: nn.Module | None = None
        """Trained model while the average is in its place; ``None`` otherwise."""

    def __getstate__(self) -> dict[str, Any]:
        """State outside of a test."""
        return {**vars(self), "trained": None}

    def of(self, model: nn.Module) -> nn.Module:
        """Model that tests use.

        :param model: present model of the strategy.
        """
        if self._averaged is None or self.trained is not None:
            return model
        return self._averaged.model_for(model)

    @contextmanager
    def in_place(self, strategy: _HasModel) -> Iterator[None]:
        """Exchange ``strategy.model`` for the tested model within the context."""
        trained, tested = strategy.model, self.of(strategy.model)
        if tested is trained:
            yield
            return
        self.trained, strategy.model = trained, tested
        try:
            yield
        finally:
            strategy.model, self.trained = self.trained, None

    def adapted(self, adapt: Callable[[nn.Module], nn.Module]) -> nn.Module | None:
        """Grow the trained model in a test, and then the average; ``None`` outside of tests.

        :param adapt: grows a model and returns it.
        :return: model that tests use.
        """
        if self._averaged is None or self.trained is None:
            return None
        self.trained = adapt(self.trained)
        return self._averaged.model_for(self.trained).eval()

"""Tests for which another model takes the place of the one that is trained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from .ingredients.averaging import AveragedWeightsPlugin
from .tick_template import TickTemplate

__all__ = ["TestingTemplate"]


class TestingTemplate(TickTemplate):
    """Strategies whose tests may use an average of the weights.

    ``model`` is the average while a test lasts, and the trained model at all other times.
    """

    __test__ = False  # keeps pytest from collecting the class by its name

    averaged_weights: AveragedWeightsPlugin | None = None
    """What averages the weights, if tests use an average."""
    _trained_model: nn.Module | None = None  # while another one is tested

    @property
    def tested_model(self) -> nn.Module:
        """Model that tests use; its weights are those that ``tested_weights`` says."""
        if self.averaged_weights is None or self._trained_model is not None:
            return self.model
        return self.averaged_weights.model_for(self.model)

    def eval(self, experiences: Any, **kwargs: Any) -> Any:
        """Test on a stream or an experience, see Avalanche's ``BaseTemplate``.

        :raises TypeError: for a whole benchmark.
        """
        with self._testing():
            return super().eval(experiences, **kwargs)

    @contextmanager
    def _testing(self) -> Iterator[None]:
        trained, tested = self.model, self.tested_model
        if tested is trained:
            yield
            return
        self._trained_model, self.model = trained, tested
        try:
            yield
        finally:
            self.model, self._trained_model = self._trained_model, None

    def model_adaptation(self, model: nn.Module | None = None) -> nn.Module:
        """Grow Avalanche's dynamic modules; in tests, first those of the trained model.

        :param model: model in place of the strategy's.
        """
        if model is not None or self._trained_model is None or self.averaged_weights is None:
            return super().model_adaptation(model)
        self._trained_model = super().model_adaptation(self._trained_model)
        return self.averaged_weights.model_for(self._trained_model).eval()

    def _state_between_experiences(self) -> dict[str, Any]:
        state = super()._state_between_experiences()
        if self._trained_model is None:
            return state
        return {**state, "model": self._trained_model, "_trained_model": None}

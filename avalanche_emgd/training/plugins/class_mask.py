"""The scenario's class mask for Avalanche's own strategies."""

from __future__ import annotations

from typing import Any

from avalanche.core import SupervisedPlugin
from avalanche.training import JointTraining

from ...evaluation.numbered_metrics import warn_of_numbered_metrics
from ...models import ClassMask

__all__ = ["ClassMaskPlugin"]


class ClassMaskPlugin(SupervisedPlugin):
    """Masks the logits of Avalanche's own strategies as the scenario asks.

    Multi-gradient strategies do so themselves; others need this plugin to be comparable. Outputs
    that a strategy computes besides ``mb_output`` stay unmasked.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mask = ClassMask()
        self._eval_mask = ClassMask()

    def before_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Look up which classes compete."""
        warn_of_numbered_metrics(strategy.evaluator, strategy.experience)
        self._mask.observe(strategy.experience, all_started=isinstance(strategy, JointTraining))

    def before_eval_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Look up which classes compete."""
        self._eval_mask = self._mask.for_evaluation(strategy.experience)

    def after_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Mask the training outputs; the classes of what is replayed have started."""
        self._mask.admit(strategy.mb_y, strategy.mb_task_id)
        strategy.mb_output = self._mask(strategy.mb_output, strategy.mb_task_id)

    def after_eval_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Mask the test outputs."""
        strategy.mb_output = self._eval_mask(strategy.mb_output, strategy.mb_task_id)

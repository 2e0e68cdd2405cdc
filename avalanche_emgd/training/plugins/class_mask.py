"""The scenario's class mask for Avalanche's own strategies."""

from __future__ import annotations

from typing import Any

from avalanche.core import SupervisedPlugin
from avalanche.training import JointTraining

from ...evaluation.numbered_metrics import warn_of_numbered_metrics
from ...models import ClassMask

__all__ = ["ClassMaskPlugin"]


class ClassMaskPlugin(SupervisedPlugin):
    """Mask, by the scenario, of the logits of Avalanche's own strategies.

    Multi-gradient strategies have such a mask already. Other strategies need this plugin for
    comparable results. Outputs of a strategy other than ``mb_output`` are not masked.
    """

    def __init__(self) -> None:
        super().__init__()
        self._mask = ClassMask()
        self._eval_mask = ClassMask()

    def before_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Set the competing classes of the training experience."""
        warn_of_numbered_metrics(strategy.evaluator, strategy.experience)
        self._mask.observe(strategy.experience, all_started=isinstance(strategy, JointTraining))

    def before_eval_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Set the competing classes of the evaluated experience."""
        self._eval_mask = self._mask.for_evaluation(strategy.experience)

    def after_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Mask the training outputs; the classes of replayed samples compete, too."""
        self._mask.admit(strategy.mb_y, strategy.mb_task_id)
        strategy.mb_output = self._mask(strategy.mb_output, strategy.mb_task_id)

    def after_eval_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Mask the test outputs."""
        strategy.mb_output = self._eval_mask(strategy.mb_output, strategy.mb_task_id)

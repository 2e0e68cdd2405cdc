"""LwF: distillation from an earlier copy of the model."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.models.utils import is_multi_task_module
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ..._numbers import check_not_negative, check_positive
from ...benchmarks import Part, SegmentExperience
from ..distillation import distillation
from ..options import StrategyOptions
from .memory_free import MemoryFreeStrategy
from .teacher import Teacher

__all__ = ["LwFStrategy"]


class LwFStrategy(MemoryFreeStrategy):
    r"""Learning without forgetting (Li and Hoiem, ECCV 2016), without memory.

    Let z be the model's logits of a task's samples, and z′ the logits of a frozen copy. The loss of
    each active task has the additional term

    .. math:: \alpha T^2 \sum_G \mathrm{KL}\bigl(\mathrm{softmax}(z'_G / T) \,\big\|\,
        \mathrm{softmax}(z_G / T)\bigr)

    averaged over the samples, with logits before the scenario's mask. The factor T² keeps the size
    of the gradient independent of T (Hinton et al. 2015); the authors omit it. The copy is renewed
    at the end of each segment in which a task finishes.

    In the task scenario, the classes of each finished task form a group G. In the class scenario,
    and on ordinary benchmarks, all classes of finished tasks form one group. Classes of active
    tasks are learned from labels alone.

    Avalanche's ``LwFPlugin`` distils the outputs of the strategy, which are masked here. In the
    task scenario, the mask covers exactly the classes to distil.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``. The argument
    ``memory_size`` has no effect.

    :param alpha: weight of the distillation, ≥ 0.
    :param temperature: temperature T > 0.
    :raises ValueError: if the model is an Avalanche multi-task module, which computes the logits of
        the sample's own task only.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        alpha: float = 1.0,
        temperature: float = 2.0,
        **options: Unpack[StrategyOptions],
    ) -> None:
        check_not_negative("alpha", alpha)
        check_positive("temperature", temperature)
        if is_multi_task_module(model):
            raise ValueError(
                f"`model` {type(model).__name__} computes the logits of a sample's own task only, "
                "and LwF distils those of finished tasks: use a model with one output layer."
            )
        super().__init__(model, optimizer=optimizer, **options)
        self.alpha = alpha
        self.temperature = temperature
        self._teacher = Teacher()

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Compute the loss of the labels plus the distillation."""
        loss = super().objective_loss(output, part)
        if self._teacher.model is None:
            return loss
        at = slice(part.start, part.stop)
        before = self._teacher.logits(self.mb_x[at], self.mb_task_id[at])
        now = self.raw_outputs[self.mbatch.parts.index(part)]
        return loss + self.alpha * self._distillation(now, before)

    def _distillation(self, now: Tensor, before: Tensor) -> Tensor:
        experience = self.experience
        groups = [self._teacher.classes]
        if isinstance(experience, SegmentExperience) and experience.benchmark.scenario == "task":
            groups = list(self._teacher.tasks.values())
        terms = [distillation(now[:, g], before[:, g], self.temperature) for g in groups]
        return torch.stack(terms).sum()

    def _after_training_exp(self, **kwargs: Any) -> None:
        super()._after_training_exp(**kwargs)
        self._teacher.observe(self.model, self.experience)

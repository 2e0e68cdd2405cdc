"""MDMT-R: logits from angles, with margins between classes and between tasks."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...benchmarks import Part, SegmentExperience
from ...models import is_masked
from ...models.cosine import shift_angle, use_cosine_classifier
from ...optim.peers import ERWeighting
from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["MDMTRStrategy"]


class MDMTRStrategy(MultiGradientTemplate):
    r"""Multi-domain multi-task rehearsal (Lyu et al., AAAI 2021).

    The constructor replaces the model's linear classifier in place by a cosine classifier with
    logits s · cos θ_k. The weight remains the same parameter, so the optimizer continues to train
    it. In training, for the active tasks and for the memory, the angles have margins at two levels.
    With y the sample's class, the logits are

    .. math:: s\cos(\theta_y + m_c), \qquad s\cos\theta_k \ \text{(same task)}, \qquad
        s\cos(\theta_k - m_t) \ \text{(other tasks)}

    A sample must be nearer to its class than to other classes. The margin is m_c for classes of its
    task, and m_c + m_t for classes of other tasks. This is an interpretation of the paper's
    two-level angular margin loss. The optional episodic distillation of the paper is left out.
    Predictions have no margins. The update is half the memory's gradient plus half the mean
    gradient of the active tasks.

    Only m_c has an effect in the task scenario, because the classes of other tasks are masked. The
    same holds on ordinary benchmarks, which do not define the task of a class.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting``.

    :param scale: largest logit s > 0.
    :param class_margin: margin m_c in radians, in [0, π/2].
    :param task_margin: margin m_t in radians, in [0, π/2].
    :raises ValueError: if the model has no single linear classifier.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        scale: float = 20.0,
        class_margin: float = 0.05,
        task_margin: float = 0.05,
        **options: Unpack[StrategyOptions],
    ) -> None:
        for name, value in (("class_margin", class_margin), ("task_margin", task_margin)):
            if not 0.0 <= value <= math.pi / 2:
                raise ValueError(f"`{name}` must be in [0, π/2], found {value!r}.")
        use_cosine_classifier(model, scale)
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)
        self.scale = scale
        self.class_margin = class_margin
        self.task_margin = task_margin
        self._task_of: Tensor | None = None

    def _before_training_exp(self, **kwargs: Any) -> None:
        super()._before_training_exp(**kwargs)
        self._task_of = None
        if isinstance(self.experience, SegmentExperience):
            benchmark = self.experience.benchmark
            task_of = torch.full((benchmark.num_classes,), -1)
            for task, labels in enumerate(benchmark.label_sets):
                task_of[list(labels)] = task
            self._task_of = task_of.to(self.device)

    def label_loss(self, output: Tensor, part: Part) -> Tensor:
        """Compute the loss of the logits with margins; other losses see logits without them."""
        return super().label_loss(
            self.with_margins(output, self.mb_y[part.start : part.stop]), part
        )

    def with_margins(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Add the margins to logits; masked logits stay masked.

        :param logits: logits s · cos θ_k, ``[B, K]``.
        :param labels: class labels y, ``[B]``.
        :return: logits with margins, ``[B, K]``.
        """
        masked = is_masked(logits)
        cosine = logits.masked_fill(masked, 0.0) / self.scale
        own = nn.functional.one_hot(labels, logits.shape[1]).bool()
        moved = torch.where(own, shift_angle(cosine, self.class_margin), cosine)
        if self._task_of is not None:
            width = len(self._task_of)
            others = torch.zeros_like(own)
            others[:, :width] = self._task_of != self._task_of[labels][:, None]
            # cos(θ − m) = −cos((π − θ) + m)
            moved = torch.where(others, -shift_angle(-cosine, self.task_margin), moved)
        return torch.where(masked, logits, self.scale * moved)

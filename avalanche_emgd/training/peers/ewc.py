"""EWC: a penalty on parameters by their Fisher information."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import default_collate
from typing_extensions import Unpack

from ..._numbers import check_not_negative, check_whole
from ...benchmarks.experience import finishing_objectives, objective_names
from ...gradients.flat_gradient import flat_gradient
from ...models import evaluation_mode
from ..delivered_samples import indices_by_task
from ..options import StrategyOptions
from .quadratic_penalty import QuadraticPenaltyStrategy

__all__ = ["EWCStrategy"]


class EWCStrategy(QuadraticPenaltyStrategy):
    r"""Elastic weight consolidation (Kirkpatrick et al., PNAS 2017), without memory.

    At the end of each task, a quadratic penalty is added that keeps the parameters near their
    current values. Its weights are the diagonal of the task's empirical Fisher information,

    .. math:: F = \frac1N \sum_{n=1}^N \bigl(\nabla_\theta\, \ell(f_\theta(x_n), y_n)\bigr)^2

    over single samples of the task, in evaluation mode, with the scenario's class mask. No samples
    are stored, so the samples are those that the task has delivered in its last segment.

    Avalanche's ``EWCPlugin`` adds a penalty after each experience, here a segment with samples of
    several tasks. It squares gradients of minibatches, and does not mask logits.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``. The argument
    ``memory_size`` has no effect.

    :param ewc_lambda: strength of the penalty, ≥ 0. Plain gradient descent diverges above
        2 / (learning rate · largest sum of importances).
    :param fisher_samples: largest number N of samples, ≥ 1, drawn at random by ``seed``.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        ewc_lambda: float = 100.0,
        fisher_samples: int = 256,
        **options: Unpack[StrategyOptions],
    ) -> None:
        check_not_negative("ewc_lambda", ewc_lambda)
        check_whole("fisher_samples", fisher_samples, 1)
        super().__init__(model, optimizer=optimizer, strength=ewc_lambda, **options)
        self.fisher_samples = fisher_samples
        self._generator = torch.Generator().manual_seed(options.get("seed", 0))

    def _after_training_exp(self, **kwargs: Any) -> None:
        super()._after_training_exp(**kwargs)
        finished = finishing_objectives(self.experience)
        names = objective_names(self.experience)
        for task, indices in indices_by_task(self.experience, names).items():
            if names[task] in finished:
                order = torch.randperm(len(indices), generator=self._generator)
                chosen = indices[order[: self.fisher_samples]]
                self.consolidate(self.fisher(chosen.tolist()), self.flat_parameters())

    def fisher(self, indices: list[int]) -> Tensor:
        """Compute the mean of the squared gradients of samples, ``[P]``.

        :param indices: indices of samples in the experience's data set, at least one.
        """
        dataset = self.experience.dataset.eval()
        parameters = self.space.parameters
        total = torch.zeros_like(self.flat_parameters())
        with evaluation_mode(self.model):
            for index in indices:
                sample = [column.to(self.device) for column in default_collate([dataset[index]])]
                x, y = sample[:2]
                labels = sample[2] if len(sample) > 2 else torch.zeros_like(y)
                logits = self._class_mask(self._forward_batch((x, labels)), labels)
                total += flat_gradient(self._criterion(logits, y), parameters).square()
        return total / len(indices)

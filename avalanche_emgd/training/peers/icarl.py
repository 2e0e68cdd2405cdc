"""iCaRL: binary cross-entropy, distillation, and classification by the nearest class mean."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...benchmarks import Part
from ...models import NearestMean, is_masked
from ...optim.peers import ERWeighting
from ..memory import ReplayMemory
from ..options import StrategyOptions
from ..plugins import MemoryObjectives, ReplayMemoryPlugin
from ..templates import MultiGradientTemplate
from .teacher import Teacher

__all__ = ["ICaRLStrategy"]

_FIXED = ("criterion", "memory_loss", "competition", "memory_retrieval", "tested_weights")


class ICaRLStrategy(MultiGradientTemplate):
    r"""iCaRL (Rebuffi et al., CVPR 2017).

    The loss of a sample is binary cross-entropy, summed over the competing classes,

    .. math:: -\sum_k \bigl[q_k \log \operatorname{sigm}(z_k) +
        (1 - q_k) \log(1 - \operatorname{sigm}(z_k))\bigr]

    For classes of finished tasks, q_k is the sigmoid output of a frozen copy of the model. For all
    other classes, q_k is 1 or 0 by the label. The copy is renewed at the end of each segment in
    which a task finishes. The update is half the memory's gradient plus half the mean gradient of
    the active tasks.

    Predictions use the nearest class mean. The strategy's ``model`` is a
    :class:`~avalanche_emgd.models.NearestMean` around the given model, so every evaluation uses
    these predictions. Exemplars of finished tasks are the samples in the replay memory, chosen at
    random as for all other methods, not by herding. Exemplars of active tasks are the samples that
    the memory sets aside. A class in its first segment has no such samples, and its exemplars are
    the samples of the last tick.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``, ``criterion``,
    ``memory_loss``, ``competition``, ``memory_retrieval`` and ``tested_weights``.

    :raises ValueError: without a memory, or if the model has no single linear classifier.
    """

    model: NearestMean

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        if not options.get("memory_size"):
            raise ValueError("`memory_size` must be at least 1: iCaRL predicts by its exemplars.")
        for name in _FIXED:
            if name in options:
                raise ValueError(
                    f"`{name}` cannot be chosen for iCaRL, which has one: leave it out."
                )
        self._teacher = Teacher()
        self._latest: tuple[Tensor, Tensor] | None = None
        super().__init__(
            NearestMean(model, self._exemplars),
            optimizer=optimizer,
            weighting=ERWeighting(),
            **options,
        )

    def make_replay(self, memory: ReplayMemory, objectives: MemoryObjectives) -> ReplayMemoryPlugin:
        """Make the plugin that discards the class means when the memory changes."""
        self.exemplars = memory
        return _ExemplarReplay(memory, objectives)

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Compute the binary cross-entropy with distillation."""
        at = slice(part.start, part.stop)
        competing = ~is_masked(output)
        targets = functional.one_hot(self.mb_y[at], output.shape[1]).to(output.dtype)
        known = self._teacher.classes
        if known and bool(competing[:, known].any()):
            before = self._teacher.logits(self.mb_x[at], self.mb_task_id[at])
            targets[:, known] = before[:, known].sigmoid()
        losses = functional.binary_cross_entropy_with_logits(
            output.masked_fill(~competing, 0.0), targets, reduction="none"
        )
        return (losses * competing).sum(dim=1).mean()

    def optimizer_step(self) -> None:
        """Update the model, and discard its class means."""
        super().optimizer_step()
        self._latest = (self.mbatch.delivered, self.mb_y)
        self.model.refresh()

    def _after_training_exp(self, **kwargs: Any) -> None:
        super()._after_training_exp(**kwargs)
        self._teacher.observe(self.model.model, self.experience)

    def _exemplars(self) -> tuple[Tensor, Tensor]:
        """Return inputs ``[n, ...]`` and class labels ``[n]`` of the exemplars."""
        inputs, labels, _ = self.exemplars.kept()
        if self._latest is None:
            return inputs, labels
        x, y = (tensor.cpu() for tensor in self._latest)
        new = ~torch.isin(y, labels)
        if len(labels) == 0:
            return x[new], y[new]
        return torch.cat([inputs, x[new]]), torch.cat([labels, y[new]])


class _ExemplarReplay(ReplayMemoryPlugin):
    """Plugin that discards the model's class means when the memory changes."""

    def after_training_exp(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Store samples of the experience, and discard the class means."""
        super().after_training_exp(strategy, *args, **kwargs)
        strategy.model.refresh()

"""DER++: the memory also remembers what the model said."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...benchmarks import Part
from ...models import evaluation_mode, is_masked
from ...optim.peers import ERWeighting
from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["DERPPStrategy"]

_CHUNK = 512  # samples per forward pass


class DERPPStrategy(MultiGradientTemplate):
    r"""Dark experience replay ++ (Buzzega et al., NeurIPS 2020).

    When a task's samples enter the memory, which is at the end of its span, the logits z that the
    model then gives them in evaluation mode are stored with them. The memory's loss is

    .. math:: \beta \, \mathrm{CE}(f(x), y) + \alpha \, \overline{(f(x) - z)^2}

    with the mean over the samples and over the classes that competed when z was stored: for later
    ones there is nothing to compare with. Both terms take the same samples, the tick's one
    minibatch from memory, so that no more is replayed than by other methods; the authors draw one
    for each term. Half memory and half the mean of the active tasks gives their ratio of terms.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``, and

    :param alpha: weight of the stored logits, ≥ 0. The authors choose 0.1 to 1 for each benchmark.
    :param beta: weight of the labels, ≥ 0. The authors choose 0.5 or 1.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        alpha: float = 0.3,
        beta: float = 1.0,
        **options: Unpack[StrategyOptions],
    ) -> None:
        for name, value in (("alpha", alpha), ("beta", beta)):
            if not 0.0 <= value < float("inf"):
                raise ValueError(f"`{name}` must be at least 0 and finite, found {value!r}.")
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)
        self.alpha = alpha
        self.beta = beta

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Cross-entropy, and for replayed samples the distance to the stored logits, too."""
        loss = super().objective_loss(output, part)
        if self.memory is None or self.replay is None or part.objective not in self.replay.drawn:
            return loss
        drawn = self.replay.drawn[part.objective]
        stored = self.memory.annotation("logits")[drawn].to(output.device)
        competed = ~is_masked(stored)
        difference = (output[:, : stored.shape[1]] - stored)[competed]
        return self.beta * loss + self.alpha * difference.square().mean()

    def _before_training_exp(self, **kwargs: Any) -> None:
        super()._before_training_exp(**kwargs)
        if self.memory is not None:  # tasks that the experience does not go on with have entered
            self.memory.annotate("logits", self._logits)

    def _after_training_exp(self, **kwargs: Any) -> None:
        super()._after_training_exp(**kwargs)
        if self.memory is not None:
            self.memory.annotate("logits", self._logits)

    @torch.no_grad()
    def _logits(self, x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
        """Masked logits ``[n, K]`` in evaluation mode."""
        pieces = []
        with evaluation_mode(self.model):
            for piece, labels in zip(x.split(_CHUNK), task_labels.split(_CHUNK), strict=True):
                piece, labels = piece.to(self.device), labels.to(self.device)
                pieces.append(self._class_mask(self._forward_batch((piece, labels)), labels))
        return torch.cat(pieces)

"""DER++: experience replay with stored logits."""

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

    The samples of a task enter the memory at the end of its span. At that time the model's logits z
    in evaluation mode are stored with them. The memory's loss is

    .. math:: \beta \, \mathrm{CE}(f(x), y) + \alpha \, \overline{(f(x) - z)^2}

    with the mean over the samples and over the classes that competed when z was stored. Both terms
    use the same minibatch, so that the method replays as many samples as other methods; the authors
    draw one minibatch for each term. The update is half the memory's gradient plus half the mean
    gradient of the active tasks, which gives the authors' ratio of the terms.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting``.

    :param alpha: weight of the stored logits, ≥ 0; 0.1 to 1 in the paper, by benchmark.
    :param beta: weight of the labels, ≥ 0; 0.5 or 1 in the paper.
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
        """Compute the cross-entropy, for replayed samples plus the distance to stored logits."""
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
        if self.memory is not None:  # tasks that the experience does not continue have entered
            self.memory.annotate("logits", self._logits)

    def _after_training_exp(self, **kwargs: Any) -> None:
        super()._after_training_exp(**kwargs)
        if self.memory is not None:
            self.memory.annotate("logits", self._logits)

    @torch.no_grad()
    def _logits(self, x: Tensor, y: Tensor, task_labels: Tensor) -> Tensor:
        """Compute masked logits ``[n, K]`` in evaluation mode."""
        pieces = []
        with evaluation_mode(self.model):
            for piece, labels in zip(x.split(_CHUNK), task_labels.split(_CHUNK), strict=True):
                piece, labels = piece.to(self.device), labels.to(self.device)
                pieces.append(self._class_mask(self._forward_batch((piece, labels)), labels))
        return torch.cat(pieces)

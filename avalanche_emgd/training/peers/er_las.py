"""ER-LAS: experience replay with logits shifted by the log frequencies of the classes."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ..._numbers import check_not_negative, check_whole
from ...benchmarks import Part
from ...models import mask_logits
from ...optim.peers import ERWeighting
from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["ERLASStrategy"]


class ERLASStrategy(MultiGradientTemplate):
    r"""Experience replay with logit adjusted softmax (Huang et al., TMLR 2024).

    The training loss is the cross-entropy of :math:`f(x) + \tau \log \pi`; predictions use f (Menon
    et al., "Long-tail learning via logit adjustment", ICLR 2021). The current frequency of a class
    thus does not bias the model. The vector π has the frequencies of the classes among the samples
    of the last ``window`` ticks, replayed samples included. A class that does not occur does not
    compete.

    The authors give all samples of a tick the same weight. Here the update is half the memory's
    gradient plus half the mean gradient of the active tasks, as for all replay methods. Samples
    enter π with their weights in the update. Both agree if one task is active.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting``.

    :param tau: strength τ ≥ 0 of the adjustment; 1 in the paper, 0 is plain replay.
    :param window: number of ticks, ≥ 1; 1 or 10 in the paper.
    :raises ValueError: if a setting is out of range.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        tau: float = 1.0,
        window: int = 1,
        **options: Unpack[StrategyOptions],
    ) -> None:
        check_not_negative("tau", tau)
        check_whole("window", window, 1)
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)
        self.tau = tau
        self._seen: deque[tuple[Tensor, Tensor]] = deque(maxlen=window)

    def class_frequencies(self, num_classes: int) -> Tensor:
        """Compute the frequencies of the classes in the window, ``[num_classes]``, with sum 1."""
        labels, shares = (torch.cat(each) for each in zip(*self._seen, strict=True))
        counts = torch.zeros(num_classes, device=labels.device)
        return counts.index_add_(0, labels, shares) / shares.sum()

    def label_loss(self, output: Tensor, part: Part) -> Tensor:
        """Compute the cross-entropy of the adjusted logits."""
        if self.tau > 0.0:
            frequencies = self.class_frequencies(output.shape[1]).to(output.dtype)
            present = frequencies > 0.0
            shift = self.tau * torch.where(present, frequencies, 1.0).log()
            output = mask_logits(output + shift, present)
        return super().label_loss(output, part)

    def _before_training_iteration(self, **kwargs: Any) -> None:
        # Retrieval computes losses of the tick's samples before replayed ones are among them.
        self._seen.append(self._labels_and_shares())
        super()._before_training_iteration(**kwargs)

    def _before_forward(self, **kwargs: Any) -> None:
        super()._before_forward(**kwargs)
        self._seen[-1] = self._labels_and_shares()

    def _labels_and_shares(self) -> tuple[Tensor, Tensor]:
        """Class labels of the minibatch, ``[B]``, and weights of the samples, ``[B]``."""
        parts = self.mbatch.parts
        shares = torch.empty(parts[-1].stop, device=self.mb_y.device)
        for part in parts:
            alike = sum(other.replayed == part.replayed for other in parts)
            shares[part.start : part.stop] = 1.0 / (alike * (part.stop - part.start))
        return self.mb_y.clone(), shares

"""ER-LAS: replay with logits that are shifted by the log frequencies of the classes."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...benchmarks import Part
from ...models import mask_logits
from ...optim.peers import ERWeighting
from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["ERLASStrategy"]


class ERLASStrategy(MultiGradientTemplate):
    r"""Experience replay with logit adjusted softmax (Huang et al., TMLR 2024).

    Cross-entropy of :math:`f(x) + \tau \log \pi` in training, and of f in tests (Menon et al.,
    "Long-tail learning via logit adjustment", ICLR 2021): how often a class occurs now does not
    bias the model. π are the frequencies of the classes among the samples of the last ``window``
    ticks, replayed ones included; a class that does not occur does not compete.

    The authors weigh all samples of a tick alike. Here half of the update is the memory's and half
    the mean of the active tasks, as for all methods of replay, and samples count in π with the
    weights that they have in the update. With one active task that is the same.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``, and

    :param tau: τ ≥ 0; 1 in the paper, and 0 is plain replay.
    :param window: ticks, ≥ 1; the authors take 1 or 10.
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
        if not 0.0 <= tau < math.inf:
            raise ValueError(f"`tau` must be at least 0 and finite, found {tau!r}.")
        if window < 1:
            raise ValueError(f"`window` must be at least 1, found {window!r}.")
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)
        self.tau = tau
        self._seen: deque[tuple[Tensor, Tensor]] = deque(maxlen=window)

    def class_frequencies(self, num_classes: int) -> Tensor:
        """Frequencies of the classes in the window, ``[num_classes]``, of the sum one."""
        labels, shares = (torch.cat(each) for each in zip(*self._seen, strict=True))
        counts = torch.zeros(num_classes, device=labels.device)
        return counts.index_add_(0, labels, shares) / shares.sum()

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Cross-entropy of the adjusted logits."""
        if self.tau > 0.0:
            frequencies = self.class_frequencies(output.shape[1]).to(output.dtype)
            present = frequencies > 0.0
            shift = self.tau * torch.where(present, frequencies, 1.0).log()
            output = mask_logits(output + shift, present)
        return super().objective_loss(output, part)

    def _before_forward(self, **kwargs: Any) -> None:
        super()._before_forward(**kwargs)
        parts = self.mbatch.parts
        shares = torch.empty(parts[-1].stop, device=self.mb_y.device)
        for part in parts:
            alike = sum(other.replayed == part.replayed for other in parts)
            shares[part.start : part.stop] = 1.0 / (alike * (part.stop - part.start))
        self._seen.append((self.mb_y.clone(), shares))

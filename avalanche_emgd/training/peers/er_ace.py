"""ER-ACE: current samples compete among the classes that are current."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...benchmarks import Part
from ...models import mask_logits
from ...optim.peers import ERWeighting
from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["ERACEStrategy"]


class ERACEStrategy(MultiGradientTemplate):
    """Experience replay with asymmetric cross-entropy (Caccia et al., ICLR 2022).

    In the loss of the active tasks only the classes compete that are among the incoming samples of
    the tick, those of all active tasks together; so new classes do not push the finished ones'
    logits down. In the loss of the memory all classes compete that the scenario allows. Both are
    added up, half memory and half the mean of the active tasks.

    The authors' memory also holds samples of what is current, which tell its classes from the
    finished ones. Ours holds finished tasks only, as for all other methods: until a task finishes,
    nothing makes its samples prefer its classes to those of finished tasks, so that in the
    class-incremental scenario A_e, taken at that very moment, is low.

    In the task-incremental scenario the classes must be allowed by the scenario, too. A sample's
    own class always competes.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting``.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Cross-entropy over the classes that compete."""
        if not part.replayed:
            incoming = [self.mb_y[p.start : p.stop] for p in self.mbatch.parts if not p.replayed]
            present = torch.zeros(output.shape[1], dtype=torch.bool, device=output.device)
            present[torch.cat(incoming)] = True
            output = mask_logits(output, present)
        return super().objective_loss(output, part)

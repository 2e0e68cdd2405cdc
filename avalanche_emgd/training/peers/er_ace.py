"""ER-ACE: experience replay with asymmetric cross-entropy."""

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

    In the loss of the active tasks, only the classes of the tick's new samples compete, those of
    all active tasks together. New classes thus do not decrease the logits of finished classes. In
    the memory's loss, all classes that the scenario allows compete. The update is half the memory's
    gradient plus half the mean gradient of the active tasks.

    The authors' memory also holds samples of the current classes, which separate them from the
    finished ones. The memory here holds finished tasks only, as for all other methods. Until a task
    finishes, no loss compares its classes with those of finished tasks. In the class scenario, A_e
    is therefore low, because it is measured at the end of the task.

    In the task scenario, the scenario must allow the classes, too. A sample's own class always
    competes.

    The parameters are those of :class:`MultiGradientTemplate` except ``weighting``.
    """

    def __init__(
        self, model: nn.Module, *, optimizer: Optimizer, **options: Unpack[StrategyOptions]
    ) -> None:
        super().__init__(model, optimizer=optimizer, weighting=ERWeighting(), **options)

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Compute the cross-entropy over the competing classes."""
        if not part.replayed:
            incoming = [self.mb_y[p.start : p.stop] for p in self.mbatch.parts if not p.replayed]
            present = torch.zeros(output.shape[1], dtype=torch.bool, device=output.device)
            present[torch.cat(incoming)] = True
            output = mask_logits(output, present)
        return super().objective_loss(output, part)

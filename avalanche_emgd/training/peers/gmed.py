"""GMED: experience replay with images edited by gradients."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from typing_extensions import Unpack

from ...optim.peers import ERWeighting
from ..editing import MemoryEditing
from ..options import StrategyOptions
from ..templates import MultiGradientTemplate

__all__ = ["GMEDStrategy"]


class GMEDStrategy(MultiGradientTemplate):
    """Experience replay with gradient-based memory editing (Jin et al., NeurIPS 2021).

    Edits increase the harm of a look-ahead step on the active tasks to the replayed images
    (``avalanche_emgd.training.editing.rules.GMEDRule``). The authors edit an image before its
    replay. Here the edited image is replayed at its next draw, as in all memory editing. An edited
    image never leaves a ball around its original, in place of the authors' decaying step. The
    update is half the memory's gradient plus half the mean gradient of the active tasks.

    The other parameters are those of :class:`MultiGradientTemplate` except ``weighting`` and
    ``memory_editing``.

    :param step: length of one edit of one image in the L2 norm, > 0.
    :param radius: radius of the ball around the original in the L2 norm, > 0.
    :param beta: weight β ≥ 0 of the current loss, which edits decrease.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        step: float = 0.1,
        radius: float = 1.0,
        beta: float = 0.01,
        **options: Unpack[StrategyOptions],
    ) -> None:
        if "memory_editing" in options:
            raise TypeError(
                "`memory_editing` cannot be chosen for GMED, which has a rule: leave it out."
            )
        editing = MemoryEditing("gmed", step=step, radius=radius, settings={"beta": beta})
        options["memory_editing"] = editing if options.get("memory_size") else None
        super().__init__(
            model,
            optimizer=optimizer,
            weighting=ERWeighting(),
            **options,
        )

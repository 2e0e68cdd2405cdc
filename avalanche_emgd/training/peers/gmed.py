"""GMED: replayed images are made harder to remember."""

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

    Replayed images move towards where a look-ahead step on the active tasks would harm them more
    (``avalanche_emgd.training.editing.rules.GMEDRule``). The authors edit an image before
    they replay it; here an edited image is replayed when it is next drawn, as with all editing, and
    never leaves a ball around its original, which takes the place of their decaying step. Half
    memory and half the mean of the active tasks.

    Takes all parameters of :class:`MultiGradientTemplate` except ``weighting`` and
    ``memory_editing``, and

    :param step: length of one edit of one image in the L2 norm, > 0.
    :param radius: of the ball, > 0.
    :param beta: β ≥ 0: how much of the image's loss as it is is lowered.
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
            raise TypeError("`memory_editing` cannot be chosen: GMED has a rule of its own.")
        editing = MemoryEditing("gmed", step=step, radius=radius, settings={"beta": beta})
        options["memory_editing"] = editing if options.get("memory_size") else None
        super().__init__(
            model,
            optimizer=optimizer,
            weighting=ERWeighting(),
            **options,
        )

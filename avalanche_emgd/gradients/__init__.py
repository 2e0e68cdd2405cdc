"""One gradient per objective of a model, and their Gramian, in PyTorch alone."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .batches import Batches
    from .engine import GradientEngine, Pass
    from .fitness import unfit_for_fusing
    from .fused_engine import FusedEngine
    from .gramian import gramian_of
    from .objective_gradients import ObjectiveGradients, StackedGradients
    from .plain_engine import PlainEngine
    from .rules import gradient_rule

__all__ = [
    "Batches",
    "FusedEngine",
    "GradientEngine",
    "ObjectiveGradients",
    "Pass",
    "PlainEngine",
    "StackedGradients",
    "gradient_rule",
    "gramian_of",
    "unfit_for_fusing",
]

make_lazy(__name__)

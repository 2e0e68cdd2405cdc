"""The mathematics of elastic multi-gradient descent, in PyTorch alone."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .checks import checked_weights
    from .dual import DualSolution, kkt_residual, solve_dual
    from .elastic import CustomFactor, make_elastic_factor
    from .engine import GradientEngine, PlainEngine
    from .factors import EGDA, GMC, GS, Constant, ElasticFactor
    from .fused_engine import FusedEngine
    from .gramian import check_finite, gramian_of
    from .layer_rules import gradient_rule
    from .model_state import unfit_for_fusing
    from .objective_gradients import ObjectiveGradients, StackedGradients
    from .objectives import ObjectiveWeighting
    from .weighting import EMGD, EMGDWeighting

__all__ = [
    "EGDA",
    "EMGD",
    "GMC",
    "GS",
    "Constant",
    "CustomFactor",
    "DualSolution",
    "EMGDWeighting",
    "ElasticFactor",
    "FusedEngine",
    "GradientEngine",
    "ObjectiveGradients",
    "ObjectiveWeighting",
    "PlainEngine",
    "StackedGradients",
    "check_finite",
    "checked_weights",
    "gradient_rule",
    "gramian_of",
    "kkt_residual",
    "make_elastic_factor",
    "solve_dual",
    "unfit_for_fusing",
]

make_lazy(__name__)

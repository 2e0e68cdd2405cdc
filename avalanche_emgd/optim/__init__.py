"""The mathematics of elastic multi-gradient descent, in PyTorch alone."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .checks import check_finite, checked_weights
    from .dual import DualSolution, kkt_residual, solve_dual
    from .elastic import CustomFactor, make_elastic_factor
    from .factors import EGDA, GMC, GS, Constant, ElasticFactor
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
    "ObjectiveWeighting",
    "check_finite",
    "checked_weights",
    "kkt_residual",
    "make_elastic_factor",
    "solve_dual",
]

make_lazy(__name__)

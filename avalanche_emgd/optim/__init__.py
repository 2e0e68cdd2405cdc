"""The mathematics of elastic multi-gradient descent, in PyTorch alone."""

from .dual import DualSolution, kkt_residual, solve_dual
from .engine import GradientEngine, PlainEngine
from .factors import EGDA, GMC, GS, Constant, CustomFactor, ElasticFactor, make_elastic_factor
from .gramian import check_finite, gramian_of
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
    "GradientEngine",
    "ObjectiveWeighting",
    "PlainEngine",
    "check_finite",
    "gramian_of",
    "kkt_residual",
    "make_elastic_factor",
    "solve_dual",
]

"""Weightings of the multi-task and continual learning literature, fit for changing objectives."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .base import PeerWeighting
    from .cr_mogm import CRMOGM
    from .db_mtl import DBMTL
    from .excess_mtl import ExcessMTL
    from .famo import FAMO
    from .gradient_state import GradientStateWeighting
    from .gradvac import GradVac
    from .loss_weighting import DWA, CVWeighting, GradNorm, UncertaintyWeighting
    from .maxdo import MaxDO, asymmetric_distance
    from .nash import NashMTL, nash_weights
    from .replay import AGEMWeighting, ERWeighting, GEMWeighting, MEGAWeighting
    from .spcl import OrthogonalSum
    from .torchjd import IMTLG, RLW, AlignedMTL, CAGrad, FairGrad, PCGrad, Sum, UPGrad

__all__ = [
    "CRMOGM",
    "DBMTL",
    "DWA",
    "FAMO",
    "IMTLG",
    "RLW",
    "AGEMWeighting",
    "AlignedMTL",
    "CAGrad",
    "CVWeighting",
    "ERWeighting",
    "ExcessMTL",
    "FairGrad",
    "GEMWeighting",
    "GradNorm",
    "GradVac",
    "GradientStateWeighting",
    "MEGAWeighting",
    "MaxDO",
    "NashMTL",
    "OrthogonalSum",
    "PCGrad",
    "PeerWeighting",
    "Sum",
    "UPGrad",
    "UncertaintyWeighting",
    "asymmetric_distance",
    "nash_weights",
]

make_lazy(__name__)

"""Published methods as strategies, with the same ticks, samples, memory and masks as EMGD."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .derpp import DERPPStrategy
    from .er_ace import ERACEStrategy
    from .er_las import ERLASStrategy
    from .ewc import EWCStrategy
    from .gmed import GMEDStrategy
    from .graddrop import GradDropStrategy
    from .gss import GSSStrategy
    from .gss_memory import GSSMemory
    from .icarl import ICaRLStrategy
    from .joint import JointStrategy
    from .lwf import LwFStrategy
    from .mdmtr import MDMTRStrategy
    from .memory_free import MemoryFreeStrategy, NaiveStrategy
    from .mir import MIRStrategy
    from .si import SIStrategy
    from .spcl import SPCLStrategy

__all__ = [
    "DERPPStrategy",
    "ERACEStrategy",
    "ERLASStrategy",
    "EWCStrategy",
    "GMEDStrategy",
    "GSSMemory",
    "GSSStrategy",
    "GradDropStrategy",
    "ICaRLStrategy",
    "JointStrategy",
    "LwFStrategy",
    "MDMTRStrategy",
    "MIRStrategy",
    "MemoryFreeStrategy",
    "NaiveStrategy",
    "SIStrategy",
    "SPCLStrategy",
]

make_lazy(__name__)

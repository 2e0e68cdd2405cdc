"""Published methods as strategies, with the same ticks, samples, memory and masks as EMGD."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .er_las import ERLASStrategy
    from .ewc import EWCStrategy
    from .graddrop import GradDropStrategy
    from .icarl import ICaRLStrategy
    from .joint import JointStrategy
    from .lwf import LwFStrategy
    from .mdmtr import MDMTRStrategy
    from .memory_free import MemoryFreeStrategy, NaiveStrategy
    from .si import SIStrategy
    from .spcl import SPCLStrategy

__all__ = [
    "ERLASStrategy",
    "EWCStrategy",
    "GradDropStrategy",
    "ICaRLStrategy",
    "JointStrategy",
    "LwFStrategy",
    "MDMTRStrategy",
    "MemoryFreeStrategy",
    "NaiveStrategy",
    "SIStrategy",
    "SPCLStrategy",
]

make_lazy(__name__)

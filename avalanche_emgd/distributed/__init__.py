"""One gradient per objective on several processes, with the update of one process."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .engine import DistributedEngine
    from .failure import ProcessError
    from .placement import Automatic, ByObjective, BySample, Even, Placement, Share
    from .processes import Processes

__all__ = [
    "Automatic",
    "ByObjective",
    "BySample",
    "DistributedEngine",
    "Even",
    "Placement",
    "ProcessError",
    "Processes",
    "Share",
]

make_lazy(__name__)

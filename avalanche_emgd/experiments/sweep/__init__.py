"""Searches over settings with Optuna, through the runs of studies."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .config import SweepConfig
    from .results import best_study, sweep_table
    from .search import run_sweep

__all__ = ["SweepConfig", "best_study", "run_sweep", "sweep_table"]

make_lazy(__name__)

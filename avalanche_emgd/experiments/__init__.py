"""Configuration of a run, the run itself, its tables and pictures."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .config import RunConfig, make_benchmark
    from .pictures import draw_curves
    from .run import Run, run
    from .strategy import make_strategy
    from .tables import comparison_table, task_table

__all__ = [
    "Run",
    "RunConfig",
    "comparison_table",
    "draw_curves",
    "make_benchmark",
    "make_strategy",
    "run",
    "task_table",
]

make_lazy(__name__)

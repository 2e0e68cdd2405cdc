"""Configuration of a run, the run itself, its tables and pictures."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .config import RunConfig, make_benchmark
    from .finished_run import Run
    from .lock import DirectoryInUseError
    from .method_choice import MethodChoice
    from .pictures import draw_curves
    from .records import Record, load_records, results_table
    from .run import run
    from .strategy import make_strategy
    from .study import run_study
    from .study_config import StudyConfig
    from .tables import comparison_table, task_table
    from .trained_model import TrainedModel, load_model, save_model

__all__ = [
    "DirectoryInUseError",
    "MethodChoice",
    "Record",
    "Run",
    "RunConfig",
    "StudyConfig",
    "TrainedModel",
    "comparison_table",
    "draw_curves",
    "load_model",
    "load_records",
    "make_benchmark",
    "make_strategy",
    "results_table",
    "run",
    "run_study",
    "save_model",
    "task_table",
]

make_lazy(__name__)

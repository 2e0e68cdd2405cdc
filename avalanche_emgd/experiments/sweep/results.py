"""Results of a search: tables, the study of the best settings, and a picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.table import Table

from ..._atomic import replacing
from ..csv_cells import with_text_cells
from ..study_config import StudyConfig
from .config import SweepConfig
from .picture import draw_sweep

if TYPE_CHECKING:
    import optuna

__all__ = ["METRICS", "best_study", "sweep_table", "trials_table", "write_picture", "write_trials"]

METRICS = {"A_e": "A_e", "A_ebar": "A_ē", "F_ebar": "F_ē"}
"""Words for the metrics."""

_SHOWN = 10


def trials_table(study: optuna.Study, sweep: SweepConfig) -> pd.DataFrame:
    """Make a table of the trials, in their order.

    Columns: ``trial``, from 0; ``status``, ``"done"``, ``"failed"`` or ``"running"``; the metric, a
    fraction, missing unless the trial is done; and the searched settings by their names.

    :param study: study of Optuna.
    :param sweep: configuration of the search.
    """
    words = {"COMPLETE": "done", "RUNNING": "running"}
    rows = []
    for trial in study.get_trials(deepcopy=False):
        values = {
            name: each.value(trial.params[name])
            for name, each in sweep.space.items()
            if name in trial.params
        }
        rows.append(
            {
                "trial": trial.number,
                "status": words.get(trial.state.name, "failed"),
                sweep.metric: trial.value,
                **values,
            }
        )
    columns = ["trial", "status", sweep.metric, *sweep.space]
    # The type `object` keeps whole numbers beside missing values.
    table = pd.DataFrame(rows, columns=columns, dtype=object)
    return table.astype({"trial": "int64", "status": "string", sweep.metric: "float64"})


def best_study(sweep: SweepConfig, table: pd.DataFrame) -> StudyConfig | None:
    """Make a study of the settings of the best trial, on the streams and seeds of the search.

    :param sweep: configuration of the search.
    :param table: table that :func:`~avalanche_emgd.experiments.sweep.run_sweep` returns.
    :return: study; ``None`` if no trial is done.
    """
    done = table[table["status"] == "done"]
    if not len(done):
        return None
    best = done.loc[done[sweep.metric].idxmax()]
    return sweep.study_of({n: _plain(best[n]) for n in sweep.space}, f"{sweep.method}-searched")


def sweep_table(sweep: SweepConfig, table: pd.DataFrame) -> Table:
    """Table of the ten best trials, the best first, in percent.

    :param sweep: configuration of the search.
    :param table: table that :func:`~avalanche_emgd.experiments.sweep.run_sweep` returns.
    """
    study = sweep.study_of({name: each.ends[0] for name, each in sweep.space.items()})
    done = table[table["status"] == "done"].sort_values(sweep.metric, ascending=False)
    scenarios = " and ".join(study.scenarios)
    shown = Table(
        title=f"{sweep.method} on {study.benchmark}, {scenarios}-incremental: best of {len(done)} "
        f"trials, means of {len(study.runs())} runs"
    )
    shown.add_column("trial", justify="right")
    shown.add_column(METRICS[sweep.metric], justify="right")
    for name in sweep.space:
        shown.add_column(name, justify="right")
    for row in done.head(_SHOWN).to_dict("records"):
        figures = [f"{row['trial']}", f"{100 * row[sweep.metric]:.1f} %"]
        shown.add_row(*figures, *(_word(row[name]) for name in sweep.space))
    return shown


def write_trials(sweep: SweepConfig, table: pd.DataFrame, output: Path) -> None:
    """Write ``trials.csv`` and ``best.yaml``.

    :param table: table of the trials, see :func:`trials_table`.
    :param output: directory of the sweep.
    """
    with replacing(output / "trials.csv") as draft:
        with_text_cells(table).to_csv(draft, index=False)
    best = best_study(sweep, table)
    if best is not None:
        best.to_yaml(output / "best.yaml")


def write_picture(sweep: SweepConfig, table: pd.DataFrame, output: Path) -> None:
    """Write ``sweep.png``, if a trial is done; the parameters are those of :func:`write_trials`."""
    if (table["status"] == "done").any():
        picture = draw_sweep(table, sweep.space, sweep.metric, METRICS[sweep.metric])
        with replacing(output / "sweep.png") as draft:
            picture.savefig(draft, format="png", dpi=150)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)

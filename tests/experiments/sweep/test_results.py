import pandas as pd
import pytest

from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.experiments.sweep.results import (
    best_study,
    sweep_table,
    trials_table,
    write_picture,
    write_trials,
)
from tests.experiments.sweep.searches import sweep_of

EDIT = {"rule": "distance", "step": 0.1}
TRIALS = [(0.5, 0.01, None, 0.25), (0.1, 0.1, EDIT, 0.75), (0.9, 0.002, EDIT, None)]


def table_of(trials=TRIALS):
    """Table of trials; those without a figure have failed."""
    rows = [
        {
            "trial": number,
            "status": "failed" if figure is None else "done",
            "A_ebar": figure,
            "decay": decay,
            "learning_rate": rate,
            "memory_editing": edit,
        }
        for number, (decay, rate, edit, figure) in enumerate(trials)
    ]
    return pd.DataFrame(rows).astype({"A_ebar": "float64", "memory_editing": object})


def test_the_best_trial_is_a_study():
    study = best_study(sweep_of(), table_of())
    (choice,) = study.methods
    assert choice.label == "emgd-gmc-searched"
    assert choice.settings == {"decay": 0.1, "memory_editing": EDIT}
    assert study.learning_rate == 0.1
    assert best_study(sweep_of(), table_of(TRIALS[2:])) is None


def test_the_table_shows_the_ten_best():
    trials = [(0.5, 0.01, None, 0.02 * number) for number in range(12)]
    table = sweep_table(sweep_of(), table_of([*trials, TRIALS[2]]))
    assert "best of 12 trials, means of 2 runs" in table.title
    columns = [list(column.cells) for column in table.columns]
    assert columns[0] == [str(number) for number in range(11, 1, -1)]
    assert columns[1][0] == "22.0 %"
    assert [column.header for column in table.columns][1:] == [
        "A_ē", "decay", "learning_rate", "memory_editing",
    ]  # fmt: skip
    assert columns[-1][0] == "null"


def test_files_of_a_search(tmp_path):
    write_trials(sweep_of(), table_of(), tmp_path)
    assert list(pd.read_csv(tmp_path / "trials.csv")["status"]) == ["done", "done", "failed"]
    assert StudyConfig.from_yaml(tmp_path / "best.yaml") == best_study(sweep_of(), table_of())


def test_without_a_finished_trial_there_is_nothing_to_show(tmp_path):
    table = table_of(TRIALS[2:])
    write_trials(sweep_of(), table, tmp_path)
    write_picture(sweep_of(), table, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["trials.csv"]


def test_trials_of_every_state_are_listed():
    optuna = pytest.importorskip("optuna")
    sweep = sweep_of()
    space = {name: each.distribution() for name, each in sweep.space.items()}
    study = optuna.create_study(direction="maximize")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for number in range(3):
        trial = study.ask(space)
        if number == 0:
            study.tell(trial, 0.5)
        elif number == 1:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
    table = trials_table(study, sweep)
    assert list(table.columns) == ["trial", "status", "A_ebar", *sweep.space]
    assert list(table["status"]) == ["done", "failed", "running"]
    assert table["A_ebar"][0] == 0.5
    assert table["A_ebar"].isna().tolist() == [False, True, True]
    assert all(each is None or each == EDIT for each in table["memory_editing"])

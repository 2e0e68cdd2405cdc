"""Searches with Optuna, whole, interrupted, failing and wrong."""

import shutil

import pandas as pd
import pytest
import yaml

from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.experiments.sweep import run_sweep, search
from tests.command_line import call
from tests.experiments.sweep.searches import FILE, sweep_of


@pytest.fixture(scope="module")
def swept(scheduler, tmp_path_factory):
    """Directory of a sweep of three trials, and what the command has printed."""
    pytest.importorskip("optuna")
    folder = tmp_path_factory.mktemp("swept")
    (folder / "mine.yaml").write_text(yaml.safe_dump(FILE))
    output = folder / "sweep"
    options = ("--config", folder / "mine.yaml", "--output", output, "--scheduler", scheduler)
    result = call("sweep", *options)
    assert result.exit_code == 0, result.output
    return output, result.output


def trials_of(output):
    return pd.read_csv(output / "trials.csv")


def test_objective_is_the_mean_over_the_runs_of_a_trial(swept):
    output, printed = swept
    table = trials_of(output)
    assert list(table["status"]) == ["done"] * 3
    for trial, value in zip(table["trial"], table["A_ebar"], strict=True):
        results = pd.read_csv(output / "trials" / f"{trial:04}" / "results.csv")
        assert list(results["seed"]) == [0, 1]
        assert value == pytest.approx(results["A_ebar"].mean(), rel=1e-12)
        assert f"{trial + 1} of 3: trial {trial} has A_ē {100 * value:.1f} %" in printed
    assert table["learning_rate"].between(0.001, 0.1).all()
    assert table["decay"].nunique() == 3
    assert (output / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_the_best_settings_are_a_study(swept):
    output, printed = swept
    table = trials_of(output)
    best = table.loc[table["A_ebar"].idxmax()]
    study = StudyConfig.from_yaml(output / "best.yaml", seeds=[3])
    (choice,) = study.methods
    assert choice.label == "emgd-gmc-searched"
    assert study.learning_rate == pytest.approx(best["learning_rate"])
    trial = StudyConfig.from_yaml(output / "trials" / f"{best['trial']:04}" / "study.yaml")
    assert choice.settings == trial.methods[0].settings
    assert f"--config {output / 'best.yaml'}" in printed


def test_optuna_reads_its_storage(swept):
    optuna = pytest.importorskip("optuna")
    study = optuna.load_study(study_name="sweep", storage=f"sqlite:///{swept[0] / 'optuna.db'}")
    assert study.best_value == trials_of(swept[0])["A_ebar"].max()


def test_all_done_nothing_is_repeated(swept, scheduler):
    output, _ = swept
    before = trials_of(output)
    records = {p: p.stat().st_mtime_ns for p in output.rglob("records/*.json")}
    result = call("sweep", "--config", output / "sweep.yaml", "--output", output, "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    pd.testing.assert_frame_equal(trials_of(output), before)
    assert {p: p.stat().st_mtime_ns for p in output.rglob("records/*.json")} == records


def test_interrupted_and_continued_it_does_the_same_trials(swept, scheduler, tmp_path, monkeypatch):
    output = tmp_path / "output"
    perform, calls = search.run_study, []

    def interrupted(study, place, **options):
        calls.append(place)
        if len(calls) == 2:  # the second trial is under way: one of its two runs is on record
            one = StudyConfig.from_yaml(swept[0] / "trials" / "0001" / "study.yaml", seeds=[0])
            perform(one, place, **options)
            raise KeyboardInterrupt
        return perform(study, place, **options)

    monkeypatch.setattr(search, "run_study", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep_of(trials=2), output, scheduler=scheduler, progress=False)
    assert len(trials_of(output)) == 1
    (record,) = (output / "trials" / "0001" / "records").glob("*.json")
    written = record.stat().st_mtime_ns
    table = run_sweep(sweep_of(trials=3), output, scheduler=scheduler, progress=False)
    assert [place.name for place in calls] == ["0000", "0001", "0001", "0002"]
    assert record.stat().st_mtime_ns == written
    assert list(table["status"]) == ["done"] * 3
    pd.testing.assert_frame_equal(trials_of(output), trials_of(swept[0]))


def test_interrupted_while_settings_were_drawn(swept, tmp_path):
    optuna = pytest.importorskip("optuna")
    output = shutil.copytree(swept[0], tmp_path / "output")
    optuna.load_study(study_name="sweep", storage=f"sqlite:///{output / 'optuna.db'}").ask()
    table = run_sweep(sweep_of(trials=4), output, progress=False)
    assert list(table["status"]) == ["done", "done", "done", "failed"]
    assert pd.isna(table["decay"][3])


def test_a_trial_whose_run_fails_has_failed(tmp_path, scheduler):
    pytest.importorskip("optuna")
    content = {
        **{**FILE, "method": "own_methods:broken_above"},
        "search": {"limit": {"choices": [0, 1]}},
        "trials": 2,
        "seeds": [0],
        "sampler_seed": 1,  # draws both choices
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    output = tmp_path / "output"
    options = ("--config", tmp_path / "mine.yaml", "--output", output, "--scheduler", scheduler)
    result = call("sweep", *options)
    assert result.exit_code == 1
    table = trials_of(output)
    assert set(zip(table["status"], table["limit"], strict=True)) == {("failed", 1), ("done", 0)}
    assert "failed: RuntimeError: it broke" in result.output
    assert f"trials failed; their runs: {output / 'trials'}" in result.output
    assert StudyConfig.from_yaml(output / "best.yaml").methods[0].settings == {"limit": 0}


def test_another_search_in_the_directory(swept, tmp_path):
    output, _ = swept
    (tmp_path / "other.yaml").write_text(yaml.safe_dump({**FILE, "seeds": [5]}))
    result = call("sweep", "--config", tmp_path / "other.yaml", "--output", output)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "`seeds` is [5], but [0, 1] in the sweep in `--output`" in result.output


def test_a_damaged_storage(swept, tmp_path):
    output = shutil.copytree(swept[0], tmp_path / "output")
    (output / "optuna.db").write_bytes(b"no database" * 1000)
    with pytest.raises(ValueError, match=r"optuna.db.* cannot be used: .*not a database"):
        run_sweep(sweep_of(trials=4), output, progress=False)

import re
from dataclasses import replace

import pandas as pd
import pytest

from avalanche_emgd.experiments.study_config import StudyConfig
from tests.command_line import call

QUICK = ("--tasks", 2, "--batch-size", 32, "--eval-every", 10)


@pytest.fixture(scope="module")
def compared(scheduler, tmp_path_factory):
    output = tmp_path_factory.mktemp("compared") / "study"
    options = ("--methods", "avg,mgda", "--seeds", "0,1", "--scenarios", "task,class")
    result = call("compare", "--scheduler", scheduler, "--output", output, *options, *QUICK)
    assert result.exit_code == 0, result.output
    return output, result.output


def test_compare_writes_a_study(compared):
    output, printed = compared
    assert StudyConfig.from_yaml(output / "study.yaml") == StudyConfig(
        ["avg", "mgda"],
        scenarios=["task", "class"],
        seeds=[0, 1],
        num_tasks=2,
        batch_size=32,
        eval_every=10,
    )
    assert len(pd.read_csv(output / "results.csv")) == 8
    for line in (
        "0 done, 0 failed, 8 left",
        "8 done, 0 failed, 0 left",
        f"Results: {output / 'results.csv'}",
        f"Report: avalanche-emgd report {output}",
    ):
        assert line in printed


def test_compare_by_the_file_of_another_study(compared, scheduler, tmp_path):
    study = compared[0] / "study.yaml"
    output = tmp_path / "again"
    result = call("compare", "--config", study, "--output", output, "--scheduler", scheduler)
    assert result.exit_code == 0, result.output
    assert (output / "study.yaml").read_text() == study.read_text()
    figures = ["method", "scenario", "seed", "A_e", "A_ebar", "F_ebar", "ticks"]
    one, other = (pd.read_csv(d / "results.csv")[figures] for d in (compared[0], output))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_options_take_the_place_of_what_the_file_says(compared, scheduler, tmp_path):
    options = ("--config", compared[0] / "study.yaml", "--seeds", 1, "--scenarios", "task")
    result = call("compare", *options, "--output", tmp_path, "--scheduler", scheduler)
    assert result.exit_code == 0, result.output
    whole, part = (StudyConfig.from_yaml(d / "study.yaml") for d in (compared[0], tmp_path))
    assert part == replace(whole, seeds=(1,), scenarios=("task",))
    assert len(pd.read_csv(tmp_path / "results.csv")) == 2


def test_nothing_left_to_do_needs_no_workers(compared):
    result = call("compare", "--config", compared[0] / "study.yaml", "--output", compared[0])
    assert result.exit_code == 0, result.output
    assert "Results: " in result.output


def test_a_terminal_sees_a_bar(scheduler, tmp_path):
    options = ("--methods", "avg", "--output", tmp_path, "--scheduler", scheduler)
    result = call("compare", *options, *QUICK, FORCE_COLOR="1", COLUMNS="200")
    assert result.exit_code == 0, result.output
    printed = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", result.output)
    assert re.search(r"━.* 1 done, 0 failed, 0 left +0:00:", printed)


def test_a_failed_run_is_exit_status_1(scheduler, tmp_path):
    where = ("--output", tmp_path, "--scheduler", scheduler)
    methods = ("--methods", "own_methods:Broken,avg")
    for more, seeds in (((), "0"), ((), "0"), (("--retry-failed",), "0"), ((), "0,1")):
        result = call("compare", *methods, *where, *QUICK, "--seeds", seeds, *more)
        assert result.exit_code == 1, result.output
        count = len(seeds.split(","))
        assert f"{count} failed; --retry-failed repeats" in result.output
        assert "own_methods:Broken, class, seed 0: RuntimeError: it broke" in result.output
    result = call("compare", "--methods", "avg", "--seeds", "0,1", *where, *QUICK)
    assert result.exit_code == 0, result.output


def test_ctrl_c(monkeypatch, tmp_path):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("avalanche_emgd.experiments.study.run_study", interrupted)
    result = call("compare", "--methods", "avg", "--output", tmp_path / "study")
    assert result.exit_code == 130
    assert result.output == (
        "Interrupted. Finished runs are kept. The same command continues with the others.\n"
    )


def test_other_settings_in_the_same_directory(compared):
    result = call("compare", "--methods", "avg", "--output", compared[0], "--tasks", 3)
    assert result.exit_code == 2
    assert "`--tasks` is 3, but 2 in the record" in result.output


def test_report_is_written_where_it_is_wanted(monkeypatch, tmp_path):
    calls = []

    def write_report(directory, *, output=None, reference=None):
        calls.append((directory, output, reference))
        return directory / "report.md", directory / "report.html"

    monkeypatch.setattr("avalanche_emgd.experiments.report.write_report", write_report)
    (tmp_path / "records").mkdir()
    result = call("report", tmp_path, "--reference", "avg", "--output", tmp_path / "there")
    assert result.exit_code == 0, result.output
    assert calls == [(tmp_path, tmp_path / "there", "avg")]
    assert f"Report: {tmp_path / 'report.html'}" in result.output


@pytest.mark.parametrize("command", ["compare", "report", "methods"])
def test_help_has_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Example: avalanche-emgd {command}" in " ".join(result.output.split())

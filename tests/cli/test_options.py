import json

import pytest

from avalanche_emgd.cli.options import typed
from avalanche_emgd.experiments import demo
from tests.cli.inputs import QUICK
from tests.command_line import call

pytestmark = pytest.mark.usefixtures("undrawn")


def test_quiet_prints_nothing(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(demo, "_METHODS", ("naive", "avg"))
    monkeypatch.setattr(demo, "_SEEDS", 1)
    for command, options in (("train", QUICK), ("demo", ())):
        result = call(command, "--output", tmp_path / command, *options, "--quiet")
        assert result.exit_code == 0, result.output
        assert result.output == ""
    assert capfd.readouterr().out == ""
    result = call("train", "--output", tmp_path / "train", "--quiet")
    assert result.exit_code == 2
    assert "is not empty" in result.output


def test_results_are_not_overwritten_silently(tmp_path):
    (tmp_path / "metrics.json").write_text("precious")
    (tmp_path / "notes.txt").write_text("mine")
    result = call("train", "--output", tmp_path)
    assert result.exit_code == 2
    assert "not empty" in result.output
    assert "--overwrite" in result.output
    assert (tmp_path / "metrics.json").read_text() == "precious"
    result = call("train", "--output", tmp_path, "--overwrite", "--method", "avg", "--tasks", 2)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "metrics.json").read_text())["A_e"] > 0.5
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_options_that_are_typed():
    found = typed(none=None, off=False, on=True, zero=0, nothing=0.0, empty="", names=[])
    assert found == {"on": True, "zero": 0, "nothing": 0.0, "empty": "", "names": []}
    assert found["zero"] is not False

"""The examples run, and the documents show them as they are."""

import re
import runpy
import sys
from pathlib import Path

import pytest
import torch
import yaml

from avalanche_emgd.experiments.sweep import SweepConfig
from tests.documents import DOCS, ROOT, blocks_of

EXAMPLES = ROOT / "examples"
NUMBER = r"(\d+\.\d)"


@pytest.fixture
def example(tmp_path, monkeypatch, capsys):
    """Function that runs an example in an empty folder and returns the lines that it prints."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out.splitlines()

    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    yield run
    torch.set_num_threads(threads)


def test_table_of_class_incremental_digits(example, tmp_path):
    lines = example("class_incremental_digits.py", "--seeds", "0,1", "--epochs", "1")
    heading, *rows = [line for line in lines if line.strip()]
    assert heading.split()[:2] == ["learning", "rate"]
    names = ("EMGDStrategy", "AvgGradStrategy", "Naive + ReplayPlugin")
    for name, row in zip(names, rows, strict=True):
        found = re.fullmatch(
            rf"{re.escape(name)} +0\.\d+ +{NUMBER} +{NUMBER} +{NUMBER} {NUMBER}", row
        )
        assert found, row
        mean, _, first, second = map(float, found.groups())
        # Each is rounded to a tenth.
        assert mean == pytest.approx((first + second) / 2, abs=0.1 + 1e-9)
        assert first != second
        assert min(first, second) > 10.0  # chance
    assert not list(tmp_path.iterdir())


def test_the_log_of_one_run_is_avalanches(example, tmp_path):
    lines = example("class_incremental_digits.py", "--epochs", "1")
    finals = [line for line in lines if "Top1_Acc_Stream/eval_phase/test_stream" in line]
    assert len(finals) == 5
    assert sum("End of training phase" in line for line in lines) == 5
    assert not list(tmp_path.iterdir())


def test_the_sweep_of_the_document():
    text = (EXAMPLES / "sweep.yaml").read_text()
    shown, *_ = blocks_of(DOCS / "how_to" / "sweeps.md", "yaml")
    assert text.partition("\n")[2] == shown  # without its first line, the command
    assert SweepConfig.from_yaml(EXAMPLES / "sweep.yaml").method == yaml.safe_load(shown)["method"]


def test_the_search_in_python(tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    (block,) = blocks_of(DOCS / "how_to" / "sweeps.md", "python")
    names = {"__name__": "__main__"}
    exec(block, names)
    assert list(names["table"]["status"]) == ["done", "done"]
    assert Path("runs/decay/sweep.png").exists()


def test_a_live_stream_of_digits(example, tmp_path):
    lines = example("live_streams.py", "--ticks", "200")
    assert lines[0] == "interrupted at tick 110"
    assert lines[1] == "resumed at tick 108 with odd, high"
    rows = [line for line in lines if " classes (" in line]
    assert [row.split()[0] for row in rows] == ["even", "odd", "high"]
    assert [re.search(r"added (\d)×", row)[1] for row in rows] == ["2", "1", "1"]
    found = re.fullmatch(rf"200 ticks, 7 segments: A_e {NUMBER}, A_ebar {NUMBER}, .*", lines[-1])
    assert found, lines[-1]
    assert min(map(float, found.groups())) > 30.0  # chance is 10
    assert [path.name for path in tmp_path.iterdir()] == ["live_streams.png"]


def test_a_live_stream_goes_on_from_a_checkpoint(example, tmp_path):
    arguments = ("live_streams.py", "--ticks", "40", "--checkpoint", "run.pt")
    lines = example(*arguments)
    assert example(*arguments) == ["resumed at tick 40 with no source", *lines]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live_streams.png", "run.pt"]

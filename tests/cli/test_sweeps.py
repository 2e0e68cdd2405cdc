"""The command that searches: wrong files, wrong options, and the missing library."""

import sys

import pytest
import yaml

from tests.command_line import call
from tests.experiments.sweep.searches import FILE


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"search": {"decay": {"low": 0.0, "high": 1.5}}}, "`search` of 'decay' reaches 1.5: "),
        ({"search": {"decai": {"low": 0.0, "high": 1.0}}}, "decai"),
        ({"search": {"decay": {"low": 0, "high": 1}}}, "say int: true"),
        ({"search": {}}, "`search` must map names"),
        ({"metric": "A_bar"}, "`metric` must be one of"),
        ({"benchmark": "ps-emnist"}, "`data_root` is needed for ps-emnist"),
        ({"sed": 3}, "unknown key 'sed'"),
    ],
    ids=str,
)
def test_wrong_files_give_one_line_and_leave_nothing(tmp_path, changes, words):
    pytest.importorskip("optuna")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**FILE, **changes}))
    output = tmp_path / "output"
    result = call("sweep", "--config", tmp_path / "mine.yaml", "--output", output)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert words in result.output
    assert not output.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--config", "missing.yaml"), "missing.yaml"),
        (("--config", "mine.yaml", "--trials", "0"), "`--trials` must be a whole number in"),
        (("--config", "mine.yaml", "--metric", "A_ebr"), "Did you mean 'A_ebar'"),
        (("--config", "mine.yaml", "--workers", "0"), "--workers"),
        (("--config", "mine.yaml", "--output", "mine.yaml"), "`--output` 'mine.yaml' is a file"),
        (("--config", "mine.yaml", "--output", "notes"), "holds no sweep"),
        (
            ("--config", "mine.yaml", "--data-root", "notes", "--download"),
            "`--download` is not for",
        ),
    ],
    ids=str,
)
def test_wrong_options(tmp_path, monkeypatch, options, words):
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(FILE))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.txt").write_text("precious")
    result = call("sweep", "--output", "output", *options)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert words in result.output
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["mine.yaml", "notes", "notes.txt"]


def test_without_optuna_one_line_names_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(FILE))
    output = tmp_path / "output"
    result = call("sweep", "--config", tmp_path / "mine.yaml", "--output", output)
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert "pip install 'avalanche-emgd[sweep]'" in result.output
    assert not output.exists()

"""What is common to tests of wrong inputs on the command line."""

import pytest
import torch
from typer.testing import CliRunner

from avalanche_emgd.cli import app

TRAIN = ("train", "--output", "run")
EMNIST = ("--benchmark", "ps-emnist")


def each_of(rows):
    """Run a test for each row of arguments and a part of the message."""
    names = [" ".join(arguments)[:80] for arguments, _ in rows]
    return pytest.mark.parametrize(("arguments", "message"), rows, ids=names)


def check_wrong_input(arguments, message, inputs, monkeypatch):
    """The command ends with one line in the folder of wrong files, and leaves what is there."""
    monkeypatch.chdir(inputs)
    check_one_line(arguments, message, inputs)
    assert (inputs / "file").read_text() == "precious"
    assert (inputs / "full" / "metrics.json").read_text() == "precious"


def check_one_line(arguments, message, folder):
    """The command ends with exit status 2 and one line, and leaves the folder as it was."""
    before = sorted(folder.rglob("*"))
    threads = torch.get_num_threads()
    result = CliRunner().invoke(app, list(arguments))
    torch.set_num_threads(threads)
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert sorted(folder.rglob("*")) == before

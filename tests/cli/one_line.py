"""What is common to tests of wrong inputs on the command line."""

import torch
from typer.testing import CliRunner

from avalanche_emgd.cli import app


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

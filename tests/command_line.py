"""The command line, called in this process."""

from typer.testing import CliRunner

from avalanche_emgd.cli import app


def call(*arguments, **environment):
    """Call a command with words; ``environment`` holds changed variables."""
    return CliRunner().invoke(app, [str(each) for each in arguments], env=environment)

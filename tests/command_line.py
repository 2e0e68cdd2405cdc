"""The command line, called in this process."""

import warnings

from typer.testing import CliRunner

from avalanche_emgd.cli import app


def call(*arguments, **environment):
    """Call a command with words; ``environment`` holds changed variables."""
    return CliRunner().invoke(app, [str(each) for each in arguments], env=environment)


def without_warnings(*words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # What Avalanche and TensorBoard do to each other is not for us to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        return call(*words)

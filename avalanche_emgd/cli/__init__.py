"""The command line: words in, words out; the work is done in ``avalanche_emgd.experiments``."""

from . import methods, runs, studies, sweeps  # noqa: F401  # their import adds the commands to the app
from .app import app

__all__ = ["app"]

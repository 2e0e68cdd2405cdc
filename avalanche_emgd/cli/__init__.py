"""The command line: it reads options and prints; ``avalanche_emgd.experiments`` does the work."""

from . import methods, predictions, runs, studies, sweeps  # noqa: F401  # their import adds the commands to the app
from .app import app

__all__ = ["app"]

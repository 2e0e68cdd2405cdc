"""Names of the scenarios; apart, so that the command line knows them without loading torch."""

from typing import Literal

__all__ = ["Scenario"]

Scenario = Literal["task", "class"]
"""``"task"``: the task of a sample is known; ``"class"``: all classes started so far compete."""

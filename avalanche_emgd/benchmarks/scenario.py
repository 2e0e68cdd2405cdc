"""Names of the scenarios, in a module that the command line imports without torch."""

from typing import Literal

__all__ = ["Scenario"]

Scenario = Literal["task", "class"]
"""``"task"``: the task of a sample is known; ``"class"``: all classes started so far compete."""

"""Names of the scenarios; apart, so that the command line knows them without loading torch."""

from typing import Literal

__all__ = ["Scenario"]

Scenario = Literal["task", "class"]

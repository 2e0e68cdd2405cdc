"""Names of the precisions, in a module that the command line imports without torch."""

from typing import Literal

__all__ = ["Precision"]

Precision = Literal["bfloat16", "float16"]
"""Precision of forward passes in training."""

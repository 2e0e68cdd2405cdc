"""Names of the precisions; apart, so that the command line knows them without loading torch."""

from typing import Literal

__all__ = ["Precision"]

Precision = Literal["bfloat16", "float16"]
"""Precision of forward passes in training."""

"""Errors of states."""

from __future__ import annotations

__all__ = ["StateError"]


class StateError(ValueError):
    """A state that cannot be saved, or does not belong to the object that loads it."""

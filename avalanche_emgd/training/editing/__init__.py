"""Editing of replayed images: its rules, bounds and settings."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .bounds import Norm, PixelBounds
    from .rules import EDITING_RULES, EditingRule, Replayed
    from .settings import EditingSpec, MemoryEditing, make_memory_editing

__all__ = [
    "EDITING_RULES",
    "EditingRule",
    "EditingSpec",
    "MemoryEditing",
    "Norm",
    "PixelBounds",
    "Replayed",
    "make_memory_editing",
]

make_lazy(__name__)

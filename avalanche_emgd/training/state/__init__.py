"""States of strategies between two ticks, and their files."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .errors import StateError
    from .files import load_checkpoint, save_checkpoint

__all__ = ["StateError", "load_checkpoint", "save_checkpoint"]

make_lazy(__name__)

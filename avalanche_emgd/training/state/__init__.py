"""States of strategies between two ticks, and their files."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .errors import StateError

__all__ = ["StateError"]

make_lazy(__name__)

"""Models of the published settings, and what models need on parallel streams."""

from .class_mask import ClassMask, is_masked
from .heads import prepare_heads
from .mlp import MLP

__all__ = ["MLP", "ClassMask", "is_masked", "prepare_heads"]

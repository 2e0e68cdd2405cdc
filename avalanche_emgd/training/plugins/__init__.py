"""Plugins of the training loop, each with one behaviour at named callbacks."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .augmentation import AugmentationPlugin
    from .base import MultiGradientPlugin
    from .checkpoint import CheckpointPlugin
    from .class_mask import ClassMaskPlugin
    from .elastic_factor import ElasticFactorPlugin
    from .gradient_accumulation import GradientAccumulationPlugin
    from .memory_editing import EditMeasure, MemoryEditingPlugin
    from .replay_memory import MemoryObjectives, ReplayMemoryPlugin
    from .setup_watch import SetupWatchPlugin
    from .weighting import WeightingPlugin

__all__ = [
    "AugmentationPlugin",
    "CheckpointPlugin",
    "ClassMaskPlugin",
    "EditMeasure",
    "ElasticFactorPlugin",
    "GradientAccumulationPlugin",
    "MemoryEditingPlugin",
    "MemoryObjectives",
    "MultiGradientPlugin",
    "ReplayMemoryPlugin",
    "SetupWatchPlugin",
    "WeightingPlugin",
]

make_lazy(__name__)

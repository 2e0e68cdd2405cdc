"""Ingredients of a method beside its weighting: what each option of a strategy can be made of."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .augmentation import Augmentation, MemoryAugmentationPlugin
    from .averaging import AveragedWeights, AveragedWeightsPlugin
    from .competition import Asymmetric
    from .gss import GSS, GSSPlugin
    from .gss_memory import GSSMemory
    from .mir import MIR, MIRReplayPlugin
    from .replay import MemoryRetrieval, MemorySelection
    from .stored_logits import StoredLogits
    from .stored_outputs import StoredOutputs
    from .stored_probabilities import StoredProbabilities

__all__ = [
    "GSS",
    "MIR",
    "Asymmetric",
    "Augmentation",
    "AveragedWeights",
    "AveragedWeightsPlugin",
    "GSSMemory",
    "GSSPlugin",
    "MIRReplayPlugin",
    "MemoryAugmentationPlugin",
    "MemoryRetrieval",
    "MemorySelection",
    "StoredLogits",
    "StoredOutputs",
    "StoredProbabilities",
]

make_lazy(__name__)

"""Models of the published settings, class masks and heads for parallel streams."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .by_name import make_model
    from .class_mask import ClassMask, is_masked, mask_logits
    from .cosine import CosineClassifier
    from .growth import carry_optimizer_state, grow_heads, grow_like
    from .heads import prepare_heads
    from .mlp import MLP
    from .model_name import ModelName
    from .modes import evaluation_mode, frozen_statistics
    from .nearest_mean import NearestMean
    from .resnet import ResNet18

__all__ = [
    "MLP",
    "ClassMask",
    "CosineClassifier",
    "ModelName",
    "NearestMean",
    "ResNet18",
    "carry_optimizer_state",
    "evaluation_mode",
    "frozen_statistics",
    "grow_heads",
    "grow_like",
    "is_masked",
    "make_model",
    "mask_logits",
    "prepare_heads",
]

make_lazy(__name__)

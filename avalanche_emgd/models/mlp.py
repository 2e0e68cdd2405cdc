"""The multi-layer perceptron of the published PS-EMNIST setting."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["MLP"]


class MLP(nn.Module):
    """Fully connected layers with ReLU, then one linear classifier for all classes.

    :param num_classes: number of outputs, ≥ 1.
    :param in_features: number of input values per sample, of any shape; 784 for EMNIST.
    :param hidden: widths of the hidden layers; (128, 64) as published.
    """

    def __init__(
        self, num_classes: int, in_features: int = 784, hidden: Sequence[int] = (128, 64)
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        width = in_features
        for size in hidden:
            layers += [nn.Linear(width, size), nn.ReLU()]
            width = size
        self.backbone = nn.Sequential(*layers)
        """Layers from inputs ``[B, ...]`` to features ``[B, hidden[-1]]``."""
        self.classifier = nn.Linear(width, num_classes)
        """Layer from features to logits ``[B, num_classes]``."""

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits ``[B, num_classes]`` of inputs ``[B, ...]``."""
        return self.classifier(self.backbone(x))

"""The ResNet-18 of the published PS-CIFAR-100 and PS-ImageNet-TINY settings."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from .._numbers import check_whole

__all__ = ["ResNet18"]

_BLOCKS = 2  # per stage
_STAGES = 4


class ResNet18(nn.Module):
    """Residual network for small images (He et al., CVPR 2016): 3 × 3 stem and max-pool 2.

    The network begins with a convolution of ``width`` channels and max-pooling by 2. Four stages of
    two basic blocks follow, with 1, 2, 4 and 8 times ``width`` channels. Each stage after the first
    halves the height and the width of its inputs. Global average pooling and one linear classifier
    for all classes are last.

    All convolutions have batch norm with torch's defaults. The batch of each objective is
    normalised by its own statistics. The running statistics are updated with one batch after the
    other, in the order of the objectives (active tasks, then memory).

    :param num_classes: number of outputs, ≥ 1.
    :param width: number of channels of the stem, ≥ 1: 64 as published; 20 for the slim variant,
        common in online continual learning (Lopez-Paz and Ranzato, NeurIPS 2017).
    :param in_channels: number of channels of the images, ≥ 1.
    :raises ValueError: if an argument is out of range.
    """

    def __init__(self, num_classes: int, width: int = 64, in_channels: int = 3) -> None:
        super().__init__()
        for name, value in (
            ("num_classes", num_classes),
            ("width", width),
            ("in_channels", in_channels),
        ):
            check_whole(name, value, 1)
        stem = [
            nn.Conv2d(in_channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        ]
        widths = [width * 2**stage for stage in range(_STAGES)]
        stages = [
            _stage(before, after, 1 if stage == 0 else 2)
            for stage, (before, after) in enumerate(zip([width, *widths], widths, strict=False))
        ]
        self.backbone = nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        """Layers from images ``[B, C, H, W]`` to features ``[B, 8 · width]``."""
        self.classifier = nn.Linear(widths[-1], num_classes)
        """Layer from features to logits ``[B, num_classes]``."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits ``[B, num_classes]`` of images ``[B, C, H, W]``."""
        return self.classifier(self.backbone(x))


def _stage(before: int, after: int, stride: int) -> nn.Sequential:
    shortcut = None
    if stride != 1 or before != after:
        shortcut = nn.Sequential(
            nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)
        )
    first = BasicBlock(before, after, stride, shortcut)
    return nn.Sequential(first, *(BasicBlock(after, after) for _ in range(_BLOCKS - 1)))

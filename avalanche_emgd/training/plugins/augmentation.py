"""Random crops and flips of training images."""

from __future__ import annotations

from typing import Any

from avalanche.core import SupervisedPlugin

from ...benchmarks.loader import TickBatch
from ..crops_and_flips import CropsAndFlips, replace_parts

__all__ = ["AugmentationPlugin"]


class AugmentationPlugin(CropsAndFlips, SupervisedPlugin):
    """Random crops and flips of every image of a training minibatch, replayed images included.

    Each delivery and each replay of an image has a new augmentation. Images in the replay memory
    and in the data set, and test images, do not change. An image is padded with zeros before the
    crop; zero is the mean of normalised inputs. With the option ``memory_augmentation`` of the
    strategy, replayed images have that augmentation in place of this one.

    :param padding: pixels of padding on each side, ≥ 0.
    :param flip: whether to mirror half of the images, left to right.
    :param seed: seed of all random choices.
    :raises ValueError: if ``padding`` is no whole number of at least 0.
    """

    def before_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Augment the minibatch, apart from images that the strategy augments itself."""
        batch = strategy.mbatch
        own = getattr(strategy, "memory_augmentation", None)
        if own is None:
            images = self.augment(batch[0])
        else:
            done = own.parts(strategy)
            rest = [part for part in batch.parts if part not in done]
            images = replace_parts(batch[0], rest, self.augment)
        if isinstance(batch, TickBatch):
            batch.augment(images)
        else:
            batch[0] = images

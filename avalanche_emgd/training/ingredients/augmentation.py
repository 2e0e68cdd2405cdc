"""Augmentation of replayed samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from avalanche.core import SupervisedPlugin
from torch import Tensor

from ..._numbers import check_whole
from ..._text_files import first_line
from ...benchmarks import Part
from ...gradients.random_state import RandomState
from ..crops_and_flips import PADDING, CropsAndFlips, check_augmentable, replace_parts
from ..trial_copy import trial_copy

__all__ = ["Augmentation", "MemoryAugmentationPlugin"]

# The memory, and perhaps AugmentationPlugin, have the seed of the strategy. Generators of the same
# seed would draw the same numbers.
_APART = 0x5851F42D4C957F2D


@dataclass(frozen=True)
class Augmentation:
    """Random crops and flips of replayed images.

    An image is padded with zeros before the crop; zero is the mean of normalised inputs.

    :param padding: pixels of padding on each side, ≥ 0, at most a fourth of the shorter side of an
        image.
    :param flip: whether to mirror half of the images, left to right.
    :raises ValueError: if a value is of another type, or ``padding`` is negative.
    """

    padding: int = PADDING
    flip: bool = True

    def __post_init__(self) -> None:
        check_whole("padding` of `memory_augmentation", self.padding, 0)
        if not isinstance(self.flip, bool):
            raise ValueError(
                f"`flip` of `memory_augmentation` must be true or false, found {self.flip!r}."
            )

    def make_transform(self, seed: int) -> CropsAndFlips:
        """Make the crops and flips of one strategy.

        :param seed: seed of all random choices.
        """
        return CropsAndFlips(self.padding, self.flip, seed)


class MemoryAugmentationPlugin(SupervisedPlugin):
    """Plugin that augments the replayed samples of every tick, and no others.

    Each replay of a sample has a new augmentation. The replayed samples of a tick are augmented
    together, whatever objectives they belong to. Samples in the replay memory do not change.

    :param augmentation: crops and flips, or a callable from inputs ``[b, ...]`` to inputs of the
        same shape and type. The state of a strategy has the global random generators, and the
        callable's own state if it has ``state_dict`` and ``load_state_dict``.
    :param seed: seed of the crops and flips.
    """

    def __init__(self, augmentation: Augmentation | Callable[[Tensor], Tensor], seed: int) -> None:
        super().__init__()
        self.augmentation = augmentation
        self.transform: CropsAndFlips | Callable[[Tensor], Tensor] = (
            augmentation.make_transform((int(seed) + _APART) % 2**64)
            if isinstance(augmentation, Augmentation)
            else augmentation
        )

    def before_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Augment the replayed samples of the minibatch."""
        inputs = strategy.mbatch[0]
        self.check(inputs.shape[1:])  # of a stream whose inputs were not known before
        strategy.mbatch.augment(replace_parts(inputs, self.parts(strategy), self.augmented))

    @staticmethod
    def parts(strategy: Any) -> list[Part]:
        """Return the parts of the minibatch that come from the strategy's memory.

        :param strategy: strategy in a tick.
        """
        drawn = {} if strategy.replay is None else strategy.replay.drawn
        return [p for p in strategy.mbatch.parts if p.replayed and p.objective in drawn]

    def augmented(self, inputs: Tensor) -> Tensor:
        """Augment inputs ``[b, ...]``.

        :raises ValueError: if a callable does not return inputs of the same shape and type.
        """
        if isinstance(self.transform, CropsAndFlips):
            return self.transform.augment(inputs)
        return _checked(self.transform(inputs), inputs)

    def check(self, shape: Sequence[int]) -> None:
        """Check that inputs are images that are large enough for the crops.

        :param shape: shape of an input.
        :raises ValueError: if they are not; a callable may take inputs of any shape.
        """
        if isinstance(self.augmentation, Augmentation):
            padding = min(shape[1:], default=0) // 4
            remedy = f"give it a `padding` of at most {padding}, or leave it out"
            check_augmentable(shape, self.augmentation.padding, "memory_augmentation", remedy)

    def check_on(self, x: Tensor) -> None:
        """Check that inputs can be augmented; a trial of a callable leaves no trace.

        A callable that cannot be copied, or that refers to values that a call may change, is
        checked when it is first used.

        :param x: one input ``[1, ...]``.
        :raises ValueError: if they cannot; the message names ``memory_augmentation``.
        """
        self.check(x.shape[1:])
        if isinstance(self.augmentation, Augmentation):
            return
        trial = trial_copy(self.augmentation)
        if trial is None:
            return
        examples = torch.cat([x, x])
        state = RandomState([x], [], thorough=True)
        state.save()
        try:
            found = trial(examples.clone())
        except Exception as error:
            raise ValueError(
                f"`memory_augmentation` cannot take inputs of shape {list(examples.shape)}: "
                f"{first_line(error)[:200]}"
            ) from error
        finally:
            state.restore()
        _checked(found, examples)


def _checked(found: Any, inputs: Tensor) -> Tensor:
    if isinstance(found, Tensor) and (found.shape, found.dtype) == (inputs.shape, inputs.dtype):
        return found
    words = type(found).__name__
    if isinstance(found, Tensor):
        words = f"{found.dtype} {list(found.shape)}"
    raise ValueError(
        f"`memory_augmentation` must return inputs of the same shape and type, {inputs.dtype} "
        f"{list(inputs.shape)}, found {words}."
    )

"""Sizes of the ready-made benchmarks, and default sizes of all others, without torch."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PS_CIFAR100", "PS_DIGITS", "PS_EMNIST", "PS_IMAGENET_TINY", "Sizes"]


@dataclass(frozen=True)
class Sizes:
    """Number of classes, and default sizes.

    :param num_classes: number of classes of all tasks; 0 if it depends on the data.
    :param batch_size: default number of samples of each task at each tick.
    :param num_tasks: default number of tasks.
    """

    num_classes: int = 0
    batch_size: int = 32
    num_tasks: int = 5

    def options(self) -> dict[str, int]:
        """Return the defaults of the options of the same names."""
        return {"batch_size": self.batch_size, "num_tasks": self.num_tasks}


PS_DIGITS = Sizes(10, batch_size=4)
# As published.
PS_EMNIST = Sizes(62, batch_size=128)
PS_CIFAR100 = Sizes(100, batch_size=128, num_tasks=10)
PS_IMAGENET_TINY = Sizes(200, batch_size=128, num_tasks=10)

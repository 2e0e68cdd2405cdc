"""PS-CIFAR-100: small colour photographs, 100 classes in 10 tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torchvision.datasets import CIFAR100

from ._decoded import Decoded, decoded_once
from ._ready_made import divided
from .images import ImagesInMemory
from .parallel import ParallelBenchmark, Scenario
from .timeline import Timeline

__all__ = ["ps_cifar100"]

NUM_CLASSES = 100
# Mean and standard deviation of the training pixels in [0, 1], by channel.
_MEAN, _STD = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


def ps_cifar100(
    data_root: str | Path,
    *,
    download: bool = False,
    scenario: Scenario = "class",
    seed: int = 0,
    batch_size: int = 128,
    num_tasks: int = 10,
    label_sets: Sequence[Sequence[int]] | None = None,
    timeline: Timeline | None = None,
    epochs: int = 1,
) -> ParallelBenchmark:
    """Make parallel streams of CIFAR-100: 100 classes, 50,000 training images of 32 × 32 pixels.

    Inputs have the shape ``[3, 32, 32]``, normalised to zero mean and unit variance by channel.

    :param data_root: folder that holds (or will hold) torchvision's ``cifar-100-python`` folder.
    :param download: whether to download the data (0.2 GB) if they are not there.
    :param scenario: ``"task"`` or ``"class"``.
    :param seed: seed of the order of delivery, and of label sets and time line where omitted.
    :param batch_size: samples of each task at each tick; 128 as published.
    :param num_tasks: number of tasks, if no label sets are given; 10 or 20 as published.
    :param label_sets: classes of each task, for example from a :class:`Protocol`.
    :param timeline: time line, fitted to the data; random without idle gap if omitted.
    :param epochs: passes over each task's samples within its span.
    :raises FileNotFoundError: if the data are missing; the message says how to get them.
    """
    files = [Path(data_root) / "cifar-100-python" / name for name in ("train", "test", "meta")]
    try:
        found = decoded_once("CIFAR-100", files, lambda: _decoded(data_root, download)).tensors
    except RuntimeError as error:
        if download:
            raise
        raise FileNotFoundError(
            f"`data_root` {str(data_root)!r} has no CIFAR-100 in torchvision's layout "
            "(cifar-100-python). Give the folder that holds it, or have it downloaded there with "
            "download=True (on the command line: --download)."
        ) from error
    train, test = (
        ImagesInMemory(images, targets, _MEAN, _STD) for images, targets in (found[:2], found[2:])
    )
    return divided(
        train,
        test,
        range(NUM_CLASSES),
        num_tasks=num_tasks,
        label_sets=label_sets,
        timeline=timeline,
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
        epochs=epochs,
    )


def _decoded(data_root: str | Path, download: bool) -> Decoded:
    """Decode the training images and labels, then the test images and labels."""
    tensors = []
    for train in (True, False):
        part = CIFAR100(str(data_root), train=train, download=download)
        tensors += [
            torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(),
            torch.tensor(part.targets),
        ]
    return Decoded(tuple(tensors))

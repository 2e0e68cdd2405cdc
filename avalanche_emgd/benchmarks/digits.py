"""PS-Digits: handwritten digits, a benchmark that needs no download."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset

from ._decoded import Decoded, decoded_once
from ._ready_made import divided
from .parallel import ParallelBenchmark, Scenario
from .timeline import Timeline

__all__ = ["ps_digits"]


def ps_digits(
    *,
    scenario: Scenario = "class",
    seed: int = 0,
    batch_size: int = 4,
    num_tasks: int = 5,
    label_sets: Sequence[Sequence[int]] | None = None,
    timeline: Timeline | None = None,
    epochs: int = 1,
) -> ParallelBenchmark:
    """Make parallel streams of scikit-learn's handwritten digits: 10 classes, 8 × 8 pixels.

    The 1,437 training and 360 test images do not depend on the seed. Inputs have the shape
    ``[1, 8, 8]``, scaled to [−1, 1].

    :param scenario: ``"task"`` or ``"class"``.
    :param seed: seed of the order of delivery, and of label sets and time line where omitted.
    :param batch_size: samples of each task at each tick.
    :param num_tasks: number of tasks, if no label sets are given.
    :param label_sets: digits of each task.
    :param timeline: time line, fitted to the data; random without idle gap if omitted.
    :param epochs: passes over each task's samples within its span.
    """
    found = decoded_once("digits", (), _decoded).tensors
    return divided(
        TensorDataset(*found[:2]),
        TensorDataset(*found[2:]),
        range(10),
        num_tasks=num_tasks,
        label_sets=label_sets,
        timeline=timeline,
        batch_size=batch_size,
        scenario=scenario,
        seed=seed,
        epochs=epochs,
    )


def _decoded() -> Decoded:
    """Decode the training images and labels, then the test images and labels."""
    digits = load_digits()
    images = torch.from_numpy((digits.images / 8.0 - 1.0).astype(np.float32)).unsqueeze(1)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    train, test = train_test_split(
        np.arange(len(labels)), test_size=360, stratify=digits.target, random_state=0
    )
    return Decoded((images[train], labels[train], images[test], labels[test]))

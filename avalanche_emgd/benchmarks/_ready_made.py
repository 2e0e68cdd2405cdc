"""Common last step of the ready-made benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils.data import Dataset

from ._label_sets import random_label_sets
from .generators import parallel_benchmark_from_classes
from .parallel import ParallelBenchmark
from .stream_options import StreamOptions

__all__ = ["divided"]


def divided(
    train: Dataset[Any],
    test: Dataset[Any],
    classes: Sequence[int],
    options: StreamOptions,
    *,
    class_names: Mapping[int, str] | None = None,
    task_names: Sequence[str] | None = None,
) -> ParallelBenchmark:
    """Divide data by class into the given label sets, or into random ones.

    :param classes: class labels of the data, ascending; numbered anew unless they are 0, 1, 2, ...
    :param options: all options.
    """
    label_sets, seed = options["label_sets"], options["seed"]
    if label_sets is None:
        places = random_label_sets(len(classes), options["num_tasks"], seed)
        label_sets = [[classes[place] for place in own] for own in places]
    return parallel_benchmark_from_classes(
        train,
        test,
        label_sets,
        options["timeline"],
        batch_size=options["batch_size"],
        scenario=options["scenario"],
        seed=seed,
        epochs=options["epochs"],
        relabel=list(classes) != list(range(len(classes))),
        class_names=class_names,
        task_names=task_names,
    )

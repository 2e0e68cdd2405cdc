"""Checks of the experiences of ordinary Avalanche benchmarks before training."""

from __future__ import annotations

from typing import Any

from avalanche.benchmarks.utils import AvalancheDataset

from ._examination import Examination
from .datasets import StreamDataset
from .experience import ParallelExperience

__all__ = ["check_kept", "check_ordinary"]


def check_kept(experience: Any) -> None:
    """Check that data of a parallel stream come in an experience of that stream.

    :raises ValueError: if another experience holds the data, so that ticks and masks are lost.
    """
    data = getattr(experience, "dataset", None)
    if isinstance(data, StreamDataset) and not isinstance(experience, ParallelExperience):
        raise ValueError(
            f"`experiences` has a {type(experience).__name__} with data of a parallel benchmark, "
            "but without its ticks and masks, as benchmark_with_validation_stream and "
            "split_online_stream make them. Divide the data before parallel_benchmark(), for "
            "instance into further `test_datasets`."
        )


def check_ordinary(experience: Any, samples: int, name: str) -> None:
    """Check that an experience has class labels, and inputs of one shape and type.

    :param experience: experience of any benchmark; parallel benchmarks have been examined before.
    :param samples: largest number of samples to examine.
    :param name: name of the experience, for error messages.
    :raises ValueError: if its targets are not class labels, differ from the targets of its samples,
        or samples cannot be joined to minibatches.
    """
    data = getattr(experience, "dataset", None)
    if isinstance(experience, ParallelExperience) or not isinstance(data, AvalancheDataset):
        return
    if not hasattr(data, "targets"):
        raise ValueError(
            f"`{name}` must have class labels in the attribute `targets` of its data set: make it "
            "with as_classification_dataset()."
        )
    if len(data) == 0:
        return
    examination = Examination(data, name)
    declared = examination.labels
    examination.inputs(None, samples)
    if examination.labels is not declared or not examination.as_is:
        raise ValueError(
            f"`{name}` must have samples whose targets are the integers in the `targets` of its "
            "data set: apply its target transform to both."
        )

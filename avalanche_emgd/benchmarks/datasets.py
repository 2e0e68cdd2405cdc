"""Conversion of labelled data sets into Avalanche data sets with class and task labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from avalanche.benchmarks.utils import (
    AvalancheDataset,
    ConstantSequence,
    DataAttribute,
    TaskLabels,
    TransformGroups,
)
from avalanche.benchmarks.utils.classification_dataset import (
    TaskAwareSupervisedClassificationDataset,
)
from torch import Tensor
from torch.utils.data import Dataset, Subset, default_collate

from ._bulk import bulk_of
from ._labels import as_label
from .inputs import InputError, kind_of

__all__ = [
    "Relabelling",
    "Source",
    "StreamDataset",
    "checked",
    "collate",
    "inputs_of",
    "with_labels",
]


class StreamDataset(TaskAwareSupervisedClassificationDataset[Any]):
    """Data set of a parallel stream; its subsets are of the same class."""


class Relabelling:
    """Target transform that replaces class labels.

    :param numbers: mapping from class labels in the data to new class labels.
    """

    def __init__(self, numbers: Mapping[int, int]) -> None:
        self._numbers = dict(numbers)

    def __call__(self, target: Any) -> int:
        """Give the class label in place of a target."""
        return self._numbers[as_label(target)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Relabelling) and self._numbers == other._numbers

    def __hash__(self) -> int:
        return hash(tuple(self._numbers.items()))


def with_labels(
    dataset: Any, labels: list[int], task: int, *, kind: Any = None, relabelling: Any = None
) -> Any:
    """Wrap a data set as an Avalanche data set of ``(x, class label, task label)``.

    :param dataset: an Avalanche data set or any other data set.
    :param labels: class labels of all samples.
    :param task: task label.
    :param kind: class of the result; Avalanche's own if omitted.
    :param relabelling: transform from the targets of an Avalanche data set to ``labels``; omitted
        if the two agree.
    """
    attributes = [
        DataAttribute(labels, "targets"),
        TaskLabels(ConstantSequence(task, len(labels))),
    ]
    if not isinstance(dataset, (AvalancheDataset, Source)):
        dataset = Source(dataset, labels, task)
    options: dict[str, Any] = {}
    if relabelling is not None:
        pair = (None, relabelling)
        options["transform_groups"] = TransformGroups({"train": pair, "eval": pair})
    kind = kind or TaskAwareSupervisedClassificationDataset
    return kind([dataset], data_attributes=attributes, **options)


class Source(Dataset[tuple[Any, int]]):
    """Samples ``(x, label)`` of one task; other elements of a sample are dropped.

    :param dataset: data set of ``(x, y, ...)``. Many samples load at once if the data set is in
        memory or has torch's ``__getitems__``.
    :param labels: class labels of all samples.
    :param task: task label.
    :param relabelling: transform from the targets of the data set to ``labels``, given if some
        samples have not been examined. Loaded samples are then compared with ``labels``.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        labels: list[int],
        task: int,
        relabelling: Relabelling | None = None,
    ) -> None:
        self._dataset = dataset
        self._labels = labels
        self._task = task
        self._relabelling = relabelling
        self.targets = torch.tensor(labels, dtype=torch.long)
        """Class labels of all samples, ``[len(self)]``."""
        self.bulk = bulk_of(dataset)
        """Function that loads many inputs at once; ``None`` if inputs load one by one."""
        self._at_once = _loads_many(dataset)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        sample = self._dataset[index]
        if self._relabelling is not None:
            self._check(index, sample)
        return sample[0], self._labels[index]

    def load(self, indices: Tensor) -> list[Tensor]:
        """Load samples as ``[x, y, task labels]``.

        :param indices: indices of the samples, ``[b]``.
        :raises ValueError: if the samples cannot be joined, or one has another label than expected;
            the message names the task and the samples.
        """
        labels = [self.targets[indices], torch.full((len(indices),), self._task)]
        if self.bulk is not None:
            return [self.bulk.load(self.bulk.at(indices)), *labels]
        chosen = indices.tolist()
        if self._at_once:
            samples = self._dataset.__getitems__(chosen)  # type: ignore[attr-defined]
        else:
            samples = [self._dataset[index] for index in chosen]
        if self._relabelling is not None:
            for index, sample in zip(chosen, samples, strict=True):
                self._check(index, sample)
        try:
            return [default_collate([sample[0] for sample in samples]), *labels]
        except (TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"Task {self._task}: samples {chosen[:8]} ... of its data cannot be joined: "
                f"{str(error)[:200]}"
            ) from error

    def _check(self, index: int, sample: Any) -> None:
        assert self._relabelling is not None
        try:
            kind_of(sample[0])
            if self._relabelling(sample[1]) == self._labels[index]:
                return
            found = f"has the label {sample[1]!r}, another than in the `targets` of the data set"
        except InputError as error:
            found = str(error)
        except (KeyError, ValueError):
            found = f"has the target {sample[1]!r}, which is no class of the task"
        raise ValueError(f"Task {self._task}: sample {index} of its data {found}.")


def _loads_many(dataset: Any) -> bool:
    """Whether a data set has a ``__getitems__`` that agrees with its ``__getitem__``.

    The two disagree if a subclass overrides ``__getitem__`` and inherits ``__getitems__``.
    """
    order = type(dataset).__mro__
    one, many = (
        next((place for place, kind in enumerate(order) if name in vars(kind)), None)
        for name in ("__getitem__", "__getitems__")
    )
    if many is None or one is None or one < many:
        return False
    if isinstance(dataset, Subset) and hasattr(dataset.dataset, "__getitems__"):
        return _loads_many(dataset.dataset)
    return True


def inputs_of(dataset: Any, indices: Tensor) -> Tensor:
    """Load inputs ``[b, ...]`` of an Avalanche data set one by one, joined by its collate_fn."""
    samples = [dataset[index] for index in indices.tolist()]
    if dataset.collate_fn is default_collate:
        inputs: Tensor = default_collate([sample[0] for sample in samples])
    else:
        inputs = next(iter(dataset.collate_fn(samples)))
    return inputs


def collate(dataset: Any, indices: Sequence[int]) -> list[Tensor]:
    """Load samples of an Avalanche data set one by one, as ``[x, y, task labels]``."""
    try:
        tensors = list(dataset.collate_fn([dataset[index] for index in indices]))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"Samples {list(indices[:8])} ... of the experience's data set cannot be joined: "
            f"{str(error)[:200]}"
        ) from error
    if len(tensors) == 2:  # a data set without task labels has Avalanche's task 0
        tensors.append(torch.zeros(len(indices), dtype=torch.long))
    return [tensors[0], tensors[1], tensors[-1]]


def checked(batch: list[Tensor], targets: Tensor) -> list[Tensor]:
    """Check the class labels of loaded samples against known labels.

    :param batch: samples ``[x, y, task labels]``.
    :param targets: known class labels of these samples; labels of later samples may follow.
    :return: ``batch``.
    :raises ValueError: if a sample has another label.
    """
    own = targets[: len(batch[1])]
    if not torch.equal(batch[1], own):
        place = int((batch[1] != own).nonzero()[0, 0])
        raise ValueError(
            f"A sample has the label {batch[1][place]!s}, but {own[place]!s} in the `targets` of "
            "its data set: apply the same target transform to both."
        )
    return batch

"""Any labelled data set as an Avalanche data set with class and task labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset, ConstantSequence, DataAttribute, TaskLabels
from avalanche.benchmarks.utils.classification_dataset import (
    TaskAwareSupervisedClassificationDataset,
)
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset, default_collate

from ._bulk import bulk_of


def targets_of(dataset: Dataset[Any], name: str) -> list[int]:
    """Class labels of all samples, without loading inputs where they can be had otherwise.

    :param dataset: with ``targets``, or a ``TensorDataset``, or a ``Subset`` of such a one, or any
        sized data set of ``(x, y, ...)``.
    :param name: of the argument, for messages.
    :raises ValueError: if the labels are not integers ≥ 0, one per sample.
    """
    if not isinstance(dataset, (Dataset, AvalancheDataset)):
        raise ValueError(
            f"`{name}` must be a data set of (input, class label), such as a torch TensorDataset, "
            f"found {type(dataset).__name__}."
        )
    size = len(dataset)  # type: ignore[arg-type]
    targets = _raw_targets(dataset, size)
    try:
        labels = [_as_label(target) for target in targets]
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"`{name}` must have integer class labels ≥ 0.") from None
    if len(labels) != size:
        raise ValueError(f"`{name}` has {size} samples but {len(labels)} labels.")
    if size and int(dataset[0][1]) != labels[0]:
        raise ValueError(
            f"`{name}` has the label {labels[0]} in its `targets` where its first sample has "
            f"{int(dataset[0][1])}: apply its target_transform to `targets` beforehand."
        )
    return labels


def with_labels(dataset: Any, labels: list[int], task: int) -> Any:
    """Wrap as an Avalanche data set whose samples are ``(x, class label, task label)``.

    :param dataset: an Avalanche data set, or any other.
    """
    attributes = [
        DataAttribute(labels, "targets"),
        TaskLabels(ConstantSequence(task, len(labels))),
    ]
    if not isinstance(dataset, (AvalancheDataset, Source)):
        dataset = Source(dataset, labels, task)
    return TaskAwareSupervisedClassificationDataset([dataset], data_attributes=attributes)


def source_of(dataset: Any, labels: list[int], task: int) -> Any:
    """Wrap as :class:`Source`; an Avalanche data set, which may transform samples, stays one."""
    return dataset if isinstance(dataset, AvalancheDataset) else Source(dataset, labels, task)


class LabelledSubset(Subset[Any]):
    """Some samples of a data set, whose labels are known.

    :param dataset: of ``(x, y, ...)``.
    :param indices: of the samples.
    :param labels: of all samples of the data set.
    """

    def __init__(self, dataset: Dataset[Any], indices: list[int], labels: list[int]) -> None:
        super().__init__(dataset, indices)
        self.targets = [labels[index] for index in indices]


class Source(Dataset[tuple[Any, int]]):
    """Samples of one task ``(x, label)``: whatever else a data set yields is left out.

    :param dataset: of ``(x, y, ...)``; asked for many samples at once where it has them in memory
        or has torch's ``__getitems__``.
    :param labels: of all samples.
    :param task: label of the task.
    """

    def __init__(self, dataset: Dataset[Any], labels: list[int], task: int) -> None:
        self._dataset = dataset
        self._labels = labels
        self._task = task
        self.targets = torch.tensor(labels, dtype=torch.long)
        """Labels of all samples, ``[len(self)]``."""
        self.bulk = bulk_of(dataset)
        """How to load many inputs at once, where that can be had."""

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._dataset[index][0], self._labels[index]

    def load(self, indices: Tensor) -> list[Tensor]:
        """Load samples as ``[x, y, task labels]``.

        :param indices: ``[b]``.
        """
        labels = [self.targets[indices], torch.full((len(indices),), self._task)]
        if self.bulk is not None:
            return [self.bulk.load(self.bulk.at(indices)), *labels]
        chosen = indices.tolist()
        several = getattr(self._dataset, "__getitems__", None)
        samples = [self._dataset[index] for index in chosen] if several is None else several(chosen)
        return [default_collate([sample[0] for sample in samples]), *labels]


def _raw_targets(dataset: Any, size: int) -> Any:
    if isinstance(dataset, Subset) and not isinstance(dataset, LabelledSubset):
        whole = _raw_targets(dataset.dataset, len(dataset.dataset))  # type: ignore[arg-type]
        return [whole[index] for index in dataset.indices]
    if hasattr(dataset, "targets"):
        targets = dataset.targets
        return targets.data if isinstance(dataset, AvalancheDataset) else targets
    if isinstance(dataset, TensorDataset) and len(dataset.tensors) >= 2:
        return dataset.tensors[1]
    return [dataset[index][1] for index in range(size)]


def _as_label(target: Any) -> int:
    label = int(target.item() if isinstance(target, torch.Tensor) else target)
    if label != target or label < 0:
        raise ValueError
    return label


def inputs_of(dataset: Any, indices: Tensor) -> Tensor:
    """Load inputs ``[b, ...]`` of any data set one by one."""
    return default_collate([dataset[index][0] for index in indices.tolist()])


def collate(dataset: Any, indices: Sequence[int]) -> list[Tensor]:
    """Load samples of an Avalanche data set one by one, as ``[x, y, task labels]``."""
    tensors = list(dataset.collate_fn([dataset[index] for index in indices]))
    if len(tensors) == 2:  # a data set without task labels: Avalanche's task 0
        tensors.append(torch.zeros(len(indices), dtype=torch.long))
    return [tensors[0], tensors[1], tensors[-1]]

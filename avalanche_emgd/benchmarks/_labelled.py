"""Any labelled data set as an Avalanche data set with class and task labels."""

from __future__ import annotations

from typing import Any

import torch
from avalanche.benchmarks.utils import AvalancheDataset, ConstantSequence, DataAttribute, TaskLabels
from avalanche.benchmarks.utils.classification_dataset import (
    TaskAwareSupervisedClassificationDataset,
)
from torch.utils.data import Dataset, Subset, TensorDataset


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


def with_labels(dataset: Dataset[Any], labels: list[int], task: int) -> Any:
    """Wrap as an Avalanche data set whose samples are ``(x, class label, task label)``."""
    attributes = [
        DataAttribute(labels, "targets"),
        TaskLabels(ConstantSequence(task, len(labels))),
    ]
    if not isinstance(dataset, AvalancheDataset):
        dataset = _Pairs(dataset, labels)
    return TaskAwareSupervisedClassificationDataset([dataset], data_attributes=attributes)


class _Pairs(Dataset[tuple[Any, int]]):
    """Samples ``(x, label)``: whatever else a data set yields is left out."""

    def __init__(self, dataset: Dataset[Any], labels: list[int]) -> None:
        self._dataset = dataset
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self._dataset[index][0], self._labels[index]


def _raw_targets(dataset: Any, size: int) -> Any:
    if isinstance(dataset, Subset):
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

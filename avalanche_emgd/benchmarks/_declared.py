"""What a data set says of its samples without loading them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset

__all__ = ["declared_targets", "place_of", "size_of"]


def size_of(dataset: Any, name: str) -> int:
    """Count the samples of a data set.

    :param name: of the argument, for messages.
    :raises ValueError: if it is no data set of a known length, or a subset by indices that are not
        there.
    """
    if not isinstance(dataset, (Dataset, AvalancheDataset)):
        raise ValueError(
            f"`{name}` must be a data set of (input, class label), such as a torch TensorDataset, "
            f"found {type(dataset).__name__}."
        )
    if isinstance(dataset, TensorDataset) and len(dataset.tensors) < 2 and _has_own(dataset):
        raise ValueError(f"`{name}` must have inputs and class labels, found one tensor.")
    try:
        size = len(dataset)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(
            f"`{name}` must have a length and samples by index, found {type(dataset).__name__}."
        ) from None
    if isinstance(dataset, Subset) and _has_own(dataset):
        whole = size_of(dataset.dataset, name)
        for place, index in enumerate(dataset.indices):
            if not -whole <= index < whole:
                raise ValueError(
                    f"`{name}` is a Subset whose indices[{place}] is {index}, outside of its "
                    f"{whole} samples."
                )
    return size


def _has_own(dataset: Any) -> bool:
    """Whether samples are loaded as torch's class of data sets does."""
    kind = Subset if isinstance(dataset, Subset) else TensorDataset
    return type(dataset).__getitem__ is kind.__getitem__


def declared_targets(dataset: Any) -> Any:
    """Find the targets of all samples, where that takes no loading of inputs; else ``None``."""
    if hasattr(dataset, "targets"):
        if isinstance(dataset, AvalancheDataset):
            return dataset.targets.data
        transform = getattr(dataset, "target_transform", None)
        targets = dataset.targets
        return [transform(target) for target in targets] if callable(transform) else targets
    if isinstance(dataset, Subset) and _has_own(dataset):
        whole = declared_targets(dataset.dataset)
        if whole is None:
            return None
        if isinstance(whole, (Tensor, np.ndarray)):
            return whole[torch.tensor(list(dataset.indices), dtype=torch.long)]
        return [whole[index] for index in dataset.indices]
    if isinstance(dataset, TensorDataset) and _has_own(dataset):
        return dataset.tensors[1]
    return None


def place_of(dataset: Any, index: int) -> str:
    """Name a sample by its index, and by its file where the data set says it."""
    found: Any = dataset
    place = index
    while isinstance(found, Subset) and _has_own(found):
        found, place = found.dataset, int(found.indices[place])
    files = getattr(found, "samples", None)  # of torchvision's folders of images
    file = files[place] if isinstance(files, (list, tuple)) and len(files) > place else None
    file = file[0] if isinstance(file, tuple) and file else file
    return f"sample {index} ({file})" if isinstance(file, str) else f"sample {index}"

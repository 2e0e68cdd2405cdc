"""Properties of a data set that are known without loading its samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from avalanche.benchmarks.utils import AvalancheDataset
from torch import Tensor
from torch.utils.data import Dataset, Subset, TensorDataset

from ._bulk import loads_as

__all__ = ["declared_targets", "place_of", "size_of"]


def size_of(dataset: Any, name: str) -> int:
    """Count the samples of a data set.

    :param name: name of the argument, for error messages.
    :raises ValueError: if ``dataset`` is not a data set of known length, or is a subset with an
        index out of range.
    """
    if not isinstance(dataset, (Dataset, AvalancheDataset)):
        raise ValueError(
            f"`{name}` must be a data set of (input, class label), such as a torch TensorDataset, "
            f"found {type(dataset).__name__}."
        )
    if loads_as(dataset, TensorDataset) and len(dataset.tensors) < 2:
        raise ValueError(f"`{name}` must have inputs and class labels, found one tensor.")
    try:
        size = len(dataset)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(
            f"`{name}` must have a length and samples by index, found {type(dataset).__name__}."
        ) from None
    if loads_as(dataset, Subset):
        whole = size_of(dataset.dataset, name)
        for place, index in enumerate(dataset.indices):
            if not -whole <= index < whole:
                raise ValueError(
                    f"`{name}` is a Subset whose indices[{place}] is {index}, outside of its "
                    f"{whole} samples."
                )
    return size


def declared_targets(dataset: Any) -> Any:
    """Return the targets of all samples; ``None`` if they need the inputs to be loaded."""
    if hasattr(dataset, "targets"):
        if isinstance(dataset, AvalancheDataset):
            return dataset.targets.data
        transform = getattr(dataset, "target_transform", None)
        targets = dataset.targets
        return [transform(target) for target in targets] if callable(transform) else targets
    if loads_as(dataset, Subset):
        whole = declared_targets(dataset.dataset)
        if whole is None:
            return None
        if isinstance(whole, (Tensor, np.ndarray)):
            return whole[torch.tensor(list(dataset.indices), dtype=torch.long)]
        return [whole[index] for index in dataset.indices]
    if loads_as(dataset, TensorDataset):
        return dataset.tensors[1]
    return None


def place_of(dataset: Any, index: int) -> str:
    """Describe a sample by its index, and by its file if the data set lists files."""
    found: Any = dataset
    place = index
    while loads_as(found, Subset):
        found, place = found.dataset, int(found.indices[place])
    files = getattr(found, "samples", None)  # as in torchvision's ImageFolder
    file = files[place] if isinstance(files, (list, tuple)) and len(files) > place else None
    file = file[0] if isinstance(file, tuple) and file else file
    return f"sample {index} ({file})" if isinstance(file, str) else f"sample {index}"
